"""The words that the table's rows are written in, on Python floats (FLOATS) and on arrays (ARRAYS).

Most are NumPy's and math's own. Those on floats follow IEEE 754 where Python would raise.
"""

import math
import operator
from collections.abc import Callable
from functools import lru_cache

import numpy as np

CONSTANTS = {"LN2": math.log(2.0), "LN10": math.log(10.0)}


def _ieee(fast: Callable, exact: Callable) -> Callable:
    """`fast` from math, and where it raises, NumPy's answer: math.log(0.0) raises, IEEE 754 says -inf."""

    def function(*numbers: float) -> float:
        try:
            return fast(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(exact(*map(float, numbers)))

    return function


def _float_sigmoid(x: float) -> float:
    if x < 0:
        small = math.exp(x)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(-x))


_divide = _ieee(operator.truediv, np.true_divide)


def _float_ratio(x: float, y: float) -> float:
    return _divide(x, y) if x else 0.0


def _float_logaddexp(x: float, y: float) -> float:
    if x == y:  # two equal infinities too
        return x + CONSTANTS["LN2"]
    high, low = (x, y) if x > y else (y, x)
    return high + math.log1p(math.exp(low - high))


def _float_maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _float_minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _rounded(function: Callable) -> Callable:
    return lambda x: float(function(x))


FLOATS = {
    **{
        name: _ieee(getattr(math, name), getattr(np, name))
        for name in "exp expm1 log log1p sqrt sin cos tan sinh cosh".split()
    },
    **{name: _ieee(getattr(math, name), getattr(np, name)) for name in "exp2 log2 log10 cbrt hypot".split()},
    **{
        name: _ieee(getattr(math, name.replace("arc", "a")), getattr(np, name))
        for name in "arcsinh arccosh arctanh arctan2".split()
    },
    **{name: _rounded(getattr(np, name)) for name in "floor ceil rint".split()},
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "arcsin": _ieee(math.asin, np.arcsin),
    "arccos": _ieee(math.acos, np.arccos),
    "arctan": math.atan,
    "tanh": math.tanh,
    "truediv": _divide,
    "pow": _ieee(math.pow, np.power),
    "abs": abs,
    "sigmoid": _float_sigmoid,
    "softplus": lambda x: _float_maximum(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "logaddexp": _float_logaddexp,
    "maximum": _float_maximum,
    "minimum": _float_minimum,
    "where": lambda m, x, y: x if m else y,
    "sign": lambda x: float((x > 0) - (x < 0)) if x == x else x,
    "greater": lambda x, y: 1.0 if x > y else 0.0,
    "less": lambda x, y: 1.0 if x < y else 0.0,
    "equal": lambda x, y: 1.0 if x == y else 0.0,
    "greater_equal": lambda x, y: 1.0 if x >= y else 0.0,
    "less_equal": lambda x, y: 1.0 if x <= y else 0.0,
    "not_equal": lambda x, y: 1.0 if x != y else 0.0,
    "wins": lambda x, y: 1.0 if x > y else 0.0 if x < y else 0.5,
    "scaled": lambda x, y: x * y if x else 0.0,
    "ratio": _float_ratio,
}


def _array_wins(x, y):
    half = np.result_type(x, y).type(0.5)
    return half + half * np.subtract(x > y, x < y, dtype=half.dtype)


def _unless_zero(function: Callable) -> Callable:
    """A product or quotient that is 0 where its first argument is, whatever the second."""

    def guarded(x, y):
        out = function(x, y)
        product = np.vdot(out, out)  # a sum of squares is NaN only if an element is: one cheap pass finds the rare case
        return np.where(x == 0, 0.0, out) if product != product else out

    return guarded


def _array_sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _sum(x, axis):
    """Over all axes (None) to a number, over some to an array that keeps them with length 1, as all do here."""
    return np.add.reduce(x, axis, None, None, axis is not None)


def _mean(x, axis):
    wide = np.float32 if x.dtype == np.float16 else None  # as numpy.mean does
    total = np.add.reduce(x, axis, wide, None, axis is not None)
    return (total if wide is None else total.astype(x.dtype)) / count(x.shape, axis)


def _logsumexp(x, axis):
    largest = np.maximum.reduce(x, axis, None, None, axis is not None, -np.inf)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        return np.log(_sum(np.exp(x - largest), axis)) + largest


def _ties(x, extreme, axis):
    """The share of each element in the maximum: 1 / k where k elements are equal to it, 0 elsewhere."""
    equal = x == extreme
    with np.errstate(invalid="ignore", divide="ignore"):
        return (equal / np.add.reduce(equal, axis, float, None, True)).astype(x.dtype)


def _matmul(x, y):
    # dot has half the overhead on small matrices; of a matrix of one zero BLAS makes zeros, also out of NaN
    return x.dot(y) if x.ndim == y.ndim == 2 and x.size != 1 != y.size else x @ y


def _expand(x, shape):
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


MOST_ONES = 4096  # longer arrays gain nothing, and are not kept


@lru_cache(maxsize=64)
def _ones(n: int) -> np.ndarray:
    return np.ones(n)


def sum_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum x over the axes along which an array of this shape was broadcast to x's: the adjoint of expand."""
    lead = x.ndim - len(shape)
    if x.shape[lead:] == shape:
        if lead == 1 and x.ndim == 2 and len(x) <= MOST_ONES and x.dtype is np.dtype(float):
            return _ones(len(x)).dot(x)  # a third of the time of a reduction where arrays are small
        return np.add.reduce(x, tuple(range(lead)))
    ones = tuple(lead + i for i, n in enumerate(shape) if n == 1)
    return np.add.reduce(x, (*range(lead), *ones), None, None, True).reshape(shape)


def _scatter(x, index, shape):
    """Zeros with x added at an index, an element more than once if the index names it so: the adjoint of x[index]."""
    out = np.zeros(shape, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts):
        out[index] = x  # a basic index names no element twice
    else:
        np.add.at(out, index, x)
    return out


def _unsorted_as(x, y, axis):
    """The elements of x back in the places from which the elements of y come when they are sorted."""
    out = np.empty_like(x)
    np.put_along_axis(out, np.argsort(y, axis, kind="stable"), x, axis)
    return out


def _cofactor(x):
    """det(x) * inv(x).mT by singular values, so that it is right where x is singular too."""
    u, s, vt = np.linalg.svd(x)
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(s.shape[-1])], -1)
    return np.linalg.det(u @ vt)[..., None, None] * ((u * others[..., None, :]) @ vt)


