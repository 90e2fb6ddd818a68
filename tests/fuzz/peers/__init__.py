"""Random programs in JAX and in PyTorch: values and derivatives come to the same there.

`worker.py` runs them in a process of its own, whose Python need not be ours and imports nothing of this project;
`of_jax.py` and `of_torch.py` say what programs call there. Not compared is what a peer cannot run, and
- where its own result leaps if each step is off by a little: at ties, kinks and edges each has a convention of its own;
- NaN in its derivatives: here a branch that is not selected passes 0, and a norm has slope 0 at 0;
- integers at the edges: division by 0, overflow, shifts by more bits than there are.
"""
