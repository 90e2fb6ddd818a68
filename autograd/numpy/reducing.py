"""Functions along axes: sums, means, extremes, products, running sums, sorting, and what is composed of them.

The first argument is a Tensor. Names and arguments are NumPy's; what stands after the axis is given by name.
"""

import math
from typing import Any

from ..arguments import axes_of
from ..node import Tensor
from ..on_arrays import count
from ..operation import OPERATIONS
from .dispatch import recorded


def _reduced(name: str, x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    if axis is None and not keepdims:
        return OPERATIONS[name](x, None)
    axes = axes_of(axis, x.ndim)
    out = OPERATIONS[name](x, axes)
    return out if keepdims or not axes else out.reshape(_without(x.shape, axes, False))


def _without(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes)


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else x.astype(dtype)


@recorded()
def sum(x: Tensor, axis: Any = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """As numpy.sum."""
    return _reduced("sum", _as(x, dtype), axis, keepdims)


@recorded()
def mean(x: Tensor, axis: Any = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """As numpy.mean."""
    return _reduced("mean", _as(x, dtype), axis, keepdims)


@recorded()
def max(x: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """As numpy.max; equal elements share the gradient."""
    return _reduced("max", x, axis, keepdims)


@recorded()
def min(x: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """As numpy.min; equal elements share the gradient."""
    return _reduced("min", x, axis, keepdims)


@recorded()
def norm(x: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """The square root of the sum of squares; its gradient at 0 is 0."""
    return _reduced("norm", x, axis, keepdims)


@recorded()
def logsumexp(x: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes, without overflow."""
    return _reduced("logsumexp", x, axis, keepdims)


@recorded()
def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """log(softmax(x)) over an axis, without overflow."""
    return OPERATIONS["log_softmax"](x, axes_of(axis, x.ndim))


@recorded()
def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """exp(x) / sum(exp(x)) over an axis, without overflow."""
    return OPERATIONS["softmax"](x, axes_of(axis, x.ndim))


@recorded()
def var(x: Tensor, axis: Any = None, *, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """As numpy.var, by deviations from the mean (two passes, so a large offset costs no digits)."""
    x, axes = _as(x, dtype), axes_of(axis, x.ndim)
    deviation = x - mean(x, axes, keepdims=True)
    return sum(deviation * deviation, axes, keepdims=keepdims) / _freedom(x, axes, ddof)


@recorded()
def std(x: Tensor, axis: Any = None, *, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """As numpy.std; its gradient for equal elements is 0."""
    x, axes = _as(x, dtype), axes_of(axis, x.ndim)
    deviation = x - mean(x, axes, keepdims=True)
    return norm(deviation, axes, keepdims=keepdims) / math.sqrt(_freedom(x, axes, ddof))


def _freedom(x: Tensor, axes: tuple[int, ...], ddof: int) -> int:
    n = count(x.shape, axes) - ddof
    return n if n > 0 else 0


@recorded()
def prod(x: Tensor, axis: Any = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """As numpy.prod, as a tree of products of halves, whose derivatives are right where elements are 0."""
    x, axes = _as(x, dtype), axes_of(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    shape, n = _without(x.shape, axes, keepdims), count(x.shape, axes)
    x = x.transpose(*kept, *axes).reshape(*(x.shape[i] for i in kept), n)
    if n == 0:
        return x.sum(-1).reshape(shape) + 1.0  # a product of nothing; so it has a history all the same
    while n > 1:
        half = n // 2
        product = x[..., :half] * x[..., half : 2 * half]
        x = OPERATIONS["concatenate"](product, x[..., 2 * half :], len(kept)) if n % 2 else product
        n -= half
    return x.reshape(shape)


def _along(x: Tensor, axis: Any) -> tuple[Tensor, int]:
    """x and one axis of it; all elements in a row for None."""
    return (x.reshape(-1), 0) if axis is None else (x, axes_of(axis, x.ndim)[0])


@recorded()
def cumsum(x: Tensor, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """As numpy.cumsum."""
    return OPERATIONS["cumsum"](*_along(_as(x, dtype), axis))


@recorded()
def cumprod(x: Tensor, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """As numpy.cumprod, by doubling steps (Hillis and Steele 1986): derivatives are right at elements of 0."""
    x, axis = _along(_as(x, dtype), axis)
    before, step = (slice(None),) * axis, 1
    while step < x.shape[axis]:
        product = x[(*before, slice(step, None))] * x[(*before, slice(None, -step))]
        x = OPERATIONS["concatenate"](x[(*before, slice(None, step))], product, axis)
        step *= 2
    return x


@recorded()
def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """As numpy.sort (stable); an element's gradient goes to the place it came from."""
    x, axis = _along(x, axis)
    return OPERATIONS["sorted_as"](x, x, axis)


@recorded()
def diff(x: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """As numpy.diff."""
    axis = axes_of(axis, x.ndim)[0]
    before = (slice(None),) * axis
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x
