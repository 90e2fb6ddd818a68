"""Functions along axes: sums, means, extremes, products, running sums, sorting, and what is composed of them.

What stands after the axis and the dtype is given by name.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as axis_of

from ..arguments import axes_of, is_node
from ..meeting import as_array
from ..node import Tensor, kinds
from ..on_arrays import count
from ..operation import OPERATIONS, Operation
from .dispatch import data_of, record
from .moving import concatenate
from .shaping import along, broadcast_to, cut

_where, _concatenate = OPERATIONS["where"], OPERATIONS["concatenate"]


def without(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape that a reduction leaves."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes)


def rows(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """x with what stands along these axes in its last one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    return x.transpose(*kept, *axes).reshape(*(x.shape[i] for i in kept), count(x.shape, axes))


def selected(x: Any, dtype: Any = None, where: Any = True, other: Any = None, kinds: str = "fiu") -> Any:
    """x in a dtype of these kinds, floats if there is no other, and another number where the mask is False."""
    if x.__class__ is Tensor and dtype is None and where is True:  # most calls
        return x
    x = as_array(x)
    if dtype is None and kinds == "f" and x.dtype.kind != "f":
        dtype = float  # sums of integers might overflow
    x = x if dtype is None else x.astype(dtype)
    if dtype is not None and x.dtype.kind not in kinds:
        raise TypeError(f"dtype= is of {'floats' if kinds == 'f' else 'numbers'} here, not {x.dtype}")
    if where is True:
        return x
    mask = as_array(where)
    if mask.dtype != bool:
        raise TypeError(f"where= is a mask of booleans, not of {mask.dtype}")
    if np.broadcast_shapes(mask.shape, x.shape) != x.shape:
        raise ValueError(f"where= is of shape {mask.shape}, the array of shape {x.shape}")
    return _where(mask, x, _number(other, x.dtype))


def _reducing(name: str) -> Callable[..., Any]:
    """A row that reduces, with NumPy's arguments."""
    row = OPERATIONS[name]

    def function(x: Tensor, axis=None, *, keepdims=False) -> Tensor:
        if axis is None and not keepdims:
            return row(x, None)
        axes = axes_of(axis, x.ndim)
        out = row(x, axes)
        return out if keepdims or not axes else out.reshape(without(x.shape, axes, False))

    return function


def _folding(fold: Callable, nothing: float, join: Operation) -> Callable[..., Any]:
    """A sum or product: of nothing it is this number, and `join` puts two parts together."""

    def function(a: Tensor, axis=None, dtype=None, *, keepdims=False, initial=None, where=True) -> Tensor:
        out = fold(selected(a, dtype, where, nothing), axis, keepdims=keepdims)
        return out if initial is None else join(out, _number(initial, out.dtype))

    return function


def _number(initial: Any, dtype: Any) -> Any:
    """One number as it stands beside others of this dtype."""
    if as_array(initial).ndim:
        raise ValueError(f"initial= is one number, not {initial!r}")
    number = as_array(initial).astype(dtype)
    return number if is_node(number) else number.item()


def _product(x: Tensor, axis: Any, *, keepdims: bool) -> Tensor:
    """A tree of products of halves, whose derivatives are right where elements are 0."""
    axes = axes_of(axis, x.ndim)
    shape, x = without(x.shape, axes, keepdims), rows(x, axes)
    while (n := x.shape[-1]) > 1:
        half = n // 2
        product = x[..., :half] * x[..., half : 2 * half]
        x = _concatenate(product, x[..., 2 * half :], x.ndim - 1) if n % 2 else product
    # a product of nothing is 1, and has a history all the same
    return x.reshape(shape) if n else _sum(x, -1).reshape(shape) + 1


def _extreme(name: str, pick: Operation) -> Callable[..., Any]:
    """The largest or smallest elements; equal ones share the gradient."""
    reduced = _reducing(name)

    def function(a: Tensor, axis=None, *, keepdims=False, initial=None, where=True) -> Tensor:
        if initial is None and where is not True:
            raise ValueError(f"{name}: where= leaves nothing to choose from in places: give initial=, too")
        x = selected(a, None, where, initial)
        if initial is None:
            return reduced(x, axis, keepdims=keepdims)
        if not count(x.shape, axes_of(axis, x.ndim)):
            return sum(x, axis, keepdims=keepdims, initial=initial)
        return pick(reduced(x, axis, keepdims=keepdims), _number(initial, x.dtype))

    return function


_sum, _mean, norm, logsumexp = map(_reducing, ("sum", "mean", "norm", "logsumexp"))
sum, prod = _folding(_sum, 0.0, OPERATIONS["add"]), _folding(_product, 1.0, OPERATIONS["mul"])
max, min = _extreme("max", OPERATIONS["maximum"]), _extreme("min", OPERATIONS["minimum"])
softmax = lambda x, axis=-1: OPERATIONS["softmax"](x, axes_of(axis, x.ndim))
log_softmax = lambda x, axis=-1: OPERATIONS["log_softmax"](x, axes_of(axis, x.ndim))


