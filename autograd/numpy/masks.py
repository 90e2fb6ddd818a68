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
from .dispatch import plain
from .shaping import along, operand

_equal, _not_equal, _less, _less_equal, _greater = (
    OPERATIONS[name] for name in "equal not_equal less less_equal greater".split()
)


@plain
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As numpy.count_nonzero."""
    return reducing.sum(_not_equal(a, 0), axis, keepdims=keepdims)


@plain
def any(a: Any, axis: Any = None, *, keepdims: bool = False, where: Any = True) -> Any:
    """As numpy.any."""
    return _greater(reducing.sum(_not_equal(a, 0), axis, keepdims=keepdims, where=where), 0)


@plain
def all(a: Any, axis: Any = None, *, keepdims: bool = False, where: Any = True) -> Any:
    """As numpy.all."""
    return _equal(reducing.sum(_equal(a, 0), axis, keepdims=keepdims, where=where), 0)


@plain
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """As numpy.isclose."""
    a, b = operand(a), operand(b)
    close = _less_equal(abs(a - b), atol + rtol * abs(b)) & _less(abs(b), math.inf) | _equal(a, b)
    return close | _not_equal(a, a) & _not_equal(b, b) if equal_nan else close


@plain
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """As numpy.allclose."""
    return all(isclose(a, b, rtol, atol, equal_nan))


@plain
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """As numpy.array_equal."""
    a, b = operand(a1), operand(a2)
    if a.shape != b.shape:
        return False
    same = _equal(a, b)
    return all(same | _not_equal(a, a) & _not_equal(b, b) if equal_nan else same)


@plain
def array_equiv(a1: Any, a2: Any) -> Any:
    """As numpy.array_equiv."""
    a, b = operand(a1), operand(a2)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return all(_equal(a, b))


@plain
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """As numpy.isin, by comparing all pairs."""
    among = any(_equal(operand(element)[..., None], operand(test_elements).reshape(-1)), -1)
    return ~among if invert else among


@plain
def argmax(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """As numpy.argmax."""
    places = OPERATIONS["argmax"](*along(a, axis))
    return places.reshape(reducing.without(a.shape, axes_of(axis, a.ndim), keepdims))


@plain
def argmin(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """As numpy.argmin: where the smallest is, or what is no number."""
    smallest = _equal(a, reducing.min(a, axis, keepdims=True)) | _not_equal(a, a)
    return argmax(smallest, axis, keepdims=keepdims)


@plain
def argsort(a: Any, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Any:
    """As numpy.argsort."""
    return OPERATIONS["argsort"](*along(a, axis), "stable" if stable else kind)


@plain
def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: None = None) -> Any:
    """As numpy.argpartition, in the order of argsort."""
    return argsort(a, axis)


@plain
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    """As numpy.searchsorted."""
    x = operand(a) if sorter is None else operand(a)[sorter]
    return OPERATIONS["searchsorted"](x, operand(v), side)


@plain
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """As numpy.digitize; whether the bins rise or fall must be known."""
    if is_node(bins):
        refuse("digitize() with bins that are a node was called", "write searchsorted(bins, x) for rising ones")
    bins, side = np.asarray(bins), "left" if right else "right"
    falling = len(bins) > 1 and bins[0] > bins[-1]
    return len(bins) - searchsorted(bins[::-1], x, side) if falling else searchsorted(bins, x, side)


__all__ = """
all allclose any argmax argmin argpartition argsort array_equal array_equiv count_nonzero digitize isclose isin
searchsorted""".split()
