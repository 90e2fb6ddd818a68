"""Other shapes, other orders of axes, and arrays put together.

The first argument is a Tensor, or a list with Tensors in it. Names and arguments are NumPy's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import axes_of, unpacked
from ..meeting import as_array as operand
from ..meeting import as_arrays as operands
from ..meeting import joined
from ..node import Tensor
from ..operation import OPERATIONS
from .dispatch import called, recorded


def floats(x: Any) -> Any:
    """A Tensor or an array of floats."""
    x = operand(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def along(x: Any, axis: Any) -> tuple[Any, int]:
    """x and one axis of it; all elements in a row for None."""
    return (x.reshape(-1), 0) if axis is None else (x, axes_of(axis, x.ndim)[0])


@recorded()
def reshape(a: Tensor, *sizes: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Tensor:
    """As numpy.reshape; one length may be -1.

    A Tensor has no order in memory of its own: the orders "A" and "K" are "C".
    """
    if sizes and isinstance(sizes[-1], str):
        sizes, order = sizes[:-1], sizes[-1]
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"the order is one of 'C', 'F', 'A' and 'K', not {order!r}")
    lengths = unpacked(sizes if shape is None else (shape,))
    return OPERATIONS["reshape"](a.T, lengths[::-1]).T if order == "F" else OPERATIONS["reshape"](a, lengths)


@recorded()
def ravel(a: Tensor, order: str = "C") -> Tensor:
    """As numpy.ravel; for the orders see reshape."""
    return reshape(a, -1, order=order)


@recorded()
def transpose(a: Tensor, *order: Any, axes: Any = None) -> Tensor:
    """As numpy.transpose; without an order, in reverse."""
    order = unpacked(order if axes is None else (axes,)) if order != (None,) else ()
    order = order or tuple(reversed(range(a.ndim)))
    if sorted(i % a.ndim if -a.ndim <= i < a.ndim else -1 for i in order) != list(range(a.ndim)):
        raise ValueError(f"transpose: {order} is no order of the {a.ndim} axes of shape {a.shape}")
    return OPERATIONS["transpose"](a, tuple(i % a.ndim for i in order))


@recorded()
def swapaxes(a: Tensor, axis1: int, axis2: int) -> Tensor:
    """As numpy.swapaxes."""
    return OPERATIONS["swapaxes"](a, axis1, axis2)


@recorded()
def broadcast_to(array: Tensor, *sizes: Any, shape: Any = None, subok: bool = False) -> Tensor:
    """As numpy.broadcast_to."""
    return OPERATIONS["expand"](array, unpacked(sizes if shape is None else (shape,)))


def _reshaping(name: str) -> Callable[..., Any]:
    """The function that gives an array the shape that NumPy's function of this name gives it."""
    plain = getattr(np, name)

    def function(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return x.reshape(plain(np.broadcast_to(0, x.shape), *args, **kwargs).shape)

    return called(name, function)


def _ordering(name: str) -> Callable[..., Any]:
    """The function that orders axes as NumPy's function of this name does."""
    plain = getattr(np, name)

    def function(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        numbered = np.broadcast_to(0, range(x.ndim))  # an array whose lengths are the numbers of its axes
        return x.transpose(plain(numbered, *args, **kwargs).shape)

    return called(name, function)


moveaxis, rollaxis, matrix_transpose = map(_ordering, ("moveaxis", "rollaxis", "matrix_transpose"))
squeeze, expand_dims = _reshaping("squeeze"), _reshaping("expand_dims")


def _of_each(name: str) -> Callable[..., Any]:
    """The function of this name, of one array, or of several for a tuple of results."""
    reshaped = _reshaping(name)

    def function(*arys: Any) -> Any:
        results = tuple(reshaped(operand(x)) for x in arys)
        return results[0] if len(results) == 1 else results

    return called(name, function)


atleast_1d, atleast_2d, atleast_3d = map(_of_each, ("atleast_1d", "atleast_2d", "atleast_3d"))


@recorded()
def tril(m: Tensor, k: int = 0) -> Tensor:
    """As numpy.tril."""
    return OPERATIONS["where"](np.tril(np.ones(m.shape[-2:], bool), k), m, 0.0)


@recorded()
def triu(m: Tensor, k: int = 0) -> Tensor:
    """As numpy.triu."""
    return OPERATIONS["where"](np.tril(np.ones(m.shape[-2:], bool), k - 1), 0.0, m)


@recorded()
def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0
) -> Any:
    """As numpy.array of a Tensor, or of nested lists with nodes in them."""
    x = operand(object)
    x = x if dtype is None or x.dtype == dtype else x.astype(dtype)
    return x.reshape((1,) * (ndmin - x.ndim) + x.shape) if x.ndim < ndmin else x


@recorded()
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, *, shape: Any = None
) -> Any:
    """As numpy.full_like; the gradient goes to `fill_value`, none to `a`."""
    a = operand(a)
    like = np.broadcast_to(np.zeros((), a.dtype), a.shape)
    if not isinstance(fill_value, Tensor):
        return np.full_like(like, fill_value, dtype, order, subok, shape)
    like = np.full_like(like, 0, dtype, order, subok, shape)
    return broadcast_to(fill_value.astype(like.dtype), like.shape)


