"""What may be given to a node, and the messages for what may not."""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from .operation import PLAIN_FLOATS


def is_node(x: Any) -> bool:
    """Whether this is a Value or a Tensor, which cannot be imported here, as node.py imports this module."""
    return hasattr(type(x), "reading")


def is_value(x: Any) -> bool:
    """Whether this is a Value."""
    return is_node(x) and type(x).reading.plain is PLAIN_FLOATS


def holds_node(x: Any) -> bool:
    """Whether this is a list or a tuple with nodes in it, at any depth."""
    for kind in {*map(type, x)} if isinstance(x, (list, tuple)) else ():  # few, where parts may be many
        if hasattr(kind, "reading") or issubclass(kind, (list, tuple)) and any(map(holds_node, x)):
            return True
    return False


def is_masked(x: Any) -> bool:
    """Whether this is a masked array; isinstance would have to import numpy.ma, which takes long."""
    return isinstance(x, np.ndarray) and x.__class__ is not np.ndarray and hasattr(type(x), "mask")


def is_real_array(x: Any) -> bool:
    """Whether this is an array, or a number of NumPy, of real numbers, without a mask."""
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub" and not is_masked(x)


def unpacked(sizes: tuple) -> tuple[int, ...]:
    """reshape(2, 3) and reshape((2, 3)) mean the same."""
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], numbers.Integral) else sizes


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """An axis argument of NumPy (None, a number, several) as the sorted tuple of axes that it means."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not ndim and axes in ((0,), (-1,)):  # as NumPy has it
        return ()
    found = tuple(sorted({normalize_axis_index(i, ndim) for i in axes}))
    if len(found) != len(axes):
        raise ValueError(f"axis {axis} names an axis twice")
    return found


def real_number(number: Any) -> float:
    """What a Value holds: any real number, as a float."""
    if isinstance(number, (numbers.Real, np.bool_)):
        return float(number)
    if isinstance(number, np.ndarray):
        raise TypeError(f"a Value is one number, this is an array of shape {number.shape}: use a Tensor for arrays")
    hint = "" if isinstance(number, numbers.Complex) or not hasattr(number, "__float__") else ": use float() of it"
    raise TypeError(f"a node needs a real number, not {number!r} ({type(number).__name__}){hint}")


def value_constant(number: Any) -> Any:
    """What may stand beside a Value: a real number, as a float; NotImplemented for what makes an array of both."""
    if number.__class__ is int or isinstance(number, numbers.Real) or isinstance(number, np.bool_):
        return float(number)
    if isinstance(number, (np.ndarray, list, tuple)) or is_node(number):
        return NotImplemented
    return real_number(number)


def tensor_constant(array: Any) -> Any:
    """What may stand beside a Tensor: a real number as it is, else a real array; NotImplemented for other nodes."""
    if array.__class__ is int and abs(array) >= 2**63:  # NumPy's functions have no such integers
        return float(array)
    if array.__class__ is np.ndarray and array.dtype.kind in "fiub" or array.__class__ in (float, int, bool):
        return array
    if is_node(array) or holds_node(array):
        return NotImplemented
    if isinstance(array, numbers.Number) and not isinstance(array, (complex, np.generic)):  # a Fraction, a Decimal
        return real_number(array)
    return array if isinstance(array, np.generic) and array.dtype.kind in "fiub" else numeric(array)


def numeric(data: Any) -> np.ndarray:
    """Numbers, arrays and lists of them as an array of real numbers."""
    if is_node(data):
        raise TypeError(f"this is a {type(data).__name__} already: use its .data for one without history")
    no_mask((data,))
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"a Tensor needs an array, and this is none: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a Tensor needs real numbers, not {array.dtype} (from {type(data).__name__})")
    return array


def no_mask(given: Iterable) -> None:
    """Refuse a masked array among these, and in what lists and tuples among them hold."""
    for x in given:
        if is_masked(x):
            raise TypeError("a masked array would lose its mask: use .filled(number), or where(mask, ...) on arrays")
        if isinstance(x, (list, tuple)) and not {int, float, bool}.issuperset(map(type, x)):
            no_mask(x)
