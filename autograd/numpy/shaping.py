"""Other shapes, other orders of axes, and arrays that are filled."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as axis_of

from ..arguments import unpacked
from ..meeting import as_array
from ..node import Tensor
from ..operation import OPERATIONS
from .dispatch import blank_of, record


def along(x: Any, axis: Any) -> tuple[Any, int]:
    """x and one axis of it; all elements in a row for None, and of a number, as NumPy has it."""
    row = axis is None or not x.ndim and axis in (0, -1)
    return (x.reshape(-1), 0) if row else (x, axis_of(axis, x.ndim))


def cut(x: Any, axis: int, *places: int | None) -> Any:
    """What stands between two places along an axis: from the first one on, up to the last one."""
    return x[(slice(None),) * axis + (slice(*places),)]


def reshape(a: Tensor, *sizes: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Tensor:
    """As numpy.reshape; one length may be -1.

    A Tensor has no order in memory of its own: the order "A" is "C".
    """
    if sizes and isinstance(sizes[-1], str):
        sizes, order = sizes[:-1], sizes[-1]
    if not sizes and shape is None:
        raise TypeError("reshape: no shape was given")
    if order not in ("C", "F", "A"):
        raise ValueError(f"reshape: the order is one of 'C', 'F' and 'A', not {order!r}")
    lengths = unpacked(sizes if shape is None else (shape,))
    return OPERATIONS["reshape"](a.T, lengths[::-1]).T if order == "F" else OPERATIONS["reshape"](a, lengths)


def transpose(a: Tensor, *order: Any, axes: Any = None) -> Tensor:
    """As numpy.transpose; without an order, in reverse."""
    order = order if axes is None else (axes,)
    order = unpacked(order) if order and order[0] is not None else (*range(a.ndim)[::-1],)
    return OPERATIONS["transpose"](a, tuple(axis_of(i, a.ndim) for i in order))


def broadcast_to(array: Tensor, shape: Any, subok: bool = False) -> Tensor:
    """As numpy.broadcast_to."""
    lengths = unpacked((shape,))
    if len(lengths) < array.ndim:
        raise ValueError(f"broadcast_to: shape {array.shape} has more axes than {lengths}")
    return OPERATIONS["expand"](array, lengths)


def _reshaping(name: str) -> Callable[..., Any]:
    """The function that gives an array the shape that NumPy's function of this name gives it."""
    plain = getattr(np, name)
    return lambda x, *args, **kwargs: x.reshape(plain(np.broadcast_to(0, x.shape), *args, **kwargs).shape)


def _ordering(name: str) -> Callable[..., Any]:
    """The function that orders axes as NumPy's does with an array whose lengths are the numbers of its axes."""
    plain = getattr(np, name)
    return lambda x, *args, **kwargs: x.transpose(plain(np.broadcast_to(0, range(x.ndim)), *args, **kwargs).shape)


moveaxis, rollaxis, matrix_transpose = map(_ordering, ("moveaxis", "rollaxis", "matrix_transpose"))
squeeze, expand_dims = _reshaping("squeeze"), _reshaping("expand_dims")


def _at_least(ndim: int) -> Callable[..., Any]:
    """The function that gives one array, or each of several, axes of length 1."""
    one = _reshaping(f"atleast_{ndim}d")
    return lambda *arys: one(as_array(*arys)) if len(arys) == 1 else tuple(one(as_array(x)) for x in arys)


atleast_1d, atleast_2d, atleast_3d = map(_at_least, (1, 2, 3))


def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0
) -> Any:
    """As numpy.array of a Tensor, of which it is a copy, or of nested lists with nodes in them."""
    np.array(0, order=order)  # or an error
    x = as_array(object)
    x = x if dtype is None or x.dtype == dtype else x.astype(dtype)
    if copy and x is object:
        x = OPERATIONS["alias"](x)
        if type(x) is Tensor:  # and no traced one, which has no numbers yet
            x.number = x.number.copy()
    return x.reshape((1,) * (ndmin - x.ndim) + x.shape) if x.ndim < ndmin else x


def full_like(
    a: Tensor, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, *, shape: Any = None
) -> Any:
    """As numpy.full_like; the gradient goes to `fill_value`, none to `a`."""
    of_node = isinstance(fill_value, Tensor)
    like = np.full_like(blank_of(a), 0 if of_node else fill_value, dtype, order, subok, shape)
    return OPERATIONS["expand"](fill_value.astype(like.dtype), like.shape) if of_node else like


ravel = lambda a, order="C": reshape(a, -1, order="C" if order == "K" else order)  # for the orders see reshape
swapaxes = lambda a, axis1, axis2: OPERATIONS["swapaxes"](a, axis1, axis2)
tril = lambda m, k=0: OPERATIONS["where"](np.tril(np.ones(m.shape[-2:], bool), k), m, 0.0)
triu = lambda m, k=0: OPERATIONS["where"](np.tril(np.ones(m.shape[-2:], bool), k - 1), 0.0, m)
unstack = lambda x, axis=0: tuple(moveaxis(x, axis, 0))
copy = lambda a, order="K", subok=False: array(a, order=order)
asarray, asanyarray = (
    lambda a, dtype=None, order=None, copy=None: array(a, dtype, copy=copy, order=order) for _ in range(2)
)
full = lambda shape, fill_value, dtype=None, order="C": broadcast_to(asarray(fill_value, dtype, order), shape)
ascontiguousarray, asfortranarray = (lambda a, dtype=None: array(a, dtype, copy=False, ndmin=1) for _ in range(2))
astype = lambda x, dtype, *, copy=True: x.astype(dtype)
__all__ = record(globals())
