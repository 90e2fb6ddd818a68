"""THE table: an operation is one row of text, its value and one pullback per argument, written as mathematics.

    name(arguments; static) = value | pullback of the first argument | of the second ...

In a pullback `g` is the gradient of the result, `out` the result, and the arguments are the operation's own. What
follows the semicolon (a shape, an axis, an index) is never differentiated, nor is an argument without a pullback. Rows
without any are recorded all the same, so that a graph can be run again on other numbers.

Three conventions keep the rows short:

- A gradient may be larger than its argument, as broadcasting made it: the sweep sums it back (backward.py).
- `g * d` is exactly 0 where g is 0, also where d is inf or NaN: a branch that was not selected passes nothing. A factor
  that is always finite, such as a mask, is written first: `mask * g` is the plain product.
- `/`, `**` and the functions follow IEEE 754 on Python floats as on arrays: 1 / 0 is inf, log(-1) is NaN.

Below the table stand the few words that NumPy and math do not have, in their reading for floats and for arrays.
"""

import math
import operator
from collections.abc import Callable
from functools import lru_cache

import numpy as np

ELEMENTWISE = """
add(x, y)       = x + y                 | g                              | g
sub(x, y)       = x - y                 | g                              | -g
mul(x, y)       = x * y                 | g * y                          | g * x
truediv(x, y)   = x / y                 | g * (1 / y)                    | g * (-out / y)
pow(x, y)       = x ** y                | g * scaled(y, x ** (y - 1))    | g * scaled(out, log(x))
scaled(x, y)    = scaled(x, y)          | g * y                          | scaled(x, g)
neg(x)          = -x                    | -g
abs(x)          = abs(x)                | g * sign(x)
square(x)       = x * x                 | g * (2.0 * x)
sqrt(x)         = sqrt(x)               | g * (0.5 / out)
exp(x)          = exp(x)                | g * out
expm1(x)        = expm1(x)              | g * exp(x)
log(x)          = log(x)                | g * (1 / x)
log1p(x)        = log1p(x)              | g * (1 / (1 + x))
sin(x)          = sin(x)                | g * cos(x)
cos(x)          = cos(x)                | g * -sin(x)
tan(x)          = tan(x)                | g * (1 + out * out)
arcsin(x)       = arcsin(x)             | g * (1 / sqrt((1 - x) * (1 + x)))
arccos(x)       = arccos(x)             | g * (-1 / sqrt((1 - x) * (1 + x)))
arctan(x)       = arctan(x)             | g * (1 / (1 + x * x))
sinh(x)         = sinh(x)               | g * cosh(x)
cosh(x)         = cosh(x)               | g * sinh(x)
tanh(x)         = tanh(x)               | g * (1 - out * out)
sigmoid(x)      = sigmoid(x)            | g * (out * (1 - out))
softplus(x)     = softplus(x)           | g * sigmoid(x)
relu(x)         = maximum(x, 0.0)       | greater(x, 0.0) * g
maximum(x, y)   = maximum(x, y)         | wins(x, y) * g                 | wins(y, x) * g
minimum(x, y)   = minimum(x, y)         | wins(y, x) * g                 | wins(x, y) * g
where(m, x, y)  = where(m, x, y)        |                                | where(m, g, 0.0) | where(m, 0.0, g)
sign(x)         = sign(x)
greater(x, y)   = greater(x, y)
less(x, y)      = less(x, y)
equal(x, y)     = equal(x, y)
wins(x, y)      = wins(x, y)
alias(x)        = x                     | g
"""

ARRAY = """
sum(x; axis)           = sum(x, axis)              | expand(g, x.shape)
mean(x; axis)          = mean(x, axis)             | expand(g / count(x.shape, axis), x.shape)
max(x; axis)           = max(x, axis)              | g * ties(x, out, axis)
min(x; axis)           = min(x, axis)              | g * ties(x, out, axis)
norm(x; axis)          = norm(x, axis)             | g * scaled(x, 1 / out)
logsumexp(x; axis)     = logsumexp(x, axis)        | g * exp(x - out)
ties(x, y; axis)       = ties(x, y, axis)
matmul(x, y)           = matmul(x, y)              | matmul(g, y.mT)            | matmul(x.mT, g)
affine(x, y, b)        = matmul(x, y) + b          | matmul(g, y.mT)            | matmul(x.mT, g)   | g
reshape(x; shape)      = x.reshape(shape)          | g.reshape(x.shape)
transpose(x; axes)     = x.transpose(axes)         | g.transpose(inverse(axes))
swapaxes(x; i, j)      = x.swapaxes(i, j)          | g.swapaxes(i, j)
expand(x; shape)       = expand(x, shape)          | sum_to(g, x.shape)
sum_to(x; shape)       = sum_to(x, shape)          | expand(g, x.shape)
getitem(x; index)      = x[index]                  | scatter(g, index, x.shape)
scatter(x; index, shape) = scatter(x, index, shape) | g[index]
concatenate(x, y; axis) = concatenate(x, y, axis)  | g[head(x.shape, axis)]     | g[tail(x.shape, axis)]
cast(x; dtype)         = x.astype(dtype)           | cast(g, x.dtype)
"""


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


