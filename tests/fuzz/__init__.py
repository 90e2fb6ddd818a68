"""What no person thinks of: programs, arguments and texts are drawn at random, and the smallest that fail are printed.

`python -m tests.fuzz programs --seconds 60 --seed 0`: whole programs come to the same eagerly and by each backend, and,
    where they are installed, in JAX and in PyTorch; `--peers PYTHON` names another interpreter that has these.
`python -m tests.fuzz calls`: functions of NumPy and SciPy come to the same of nodes as of arrays, and refuse the same.
`python -m tests.fuzz texts`: rows, names, labels, options and paths of any text are taken, or refused with a reason.
A failure is printed as a few lines that run, with the command by which it is found again.
"""