@lru_cache(maxsize=1024)
def count(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    """How many elements a reduction along these axes puts together."""
    return math.prod(shape if axis is None else [shape[i] for i in axis])


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


# what concerns shapes alone is the same in every reading
SHAPES = {
    "count": count,
    "inverse": inverse,
    "head": head,
    "tail": tail,
    "half_lower": half_lower,
    "backwards": backwards,
}

ARRAYS = {
    **{name: getattr(np, name) for name in "exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan".split()},
    **{
        name: getattr(np, name)
        for name in "sinh cosh tanh arcsinh arccosh arctanh abs maximum minimum where sign".split()
    },
    **{name: getattr(np, name) for name in "greater less equal greater_equal less_equal not_equal".split()},
    **{
        name: getattr(np, name)
        for name in "exp2 log2 log10 cbrt hypot arctan2 logaddexp floor ceil rint cumsum flip".split()
    },
    **{name: getattr(np.linalg, name) for name in "solve inv det".split()},
    "cholesky": lambda x: np.linalg.cholesky(0.5 * (x + x.mT)),
    **SHAPES,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "pow": np.power,
    "neg": np.negative,
    "getitem": operator.getitem,
    "reshape": np.reshape,
    "transpose": np.transpose,
    "swapaxes": np.swapaxes,
    "sigmoid": _array_sigmoid,
    "softplus": lambda x: np.logaddexp(x, 0.0, dtype=x.dtype),
    "wins": _array_wins,
    "scaled": _unless_zero(operator.mul),
    "ratio": _unless_zero(operator.truediv),
    "sum": _sum,
    "mean": _mean,
    "max": lambda x, axis: np.maximum.reduce(x, axis, None, None, axis is not None),
    "min": lambda x, axis: np.minimum.reduce(x, axis, None, None, axis is not None),
    "norm": lambda x, axis: np.sqrt(_sum(x * x, axis)),
    "logsumexp": _logsumexp,
    "ties": _ties,
    "matmul": _matmul,
    "expand": _expand,
    "sum_to": sum_to,
    "scatter": _scatter,
    "sorted_as": lambda x, y, axis: np.take_along_axis(x, np.argsort(y, axis, kind="stable"), axis),
    "unsorted_as": _unsorted_as,
    "detsign": lambda x: np.linalg.slogdet(x)[0],
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "cofactor": _cofactor,
    "concatenate": lambda x, y, axis: np.concatenate((x, y), axis),
    "cast": lambda x, dtype: x.astype(dtype),
}
