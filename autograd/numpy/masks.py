"""What has no derivative: masks, counts, and integers that say where something is. Names and arguments are NumPy's.

Each is NumPy's own function of the numbers, with a plain result; inside jit it is recorded as it stands here.
"""

import math
from typing import Any

import numpy as np

from ..arguments import axes_of, is_node
from ..failing import refuse
from ..operation import OPERATIONS
from . import reducing
from .dispatch import record
from .reducing import without
from .shaping import along

count_nonzero = lambda a, axis=None, *, keepdims=False: reducing.sum(a != 0, axis, keepdims=keepdims)
any = lambda a, axis=None, *, keepdims=False, where=True: reducing.sum(a != 0, axis, keepdims=keepdims, where=where) > 0
all = lambda a, axis=None, *, keepdims=False, where=True: (
    reducing.sum(a == 0, axis, keepdims=keepdims, where=where) == 0
)
# equal, or, if these are, both no numbers
_same = lambda a, b, equal_nan: (a == b) | (a != a) & (b != b) if equal_nan else a == b
array_equal = lambda a1, a2, equal_nan=False: a1.shape == a2.shape and all(_same(a1, a2, equal_nan))
array_equiv = lambda a1, a2: np.array_equiv(np.zeros(a1.shape), np.zeros(a2.shape)) and all(a1 == a2)
isclose = lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: (
    (abs(a - b) <= atol + rtol * abs(b)) & (abs(b) < math.inf) | _same(a, b, equal_nan)
)
allclose = lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: all(isclose(a, b, rtol, atol, equal_nan))
isin = lambda element, test_elements, assume_unique=False, invert=False, *, kind=None: (
    any(element[..., None] == test_elements.reshape(-1), -1) != invert
)
argmax = lambda a, axis=None, *, keepdims=False: OPERATIONS["argmax"](*along(a, axis)).reshape(
    without(a.shape, axes_of(axis, a.ndim), keepdims)
)
# where the smallest is, or what is no number
argmin = lambda a, axis=None, *, keepdims=False: argmax(
    (a == reducing.min(a, axis, keepdims=True)) | (a != a), axis, keepdims=keepdims
)
argsort = lambda a, axis=-1, kind=None, order=None, *, stable=None: OPERATIONS["argsort"](
    *along(a, axis), "stable" if stable else kind
)
argpartition = lambda a, kth, axis=-1, kind=None, order=None: argsort(a, axis)
searchsorted = lambda a, v, side="left", sorter=None: OPERATIONS["searchsorted"](
    a if sorter is None else a[sorter], v, side
)


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """As numpy.digitize; whether the bins rise or fall must be known."""
    if is_node(bins):
        refuse("digitize() with bins that are a node was called", "write searchsorted(bins, x) for rising ones")
    bins, side = np.asarray(bins), "left" if right else "right"
    falling = len(bins) > 1 and bins[0] > bins[-1]
    return len(bins) - searchsorted(bins[::-1], x, side) if falling else searchsorted(bins, x, side)


__all__ = record(globals(), plain=True)
