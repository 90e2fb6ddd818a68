"""What words mean on arrays where NumPy has no function for it, and what they ask about shapes."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .blocks import LARGE, in_blocks, with_squares
from .users import REFUSED

__warningregistry__ = REFUSED  # users.py
_add: Callable = np.add.reduce
_maximum: Callable = np.maximum.reduce
_minimum: Callable = np.minimum.reduce
Axes = tuple[int, ...] | None  # of a reduction; None is all of them, to a number


def wins(x: Any, y: Any) -> Any:
    """1 where x is larger, 0 where y is, a half each where they are equal or NaN."""
    half = np.result_type(x, y).type(0.5)
    return half + half * np.subtract(x > y, x < y, dtype=half.dtype)


def unless(nothing: Callable, function: Callable) -> Callable:
    """A product or quotient that is 0 where nothing(x, y) says so, also where another factor is infinite or NaN."""

    def guarded(x, y):
        if x.__class__ is float and x:
            return function(x, y)
        # a sum of squares is NaN only if an element is: one cheap pass finds the rare case
        if y.__class__ is np.ndarray and y.size > LARGE and (found := with_squares(function, x, y)):
            out, squares = found
        else:
            out = function(x, y)
            squares = np.vdot(out, out) if out.ndim else out
        return np.where(nothing(x, y), 0.0, out) if squares != squares else out

    return guarded


def not_selected(x: Any, y: Any) -> Any:
    """Where x is 0, or y a mask that is False: a product with a mask is a selection."""
    return (x == 0) | np.logical_not(y) if np.result_type(y).kind == "b" else x == 0


scaled, ratio = unless(not_selected, np.multiply), unless(lambda x, y: x == 0, np.true_divide)


def lowered(x: Any, y: Any) -> Any:
    """y * x ** (y - 1), 0 where y is 0."""
    less = y - 1
    if np.ndim(y) == 0 and y and less + 1 == y:
        return x**less * y  # one array of memory, not two
    return _lowered(x, y)


@in_blocks
def _lowered(x: Any, y: Any) -> Any:
    return scaled(y, x ** (y - 1)) * regained(x, y)


def regained(x: Any, y: Any) -> Any:
    """x to the power of what y - 1 was rounded by."""
    lost, dtype = np.where(np.isfinite(y), y - (y - 1 + 1), 0), np.result_type(x, y)
    if not lost.any():
        return np.ones(np.broadcast(x, y).shape, dtype)
    return 1 + scaled(lost.astype(dtype), np.log(x, dtype=dtype))


@in_blocks
def powlog(x: Any, y: Any) -> Any:
    """x ** y * log(x), 0 where the power is 0."""
    out = x**y
    return scaled(out, np.log(x, dtype=out.dtype))


@in_blocks
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) by the exponential that does not overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


@in_blocks
def bell(x: Any) -> Any:
    """sigmoid(x) * sigmoid(-x) by one exponential."""
    small = np.exp(-np.abs(x))
    return small / np.square(1.0 + small)


def total(x: np.ndarray, axis: Axes) -> Any:
    """Over all axes (None) to a number, over some to an array that keeps them with length 1, as all do here."""
    return _add(x, axis, None, None, axis is not None)


def largest(x: np.ndarray, axis: Axes) -> Any:
    """The largest elements along axes."""
    return _maximum(x, axis, None, None, axis is not None)


def smallest(x: np.ndarray, axis: Axes) -> Any:
    """The smallest elements along axes."""
    return _minimum(x, axis, None, None, axis is not None)


def mean(x: np.ndarray, axis: Axes) -> Any:
    """The sum over axes, divided once."""
    if x.dtype == np.float16:
        return (_add(x, axis, np.float32, None, axis is not None) / count(x.shape, axis)).astype(x.dtype)
    return _add(x, axis, None, None, axis is not None) / count(x.shape, axis)


def norm(x: np.ndarray, axis: Axes) -> Any:
    """The square root of the sum of squares, of scaled elements where these overflow, or underflow and lose digits."""
    with np.errstate(over="ignore"):
        out, limits = np.sqrt(total(x * x, axis)), np.finfo(x.dtype)
    if x.size and not math.sqrt(limits.tiny / limits.eps) < out.min() <= out.max() < math.inf:
        scale = largest(np.abs(x), axis)
        scale = np.where((scale > 0) & (scale < math.inf), scale, scale.dtype.type(1))
        out = scale * np.sqrt(total(np.square(x / scale), axis))
    return out


def top(x: np.ndarray, axis: Axes) -> Any:
    """The largest elements along axes, -inf where there are none."""
    return _maximum(x, axis, None, None, axis is not None, -np.inf)


def _from_top(x: np.ndarray, axis: Axes) -> tuple[Any, Any, Any, Any]:
    """top, from_top, exp of that, and others, as the table has them."""
    keep, wide = axis is not None, np.promote_types(x.dtype, np.float32)  # 70,000 ones overflow float16
    largest = top(x, axis)
    with np.errstate(invalid="ignore", over="ignore"):
        less = np.where(x == np.inf, x.dtype.type(0), x - largest) if np.any(largest == np.inf) else x - largest
    powers, ties = np.exp(less), less == 0
    others = _add(np.where(ties, powers.dtype.type(0), powers), axis, wide, None, keep)
    return largest, less, powers, others + (_add(ties, axis, wide, None, keep) - wide.type(1))


def logsumexp(x: np.ndarray, axis: Axes) -> Any:
    """log(sum(exp(x))) over axes."""
    largest, _, _, others = _from_top(x, axis)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(largest), largest + np.log1p(others), largest).astype(x.dtype, copy=False)


def softmax(x: np.ndarray, axis: Axes) -> Any:
    """exp(x) / sum(exp(x)) over axes."""
    _, _, powers, others = _from_top(x, axis)
    return (powers / (1 + others)).astype(x.dtype, copy=False)


def log_softmax(x: np.ndarray, axis: Axes) -> Any:
    """log(softmax(x)) over axes."""
    _, less, _, others = _from_top(x, axis)
    return (less - np.log1p(others)).astype(x.dtype, copy=False)


def ties(x: np.ndarray, extreme: Any, axis: Axes) -> np.ndarray:
    """The share of each element in the maximum: 1 / k where k elements are equal to it, 0 elsewhere."""
    equal = (x == extreme) | (x != x)  # a NaN is every extreme
    with np.errstate(invalid="ignore", divide="ignore"):
        return (equal / _add(equal, axis, float, None, True)).astype(x.dtype)


def matmul(x: np.ndarray, y: np.ndarray) -> Any:
    """The product of matrices, or of stacks of them."""
    # dot has half the overhead on small matrices; of a matrix of one zero BLAS makes zeros, also out of NaN
    return x.dot(y) if x.ndim == y.ndim == 2 and x.size != 1 != y.size else x @ y


def expand(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A copy that is broadcast to a shape; of one number a view, where that is large."""
    if x.size == 1 and math.prod(shape) > LARGE:
        return np.broadcast_to(x.reshape(()), shape)
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


