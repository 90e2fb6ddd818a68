"""NumPy's names for floats, arrays and nodes: `import autograd.numpy as np`.

Where a node takes part the functions below are recorded; else, and for every name that is not here, it is NumPy itself.
`numpy.exp(tensor)`, `numpy.sum(tensor)` and the like come here too, by NumPy's protocols. What is not differentiated
raises a TypeError that names the function. The elementwise rows of the table are here by themselves, under
NumPy's names.
"""

from typing import Any

import numpy as _np

from .. import operation as _operation
from . import dispatch, elementwise, grids, linalg, masks, moving, products, reducing, shaping, statistics
from .moving import c_, r_

# what NumPy calls some rows, and further names
NAMES, ALIASES = (
    dict(pair.split("=") for pair in text.split())
    for text in (
        """sub=subtract mul=multiply truediv=divide pow=power neg=negative abs=absolute mod=remainder
        floordiv=floor_divide""",
        """abs=absolute fabs=absolute mod=remainder pow=power true_divide=divide radians=deg2rad degrees=rad2deg
        fix=trunc amax=max amin=min around=round concat=concatenate permute_dims=transpose bitwise_not=invert""",
    )
)
IDENTITIES = ("positive", "conjugate", "conj", "real", "real_if_close")  # of real numbers
INTERNAL = {row.name for row in _operation.INNER}
OF_SHAPES = """
diag_indices_from empty_like imag iscomplex iscomplexobj isreal isrealobj ndim ones_like result_type shape size
tril_indices_from triu_indices_from zeros_like""".split()  # plain results that need no numbers: known inside jit, too
OF_NUMBERS = """
angle argwhere flatnonzero histogram histogram2d histogram_bin_edges histogramdd lexsort may_share_memory nanargmax
nanargmin nonzero spacing""".split()  # plain results that are not to be had inside jit
MASKS = """
equal greater greater_equal less less_equal not_equal bitwise_and bitwise_or bitwise_xor invert left_shift
right_shift""".split()
OF_MASKS = {name: _operation.OPERATIONS[name] for name in MASKS} | elementwise.MASKS  # recorded inside jit
ROWS = {NAMES.get(row.name, row.name): row for row in _operation.ELEMENTWISE if row.name not in (*INTERNAL, *OF_MASKS)}
ROWS |= {**elementwise.COMPOSED, **dict.fromkeys(IDENTITIES, _operation.OPERATIONS["alias"])}
ROWS |= {f"a{name[3:]}": row for name, row in ROWS.items() if name[:3] == "arc"}
FUNCTIONS = {
    name: vars(home)[name]
    for home in (elementwise, shaping, moving, products, reducing, statistics, grids, masks)
    for name in home.__all__
}
for _table in (ROWS, OF_MASKS, FUNCTIONS):
    _table |= {alias: _table[name] for alias, name in ALIASES.items() if name in _table}
CONSTANT = sorted({*OF_SHAPES, *OF_NUMBERS, *OF_MASKS, *masks.__all__})  # plain results
__all__ = sorted({*FUNCTIONS, *ROWS, *CONSTANT, "linalg"})


def _row(name: str, row: Any) -> Any:
    """The function of a row under NumPy's name, or under its own."""
    of_words = row.name in elementwise.COMPOSED or row.name in elementwise.MASKS
    found: Any = elementwise.composed(row) if of_words else row
    return (
        dispatch.recorded(name, found, as_given=dispatch.as_nodes) if hasattr(_np, name) else dispatch.operation(found)
    )


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        found: Any = FUNCTIONS[name]
    elif name in ROWS:
        found = _row(name, ROWS[name])
        found.__module__ = __name__
    elif name in OF_MASKS:
        found = dispatch.constant(name, traced=_row(name, OF_MASKS[name]))
    elif name in CONSTANT:
        found = dispatch.constant(name, data_of=dispatch.blank_of if name in OF_SHAPES else dispatch.data_of)
    elif name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        return getattr(_np, name)  # with a node in it, NumPy asks the protocols, or for an array, and either raises
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in dir(_np) if not name.startswith("_"))})