@recorded(of_lists=True)
def concatenate(arrays: Sequence, axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """As numpy.concatenate: pairs are joined, then pairs of pairs, so that n arrays cost n log n."""
    parts = [x.reshape(-1) if axis is None else x for x in operands(arrays)]
    if len({part.ndim for part in parts}) != 1:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ValueError(f"concatenate: the arrays differ in their number of axes: {shapes}")
    if axis is not None and not -parts[0].ndim <= axis < parts[0].ndim:
        raise ValueError(f"concatenate: arrays of shape {parts[0].shape} have no axis {axis}")
    if dtype is not None:  # or NumPy's error, if this would be another casting
        dtype = np.concatenate([np.empty(0, part.dtype) for part in parts], dtype=dtype, casting=casting).dtype
        parts = [part.astype(dtype) for part in parts]
    return joined(parts, (axis or 0) % parts[0].ndim)


@recorded(of_lists=True)
def stack(arrays: Sequence, axis: int = 0, **options: Any) -> Any:
    """As numpy.stack."""
    parts = operands(arrays)
    if len({part.shape for part in parts}) != 1:
        raise ValueError(f"stack: the arrays differ in shape: {', '.join(str(part.shape) for part in parts)}")
    shape = parts[0].shape
    axis = axes_of(axis, len(shape) + 1)[0]
    return concatenate([part.reshape(*shape[:axis], 1, *shape[axis:]) for part in parts], axis, **options)


@recorded(of_lists=True)
def hstack(tup: Sequence, **options: Any) -> Any:
    """As numpy.hstack."""
    parts = [atleast_1d(part) for part in operands(tup)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, **options)


def _joining(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return called(name, function, of_lists=True)


vstack = _joining("vstack", lambda tup, **options: concatenate([atleast_2d(x) for x in operands(tup)], **options))
dstack = _joining("dstack", lambda tup: concatenate([atleast_3d(x) for x in operands(tup)], 2))
column_stack = _joining(
    "column_stack",
    lambda tup: concatenate([x if x.ndim > 1 else x.reshape(-1, 1) for x in operands(tup)], 1),
)
unstack = called("unstack", lambda x, axis=0: tuple(moveaxis(x, axis, 0)))
full = called("full", lambda shape, fill_value, dtype=None, order="C": broadcast_to(array(fill_value, dtype), shape))
asarray, asanyarray, asfortranarray = (
    called(name, lambda a, dtype=None, order=None, copy=None: array(a, dtype))
    for name in ("asarray", "asanyarray", "asfortranarray")
)
ascontiguousarray = called("ascontiguousarray", lambda a, dtype=None: array(a, dtype, ndmin=1))
astype = called("astype", lambda x, dtype, *, copy=True: x.astype(dtype))
copy = called("copy", lambda a, order="K", subok=False: OPERATIONS["alias"](array(a)))