MOST_ONES = 4096  # longer arrays gain nothing, and are not kept


@lru_cache(maxsize=64)
def ones(n: int) -> np.ndarray:
    """An array of ones that is kept."""
    return np.ones(n)


def sum_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum x over the axes along which an array of this shape was broadcast to x's: the adjoint of expand."""
    lead = x.ndim - len(shape)
    if x.shape[lead:] == shape:
        if lead == 1 and x.ndim == 2 and len(x) <= MOST_ONES and x.dtype is np.dtype(float):
            return ones(len(x)).dot(x)  # a third of the time of a reduction where arrays are small
        return _add(x, tuple(range(lead)))
    stretched = tuple(lead + i for i, n in enumerate(shape) if n == 1)
    return _add(x, (*range(lead), *stretched), keepdims=True).reshape(shape)


def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros with x added at an index, an element more than once if the index names it so: the adjoint of x[index]."""
    out = np.zeros(shape, x.dtype)
    if basic_parts(index) is not None:
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


def basic_parts(index: Any) -> tuple | None:
    """The parts of an index that names a view, and no element twice; None for another one."""
    parts = index if isinstance(index, tuple) else (index,)
    return parts if all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts) else None


def refusal(n: int, index: str = "an index") -> str:
    """What is said of an index that is none of n elements."""
    return n.refusal if isinstance(n, Length) else f"{index} is out of bounds for an axis of length {n}"


class Length(int):
    """The length of an axis, and what is to be said of an index beyond it."""

    refusal = ""

    @classmethod
    def of(cls, n: int, refusal: str) -> "Length":
        """A length of n."""
        found = cls(n)
        found.refusal = refusal
        return found


def bounded(i: Any, n: int) -> np.ndarray:
    """An index into n elements, as NumPy counts them, as a place from 0 to n - 1; IndexError for what is none."""
    i = np.asarray(i)
    place = i.astype(np.intp)
    wrong = (place != i) | (place < -n) | (place >= n)
    if wrong.any():
        raise IndexError(refusal(n, f"index {i[wrong][0]}"))
    return np.where(place < 0, place + n, place)


def scatter_add(x: Any, i: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros with rows of x added at places along the first axis, more than once if i names one so."""
    width = math.prod(shape[1:])
    out = np.zeros(shape[0] * width, x.dtype)
    # element by element, from memory in order: a sixth of the time of np.add.at on rows
    np.add.at(out, (i[..., None] * width + np.arange(width)).reshape(-1), np.ascontiguousarray(x).reshape(-1))
    return out.reshape(shape)


