"""Elementwise functions that are composed of the table's operations, on floats, arrays and nodes alike."""

import functools
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..grammar import fold
from ..meeting import as_array
from ..node import Node
from ..operation import OPERATIONS, Operation, read
from .dispatch import as_nodes, data_of, record

_add, _mul, _div, _where, _equal, _rint = (OPERATIONS[name] for name in "add mul truediv where equal rint".split())

# rows of values alone: what a node is given is recorded word for word, and each word brings its derivatives
COMPOSED_ROWS = """
reciprocal(x)    = 1.0 / x
log_sigmoid(x)   = -softplus(-x)
deg2rad(x)       = x * 0.017453292519943295
rad2deg(x)       = x * 57.29577951308232
trunc(x)         = copysign(floor(abs(x)), x)
fmod(x, y)       = copysign(1.0, x) * (copysign(1.0, x) * x % abs(y))
divmod(x, y)     = (x // y, x % y)
# 1e38 and all above are integers
modf(x)          = (copysign(1.0, x) * (minimum(copysign(1.0, x) * x, 1e38) % 1.0), copysign(floor(abs(x)), x))
# what is no number is not equal to itself
fmax(x, y)       = where(equal(x, x), where(equal(y, y), maximum(x, y), x), y)
fmin(x, y)       = where(equal(x, x), where(equal(y, y), minimum(x, y), x), y)
heaviside(x, y)  = where(equal(x, 0.0), y, 0.5 + 0.5 * sign(1.0 * x))
ldexp(x, y)      = x * exp2(floor(0.5 * y)) * exp2(y - floor(0.5 * y))
logaddexp2(x, y) = logaddexp(x * LN2, y * LN2) / LN2
"""
# masks, which inside jit are recorded like this
MASK_ROWS = """
logical_and(x, y) = not_equal(not_equal(x, 0) * not_equal(y, 0), 0)
logical_or(x, y) = not_equal(maximum(not_equal(x, 0), not_equal(y, 0)), 0)
logical_xor(x, y) = not_equal(not_equal(x, 0), not_equal(y, 0))
logical_not(x)   = equal(x, 0)
isnan(x)         = not_equal(x, x)
isinf(x)         = equal(abs(x), inf)
isfinite(x)      = less(abs(x), inf)
isposinf(x)      = equal(x, inf)
isneginf(x)      = equal(x, -inf)
signbit(x)       = less(copysign(1.0, x), 0.0)
"""
COMPOSED, MASKS = (
    {row.name: row for row in (read(line) for line in rows.splitlines() if "=" in line)}
    for rows in (COMPOSED_ROWS, MASK_ROWS)
)


def composed(row: Operation) -> Callable[..., Any]:
    """The function that records the words of a row instead of the row."""

    @functools.wraps(row, updated=())
    def function(*args: Any) -> Any:
        if len(args) != len(row.names):
            raise TypeError(f"{function.__name__}({', '.join(row.names)}) was given {len(args)} arguments")
        given = {key: np.asarray(x) if isinstance(x, (list, tuple)) else x for key, x in zip(row.names, args)}
        return fold(row.value, given.__getitem__, lambda number: number, recorded)

    def recorded(word: Any, args: list) -> Any:
        return tuple(args) if word == "tuple" else OPERATIONS[word](*args)

    return function


# the branch that is not selected gets no gradient, not even where its derivative is infinite
where = lambda condition, *branches: _where(condition, *branches) if branches else np.nonzero(data_of(condition))


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """As numpy.clip; the gradient at a bound goes to the bound alone, also to one that is no number."""
    low, high = a_min if min is None else min, a_max if max is None else max
    for bound, outside in ((low, "less_equal"), (high, "greater_equal")):
        if bound is not None:
            a = _where(OPERATIONS[outside](a, bound), bound, a)
            if bound.__class__ not in (int, float) or bound != bound:
                a = _where(OPERATIONS["not_equal"](bound, bound), bound, a)
    return a


def sinc(x: Any) -> Any:
    """As numpy.sinc, sin(pi x) / (pi x); its power series near 0, where the quotient's derivatives lose digits."""
    angle = _mul(x, math.pi)
    squared = _mul(angle, angle)
    near = OPERATIONS["less"](squared, 1.0)
    squared, series = _where(near, squared, 0.0), 1.0
    for k in range(12, 0, -1):
        series = _add(1.0, _mul(_mul(squared, -1.0 / (2 * k * (2 * k + 1))), series))
    far = _where(near, 1.0, angle)
    return _where(near, series, _div(OPERATIONS["sin"](far), far))


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """As numpy.piecewise; each function is called with all of x, and its result selected from."""
    shape = getattr(x, "shape", ())
    several = isinstance(condlist, (list, tuple, np.ndarray, Node))
    if several and shape:  # a list of booleans is one mask
        several = as_array(condlist[0]).ndim > 0
    conditions = list(condlist) if several else [condlist]
    if any(as_array(condition).shape != shape for condition in conditions):
        raise IndexError(f"piecewise: a condition is a mask of the shape of x, {shape}")
    if len(funclist) - len(conditions) not in (0, 1):
        given = f"to {len(conditions)} conditions belong as many functions or one more, not {len(funclist)}"
        raise ValueError(f"piecewise: {given}")
    with np.errstate(all="ignore"):  # where a function is not selected its numbers do not matter
        pieces = [f(x, *args, **kw) if callable(f) else f for f in funclist]
    default = _where(False, x, pieces.pop() if len(pieces) > len(conditions) else 0.0)
    return selection(zip(conditions, pieces), default)


def selection(choices: Iterable, default: Any) -> Any:
    """Of pairs of a mask and what is chosen there, where several masks are True of the last one."""
    return functools.reduce(lambda out, choice: _where(*choice, out), choices, default)


_rounded = lambda a, scale: _rint(a) if scale == 1.0 else _div(_rint(_mul(a, scale)), scale)
# the derivative is 0
round = lambda a, decimals=0: _rounded(a, 10.0 ** operator.index(decimals))
_largest = lambda x: float(np.finfo(getattr(x, "dtype", float)).max)
# the gradient is 0 where a number was put in
nan_to_num = lambda x, copy=True, nan=0.0, posinf=None, neginf=None: selection(
    [
        (_equal(x, math.inf), _largest(x) if posinf is None else posinf),
        (_equal(x, -math.inf), -_largest(x) if neginf is None else neginf),
        (OPERATIONS["not_equal"](x, x), nan),
    ],
    x,
)
# by Horner's rule
polyval = lambda p, x: functools.reduce(lambda out, factor: out * x + factor, as_array(p), _where(True, 0.0, x))
float_power = lambda x, y: OPERATIONS["pow"](_mul(x, np.float64(1.0)), y)
_ldexp = composed(COMPOSED.pop("ldexp"))


def ldexp(x: Any, y: Any) -> Any:
    """As numpy.ldexp, x * 2**y; integers y do not widen float32."""
    out = _ldexp(x, y)
    return out.astype(np.float32) if getattr(x, "dtype", None) == np.float32 else out


__all__ = record(globals(), as_given=as_nodes)
