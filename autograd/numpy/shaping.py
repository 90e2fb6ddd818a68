"""Functions that move elements: other shapes, other orders, parts, and arrays put together.

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
from .dispatch import recorded


@recorded()
def reshape(x: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """As numpy.reshape; one length may be -1."""
    return OPERATIONS["reshape"](x, unpacked(sizes if shape is None else (shape,)))


@recorded()
def ravel(x: Tensor) -> Tensor:
    """As numpy.ravel."""
    return x.reshape(-1)


@recorded()
def transpose(x: Tensor, *order: Any, axes: Any = None) -> Tensor:
    """As numpy.transpose; without an order, in reverse."""
    order = unpacked(order if axes is None else (axes,)) if order != (None,) else ()
    order = order or tuple(reversed(range(x.ndim)))
    if sorted(i % x.ndim if -x.ndim <= i < x.ndim else -1 for i in order) != list(range(x.ndim)):
        raise ValueError(f"transpose: {order} is no order of the {x.ndim} axes of shape {x.shape}")
    return OPERATIONS["transpose"](x, tuple(i % x.ndim for i in order))


@recorded()
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """As numpy.swapaxes."""
    return OPERATIONS["swapaxes"](x, axis1, axis2)


@recorded()
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """As numpy.moveaxis."""
    numbered = np.broadcast_to(0, range(x.ndim))  # an array whose lengths are the numbers of its axes
    return x.transpose(np.moveaxis(numbered, source, destination).shape)


@recorded()
def broadcast_to(x: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """As numpy.broadcast_to."""
    return OPERATIONS["expand"](x, unpacked(sizes if shape is None else (shape,)))


def _reshaping(name: str) -> Callable[..., Any]:
    """The function that gives an array the shape that NumPy's function of this name gives it."""
    plain = getattr(np, name)

    def function(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return x.reshape(plain(np.broadcast_to(0, x.shape), *args, **kwargs).shape)

    function.__name__, function.__doc__ = name, f"As numpy.{name}."
    return recorded()(function)


def _moving(name: str) -> Callable[..., Any]:
    """The function that moves elements as NumPy's of this name does, found by letting it move their numbers."""
    plain = getattr(np, name)

    def function(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: only its first argument may be a Tensor")
        return x.ravel()[plain(np.arange(x.size).reshape(x.shape), *args, **kwargs)]

    function.__name__, function.__doc__ = name, f"As numpy.{name}."
    return recorded()(function)


def _splitting(name: str) -> Callable[..., Any]:
    """The function that cuts an array as NumPy's function of this name does."""
    plain = getattr(np, name)

    def function(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        axis = axes_of(axis, x.ndim)[0]
        pieces = plain(np.arange(x.shape[axis]), indices_or_sections)
        return [
            x[(slice(None),) * axis + (slice(*piece[[0, -1]] + [0, 1]) if piece.size else slice(0),)]
            for piece in pieces
        ]

    function.__name__, function.__doc__ = name, f"As numpy.{name}."
    return recorded()(function)


squeeze, expand_dims = _reshaping("squeeze"), _reshaping("expand_dims")
atleast_1d, atleast_2d, atleast_3d = map(_reshaping, ("atleast_1d", "atleast_2d", "atleast_3d"))
repeat, tile, take, delete, diagonal = map(_moving, ("repeat", "tile", "take", "delete", "diagonal"))
roll, flip, fliplr, flipud, rot90 = map(_moving, ("roll", "flip", "fliplr", "flipud", "rot90"))
split, array_split = _splitting("split"), _splitting("array_split")


@recorded()
def take_along_axis(x: Tensor, indices: np.ndarray, axis: int | None = -1) -> Tensor:
    """As numpy.take_along_axis."""
    numbers = np.arange(x.size).reshape(x.shape)
    return x.ravel()[np.take_along_axis(numbers, np.asarray(indices), axis)]


@recorded()
def diag(x: Tensor, k: int = 0) -> Tensor:
    """As numpy.diag: the diagonal of a matrix, or a matrix with this diagonal."""
    if x.ndim == 2:
        return diagonal(x, k)
    places = np.nonzero(np.diag(np.ones(x.shape), k))
    return OPERATIONS["scatter"](x, places, (x.size + abs(k),) * 2)


@recorded()
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """As numpy.trace."""
    return diagonal(x, offset, axis1, axis2).sum(-1)


@recorded()
def tril(x: Tensor, k: int = 0) -> Tensor:
    """As numpy.tril."""
    return OPERATIONS["where"](np.tril(np.ones(x.shape[-2:], bool), k), x, 0.0)


@recorded()
def triu(x: Tensor, k: int = 0) -> Tensor:
    """As numpy.triu."""
    return OPERATIONS["where"](np.tril(np.ones(x.shape[-2:], bool), k - 1), 0.0, x)


@recorded()
def pad(x: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """As numpy.pad, in the modes constant, edge, reflect, symmetric and wrap."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: the mode {mode!r} is not differentiated here")
    if mode != "constant":
        return _moving("pad")(x, pad_width, mode)
    filled = np.pad(np.zeros(x.shape, x.dtype), pad_width, constant_values=constant_values)
    inside = np.nonzero(np.pad(np.ones(x.shape, bool), pad_width))
    return OPERATIONS["where"](
        np.pad(np.zeros(x.shape, bool), pad_width, constant_values=True),
        filled,
        OPERATIONS["scatter"](x.ravel(), inside, filled.shape),
    )


@recorded()
def array(x: Tensor, dtype: Any = None) -> Tensor:
    """As numpy.array, also of nested lists with nodes in them."""
    return asarray(x, dtype)


@recorded()
def asarray(x: Tensor, dtype: Any = None) -> Tensor:
    """As numpy.asarray, also of nested lists with nodes in them."""
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


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
def concatenate(arrays: Sequence, axis: int | None = 0) -> Any:
    """As numpy.concatenate: pairs are joined, then pairs of pairs, so that n arrays cost n log n."""
    parts = [x.reshape(-1) if axis is None else x for x in operands(arrays)]
    if len({part.ndim for part in parts}) != 1:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ValueError(f"concatenate: the arrays differ in their number of axes: {shapes}")
    if axis is not None and not -parts[0].ndim <= axis < parts[0].ndim:
        raise ValueError(f"concatenate: arrays of shape {parts[0].shape} have no axis {axis}")
    return joined(parts, (axis or 0) % parts[0].ndim)


@recorded(of_lists=True)
def stack(arrays: Sequence, axis: int = 0) -> Any:
    """As numpy.stack."""
    parts = operands(arrays)
    if len({part.shape for part in parts}) != 1:
        raise ValueError(f"stack: the arrays differ in shape: {', '.join(str(part.shape) for part in parts)}")
    shape = parts[0].shape
    axis = axes_of(axis, len(shape) + 1)[0]
    return concatenate([part.reshape(*shape[:axis], 1, *shape[axis:]) for part in parts], axis)


@recorded(of_lists=True)
def vstack(arrays: Sequence) -> Any:
    """As numpy.vstack."""
    return concatenate([atleast_2d(part) for part in operands(arrays)])


@recorded(of_lists=True)
def hstack(arrays: Sequence) -> Any:
    """As numpy.hstack."""
    parts = [atleast_1d(part) for part in operands(arrays)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@recorded(of_lists=True)
def column_stack(arrays: Sequence) -> Any:
    """As numpy.column_stack."""
    parts = operands(arrays)
    return concatenate([part if part.ndim > 1 else part.reshape(-1, 1) for part in parts], 1)