def mean(a: Tensor, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Tensor:
    """As numpy.mean."""
    x = selected(a, dtype, kinds="f")
    if where is True:
        return _mean(x, axis, keepdims=keepdims)
    return sum(x, axis, keepdims=keepdims, where=where) / _counted(x, axis, keepdims, where)


def _counted(x: Tensor, axis: Any, keepdims: bool, where: Any) -> Any:
    """How many elements a reduction puts together."""
    if where is True:
        return count(x.shape, axes_of(axis, x.ndim))
    return sum(_where(where, np.ones(x.shape, x.dtype), 0.0), axis, keepdims=keepdims)


def _of_deviations(name: str, size: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The size of the deviations from the mean: in two passes, so that a large offset costs no digits."""

    def function(
        a: Tensor, axis=None, dtype=None, *, ddof=0, keepdims=False, where=True, mean=None, correction=None
    ) -> Tensor:
        if correction is not None and ddof:
            raise ValueError(f"{name}: ddof and correction are two names for the same number: give one of them")
        x = selected(a, dtype, kinds="f")
        centre = _means(x, axis, keepdims=True, where=where) if mean is None else mean
        n = _counted(x, axis, keepdims, where) - float(ddof if correction is None else correction)
        return size(selected(x - centre, dtype, where, 0.0), OPERATIONS["maximum"](n, 0), axis, keepdims)

    return function


_means = mean
var = _of_deviations("var", lambda x, n, axis, keepdims: sum(x * x, axis, keepdims=keepdims) / n)
# by the norm, whose gradient for equal elements is 0
std = _of_deviations("std", lambda x, n, axis, keepdims: norm(x, axis, keepdims=keepdims) / OPERATIONS["sqrt"](n))


def scanned(operation: str, x: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """An associative operation on all elements up to each, in doubling steps (Hillis and Steele 1986)."""
    x, axis = along(selected(x, dtype, kinds="f" if operation == "logaddexp" else "fiu"), axis)
    step = 1
    while step < x.shape[axis]:
        both = OPERATIONS[operation](cut(x, axis, None, -step), cut(x, axis, step, None))
        x = _concatenate(cut(x, axis, step), both, axis)
        step *= 2
    return x


ediff1d = lambda ary, to_end=None, to_begin=None: concatenate(
    [part for part in (to_begin, diff(ary.reshape(-1)), to_end) if part is not None], None, dtype=ary.dtype
)
cumsum = lambda a, axis=None, dtype=None: OPERATIONS["cumsum"](*along(selected(a, dtype), axis))
cumprod = lambda a, axis=None, dtype=None: scanned("mul", a, axis, dtype)  # derivatives are right at elements of 0


def sort(a: Tensor, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Tensor:
    """As numpy.sort (stable, whatever the kind); an element's gradient goes to the place it came from."""
    np.sort(np.empty(0), kind=kind, order=order, stable=stable)  # or an error
    x, axis = along(a, axis)
    return OPERATIONS["sorted_as"](x, x, axis)


def partition(a: Tensor, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Tensor:
    """As numpy.partition, inside jit in the order of sort; an element's gradient goes to the place it came from."""
    x, axis = along(a, axis)
    if kinds.tracing:
        return sort(x, axis)
    return OPERATIONS["unsorted_as"](sort(x, axis), np.partition(data_of(x), kth, axis, kind, order), axis)


def diff(a: Tensor, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """As numpy.diff."""
    if operator.index(n) < 0:
        raise ValueError(f"diff: n is how often differences are taken, not {n}")
    if not n:
        return a
    axis = axis_of(axis, a.ndim)
    edge = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    parts = [as_array(part) for part in (prepend, a, append) if part is not None]
    x = concatenate([part if part.ndim else broadcast_to(part, edge) for part in parts], axis)
    while n and x.shape[axis]:
        x, n = cut(x, axis, 1, None) - cut(x, axis, None, -1), n - 1
    return x


def unwrap(p: Tensor, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """As numpy.unwrap; each element moves by a multiple of the period, so its gradient is its own."""
    p = as_array(p)
    axis = axis_of(axis, p.ndim)
    step = diff(p, axis=axis, prepend=cut(p, axis, 1))
    jump = (step + period / 2) % period - period / 2 - step
    # a step of exactly half a period upwards stays one
    jump = _where((step + jump == -period / 2) & (step > 0), jump + period, jump)
    small = abs(step) < (period / 2 if discont is None else discont)
    return p + cumsum(_where(small, 0.0, jump), axis)


__all__ = record(globals())
