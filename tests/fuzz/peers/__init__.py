"""Random programs in JAX and in PyTorch: values and derivatives come to the same there.

`worker.py` runs them in a process of its own, whose Python need not be ours and imports nothing of this project;
`of_jax.py` and `of_torch.py` say what programs call there.
"""
