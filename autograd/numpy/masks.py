"""What has no derivative: masks, counts, and integers that say where something is. Names and arguments are NumPy's.

Each is NumPy's own function of the numbers, with a plain result; inside jit it is recorded as it stands here.
"""

import math
from typing import Any

import numpy as np

from ..arguments import axes_of, is_node
from ..failing import refuse
from ..node import Tensor
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
argpartition = lambda a, kth, axis=-1, kind=None, order=None: argsort(a, axis)
allclose = lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: all(isclose(a, b, rtol, atol, equal_nan))


def _same(a: Any, b: Any, equal_nan: bool) -> Any:
    """Where elements are equal, or, if these are, no numbers."""
    return (a == b) | (a != a) & (b != b) if equal_nan else a == b


def isclose(a: Tensor, b: Tensor, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """As numpy.isclose."""
    near = (abs(a - b) <= atol + rtol * abs(b)) & (abs(b) < math.inf)
    return near | _same(a, b, equal_nan)


def array_equal(a1: Tensor, a2: Tensor, equal_nan: bool = False) -> Any:
    """As numpy.array_equal."""
    return a1.shape == a2.shape and all(_same(a1, a2, equal_nan))


def array_equiv(a1: Tensor, a2: Tensor) -> Any:
    """As numpy.array_equiv: equal where broadcast, if they do."""
    return np.array_equiv(np.zeros(a1.shape), np.zeros(a2.shape)) and all(a1 == a2)


def isin(
    element: Tensor, test_elements: Tensor, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """As numpy.isin, by comparing all pairs."""
    among = any(element[..., None] == test_elements.reshape(-1), -1)
    return ~among if invert else among


def argmax(a: Tensor, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """As numpy.argmax."""
    places = OPERATIONS["argmax"](*along(a, axis))
    return places.reshape(without(a.shape, axes_of(axis, a.ndim), keepdims))


def argmin(a: Tensor, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """As numpy.argmin: where the smallest is, or what is no number."""
    smallest = (a == reducing.min(a, axis, keepdims=True)) | (a != a)
    return argmax(smallest, axis, keepdims=keepdims)


def argsort(a: Tensor, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Any:
    """As numpy.argsort."""
    return OPERATIONS["argsort"](*along(a, axis), "stable" if stable else kind)


def searchsorted(a: Tensor, v: Tensor, side: Any = "left", sorter: Any = None) -> Any:
    """As numpy.searchsorted."""
    return OPERATIONS["searchsorted"](a if sorter is None else a[sorter], v, side)


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """As numpy.digitize; whether the bins rise or fall must be known."""
    if is_node(bins):
        refuse("digitize() with bins that are a node was called", "write searchsorted(bins, x) for rising ones")
    bins, side = np.asarray(bins), "left" if right else "right"
    falling = len(bins) > 1 and bins[0] > bins[-1]
    return len(bins) - searchsorted(bins[::-1], x, side) if falling else searchsorted(bins, x, side)


__all__ = record(globals(), plain=True)