def _float_maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _float_minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


FLOATS = {
    **{name: _ieee(getattr(math, name), getattr(np, name)) for name in "exp expm1 log log1p sqrt sin cos tan sinh cosh".split()},
    "arcsin": _ieee(math.asin, np.arcsin),
    "arccos": _ieee(math.acos, np.arccos),
    "arctan": math.atan,
    "tanh": math.tanh,
    "truediv": _ieee(operator.truediv, np.true_divide),
    "pow": _ieee(math.pow, np.power),
    "abs": abs,
    "sigmoid": _float_sigmoid,
    "softplus": lambda x: _float_maximum(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "maximum": _float_maximum,
    "minimum": _float_minimum,
    "where": lambda m, x, y: x if m else y,
    "sign": lambda x: float((x > 0) - (x < 0)) if x == x else x,
    "greater": lambda x, y: 1.0 if x > y else 0.0,
    "less": lambda x, y: 1.0 if x < y else 0.0,
    "equal": lambda x, y: 1.0 if x == y else 0.0,
    "wins": lambda x, y: 1.0 if x > y else 0.0 if x < y else 0.5,
    "scaled": lambda x, y: x * y if x else 0.0,
}


def _mask(compare: Callable) -> Callable:
    """A comparison as 1 and 0 in the dtype of its arguments: a float mask multiplies faster than a boolean one."""

    def mask(x, y):
        dtype = x.dtype if y.__class__ is float else np.result_type(x, y)
        return compare(x, y).astype(dtype if dtype.kind == "f" else float)

    return mask


def _array_wins(x, y):
    return 0.5 + 0.5 * (ARRAYS["greater"](x, y) - ARRAYS["less"](x, y))


def _array_scaled(x, y):
    out = x * y
    product = np.vdot(out, out)  # a sum of squares is NaN only if an element is: one cheap pass finds the rare case
    return np.where(x == 0, 0.0, out) if product != product else out


def _array_sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _sum(x, axis):
    """Over all axes (None) to a number, over some to an array that keeps them with length 1, as every reduction here."""
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
    return x.dot(y) if x.ndim == y.ndim == 2 else x @ y  # dot has half the overhead on small matrices


def _expand(x, shape):
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


def sum_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum x over the axes along which an array of this shape was broadcast to x's: the adjoint of expand."""
    lead = x.ndim - len(shape)
    if x.shape[lead:] == shape:
        return np.add.reduce(x, 0 if lead == 1 else tuple(range(lead)))
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


@lru_cache(maxsize=1024)
def count(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    """How many elements a reduction along these axes puts together."""
    return math.prod(shape if axis is None else [shape[i] for i in axis])


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation of axes that undoes this one."""
    return tuple(axes.index(i) for i in range(len(axes)))


def head(shape: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """The index of the part of a concatenated array that came from a first array of this shape."""
    return (slice(None),) * axis + (slice(None, shape[axis]),)


def tail(shape: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """The index of the part of a concatenated array that follows a first array of this shape."""
    return (slice(None),) * axis + (slice(shape[axis], None),)


SHAPES = {"count": count, "inverse": inverse, "head": head, "tail": tail}  # on shapes: the same in every reading

ARRAYS = {
    **{name: getattr(np, name) for name in "exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan".split()},
    **{name: getattr(np, name) for name in "sinh cosh tanh abs maximum minimum where sign".split()},
    **SHAPES,
    "truediv": np.true_divide,
    "pow": np.power,
    "sigmoid": _array_sigmoid,
    "softplus": lambda x: np.logaddexp(x, 0.0, dtype=x.dtype),
    "greater": _mask(np.greater),
    "less": _mask(np.less),
    "equal": _mask(np.equal),
    "wins": _array_wins,
    "scaled": _array_scaled,
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
    "concatenate": lambda x, y, axis: np.concatenate((x, y), axis),
    "cast": lambda x, dtype: x.astype(dtype),
}
