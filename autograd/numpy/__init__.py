"""NumPy's names for floats, arrays and nodes: `import autograd.numpy as np`.

Where a node takes part the functions below are recorded; else, and for every name that is not here, it is NumPy itself.
`numpy.exp(tensor)`, `numpy.sum(tensor)` and the like come here too, by NumPy's protocols. What is not differentiated
raises a TypeError that names the function. The elementwise rows of the table are here by themselves, under
NumPy's names.
"""

from typing import Any

import numpy as _np

from ..operation import ELEMENTWISE as _ELEMENTWISE
from ..operation import OPERATIONS as _OPERATIONS
from . import linalg
from .dispatch import constant as _constant
from .dispatch import operation as _operation
from .dispatch import recorded as _recorded
from .elementwise import COMPOSED as _COMPOSED
from .elementwise import clip, float_power, ldexp, nan_to_num, piecewise, round, sinc, where
from .elementwise import composed as _composed
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
    partition,
    prod,
    softmax,
    sort,
    std,
    sum,
    unwrap,
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
from .statistics import (
    average,
    bincount,
    corrcoef,
    cov,
    cumulative_prod,
    cumulative_sum,
    median,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmedian,
    nanmin,
    nanpercentile,
    nanprod,
    nanquantile,
    nanstd,
    nansum,
    nanvar,
    percentile,
    ptp,
    quantile,
)

NAMES = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
    "neg": "negative",
    "abs": "absolute",
    "mod": "remainder",
    "floordiv": "floor_divide",
}  # what NumPy calls some rows
IDENTITIES = ("positive", "conjugate", "conj", "real", "real_if_close")  # of real numbers
ALIASES = {"abs": "absolute", "fabs": "absolute", "mod": "remainder", "pow": "power", "true_divide": "divide"}
INTERNAL = {"alias", "detached", "ratio", "scaled", "wins"}  # rows for pullbacks and the engine itself
CONSTANT = """
all allclose angle any argmax argmin argpartition argsort array_equal array_equiv count_nonzero digitize empty_like equal
greater greater_equal histogram histogram2d histogram_bin_edges histogramdd imag isclose iscomplex iscomplexobj isfinite
isin isinf isnan isneginf isposinf isreal isrealobj less less_equal lexsort logical_and logical_not logical_or
logical_xor may_share_memory nanargmax nanargmin ndim nonzero not_equal ones_like result_type searchsorted shape signbit
size spacing zeros_like""".split()  # plain results
ROWS = {NAMES.get(row.name, row.name): row for row in _ELEMENTWISE if row.name not in (*INTERNAL, *CONSTANT)}
ROWS |= {**_COMPOSED, **dict.fromkeys(IDENTITIES, _OPERATIONS["alias"])}
ROWS |= {alias: ROWS[name] for alias, name in ALIASES.items()} | {f"a{x[3:]}": ROWS[x] for x in ROWS if x[:3] == "arc"}
amax, amin, around = max, min, round
_HERE = {name for name, x in vars().items() if callable(x) and not name.startswith("_") and name != "Any"}
__all__ = sorted({*_HERE, *ROWS, *CONSTANT, "linalg"})


def __getattr__(name: str) -> Any:
    if name in ROWS:
        row: Any = _composed(ROWS[name]) if name in _COMPOSED else ROWS[name]
        found: Any = _recorded(name, of_arrays=False)(row) if hasattr(_np, name) else _operation(row)
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