def unsorted_as(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """The elements of x back in the places from which the elements of y come when they are sorted."""
    out = np.empty_like(x)
    np.put_along_axis(out, np.argsort(y, axis, kind="stable"), x, axis)
    return out


def _all_but_one(x: np.ndarray) -> np.ndarray:
    return np.where(np.eye(x.shape[-1]), x.dtype.type(1), x[..., None, :]).prod(-1)


def _scales(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Powers of 2 by which rows and columns of x have sizes near 1, x by these, and what they make of its cofactors.

    Of a matrix that is not finite that is zeros, and NaN, since it has no singular values.
    """
    one, finite = x.dtype.type(1), np.isfinite(x).all((-2, -1), keepdims=True)
    x = np.where(finite, x, 0)
    rows = np.ldexp(one, np.frexp(np.abs(x).max(-1, initial=0))[1])
    columns = np.ldexp(one, np.frexp(np.abs(x / rows[..., None]).max(-2, initial=0))[1])
    scales = rows[..., None] * columns[..., None, :]
    made = _all_but_one(rows)[..., None] * _all_but_one(columns)[..., None, :]
    return scales, x / scales, np.where(finite, made, np.nan)


def cofactor(x: np.ndarray) -> np.ndarray:
    """det(x) * inv(x).mT by singular values, so that it is right where x is singular too."""
    _, scaled, made = _scales(x)  # singular values lose what is small beside the largest one
    u, s, vt = np.linalg.svd(scaled)
    return made * (np.linalg.det(u @ vt)[..., None, None] * ((u * _all_but_one(s)[..., None, :]) @ vt))


def minors(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The derivative of cofactor(x) in the direction y, by singular values: of a diagonal x the minors are products."""
    scales, scaled, made = _scales(x)
    u, s, vt = np.linalg.svd(scaled)
    one = np.eye(s.shape[-1], dtype=s.dtype)
    others = np.where(one[:, None] + one, 1, s[..., None, None, :]).prod(-1) * (1 - one)  # of all but two
    turned = u.mT @ (y / scales) @ vt.mT
    diagonal = others @ np.diagonal(turned, 0, -2, -1)[..., None]
    return made * (np.linalg.det(u @ vt)[..., None, None] * (u @ (one * diagonal - others * turned.mT) @ vt))


@lru_cache(maxsize=1024)
def count(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    """How many elements a reduction along these axes puts together."""
    return math.prod(shape if axis is None else [shape[i] for i in axis])


def share(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> float:
    """What each element has in a mean along these axes; NaN where there is none."""
    return 1.0 / (count(shape, axis) or math.nan)


def half_lower(shape: tuple[int, ...]) -> np.ndarray:
    """Ones below the diagonal of a matrix of this shape, halves on it."""
    return np.tril(np.ones(shape[-2:])) - 0.5 * np.eye(shape[-1])


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation of axes that undoes this one."""
    return tuple(axes.index(i) for i in range(len(axes)))


def head(shape: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """The index of the part of a concatenated array that came from a first array of this shape."""
    return (slice(None),) * axis + (slice(None, shape[axis]),)


def tail(shape: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """The index of the part of a concatenated array that follows a first array of this shape."""
    return (slice(None),) * axis + (slice(shape[axis], None),)


def backwards(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of an array of this shape in reverse order."""
    return tuple(range(len(shape)))[::-1]
