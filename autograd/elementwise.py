"""Elementwise functions that are composed of the table's operations, on floats, arrays and nodes alike."""

import math
from typing import Any

from .operation import OPERATIONS

_add, _mul, _div, _where, _less, _less_equal, _greater_equal = (
    OPERATIONS[name] for name in "add mul truediv where less less_equal greater_equal".split()
)
_rint, _softplus, _sin, _square, _neg = (OPERATIONS[name] for name in "rint softplus sin square neg".split())


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return _div(1.0, x)


def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """As numpy.clip; the gradient at a bound goes to the bound alone."""
    low, high = a_min if min is None else min, a_max if max is None else max
    out = x
    if low is not None:
        out = _where(_less_equal(x, low), low, out)
    if high is not None:
        out = _where(_greater_equal(out, high), high, out)
    return out


def round(x: Any, decimals: int = 0) -> Any:
    """As numpy.round; the derivative is 0."""
    return _div(_rint(_mul(x, 10.0**decimals)), 10.0**decimals) if decimals else _rint(x)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without overflow."""
    return _neg(_softplus(_neg(x)))


def sinc(x: Any) -> Any:
    """As numpy.sinc, sin(pi x) / (pi x); its power series near 0, where the quotient's derivatives lose digits."""
    near = _less(_square(x), 0.1)
    angle = _mul(x, math.pi)
    squared = _square(_where(near, angle, 0.0))
    series = 1.0
    for k in range(12, 0, -1):
        series = _add(1.0, _mul(_mul(squared, -1.0 / (2 * k * (2 * k + 1))), series))
    far = _where(near, 1.0, angle)
    return _where(near, series, _div(_sin(far), far))
