"""NumPy's names for floats, arrays and nodes: `import autograd.numpy as np`.

Where a node takes part the functions below are recorded; else, and for every name that is not here, it is NumPy itself.
`numpy.exp(tensor)`, `numpy.sum(tensor)` and the like come here too, by NumPy's protocols. What is not differentiated
raises a TypeError that names the function. The elementwise rows of the table are here by themselves, under
NumPy's names.
"""

from typing import Any

import numpy as _np

from ..operation import ELEMENTWISE as _ELEMENTWISE
from ..operation import INNER as _INNER
from . import linalg
from .dispatch import constant as _constant
from .dispatch import operation as _operation
from .dispatch import recorded as _recorded
from .elementwise import clip, log_sigmoid, reciprocal, round, sinc, where
from .products import affine, convolve, dot, einsum, inner, matmul, outer, tensordot, vdot
from .reducing import (
    cumprod,
    cumsum,
    diff,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    sort,
    std,
    sum,
    var,
)
from .shaping import (
    array,
    array_split,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_to,
    column_stack,
    concatenate,
    delete,
    diag,
    diagonal,
    expand_dims,
    flip,
    fliplr,
    flipud,
    full_like,
    hstack,
    moveaxis,
    pad,
    ravel,
    repeat,
    reshape,
    roll,
    rot90,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    take_along_axis,
    tile,
    trace,
    transpose,
    tril,
    triu,
    vstack,
)

NAMES = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
    "neg": "negative",
    "abs": "absolute",
}  # what NumPy calls some rows
INTERNAL = {row.name for row in _INNER}
CONSTANT = """
all allclose any argmax argmin argsort array_equal count_nonzero empty_like equal greater greater_equal isclose isfinite
isinf isnan less less_equal logical_and logical_not logical_or may_share_memory ndim nonzero not_equal ones_like
result_type searchsorted shape signbit size zeros_like""".split()  # plain results
ROWS = {NAMES.get(row.name, row.name): row for row in _ELEMENTWISE if row.name not in (*INTERNAL, *CONSTANT)}
ROWS["abs"] = ROWS["absolute"]
_HERE = {name for name, x in vars().items() if callable(x) and not name.startswith("_") and name != "Any"}
__all__ = sorted({*_HERE, *ROWS, *CONSTANT, "linalg"})


def __getattr__(name: str) -> Any:
    if name in ROWS:
        found: Any = _recorded(name, of_arrays=False)(ROWS[name]) if hasattr(_np, name) else _operation(ROWS[name])
        found.__module__ = __name__
    elif name in CONSTANT:
        found = _constant(name)
    elif name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        return getattr(_np, name)  # with a node in it, NumPy asks the protocols, or for an array, and either raises
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in dir(_np) if not name.startswith("_"))})
