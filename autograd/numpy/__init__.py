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
from . import elementwise, grids, linalg, moving, products, reducing, shaping
from .dispatch import constant as _constant
from .dispatch import operation as _operation
from .dispatch import recorded as _recorded
from .moving import c_, r_

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
all allclose any argmax argmin argsort argwhere array_equal count_nonzero diag_indices_from empty_like equal flatnonzero
greater greater_equal isclose isfinite isinf isnan less less_equal logical_and logical_not logical_or may_share_memory
ndim nonzero not_equal ones_like result_type searchsorted shape signbit size tril_indices_from triu_indices_from
zeros_like""".split()  # plain results
ROWS = {NAMES.get(row.name, row.name): row for row in _ELEMENTWISE if row.name not in (*INTERNAL, *CONSTANT)}
ROWS["abs"] = ROWS["absolute"]
FUNCTIONS = {
    name: function
    for home in (elementwise, shaping, moving, products, reducing, grids)
    for name, function in vars(home).items()
    if hasattr(function, "__wrapped__") and function.__module__ == home.__name__  # what `recorded` returned there
}
FUNCTIONS |= {"concat": FUNCTIONS["concatenate"], "permute_dims": FUNCTIONS["transpose"]}
globals().update(FUNCTIONS)
__all__ = sorted({*FUNCTIONS, *ROWS, *CONSTANT, "linalg"})


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
