"""What no person thinks of: programs, arguments and texts are drawn at random, and the smallest that fail are printed.

`python -m tests.fuzz programs --seconds 60 --seed 0`: whole programs come to the same eagerly and by each backend.
`python -m tests.fuzz calls`: NumPy's functions come to the same of nodes as of arrays, and refuse the same.
`python -m tests.fuzz texts`: rows, names, labels, options and paths of any text are taken, or refused with a reason.
"""
