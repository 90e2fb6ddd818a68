"""Elementwise functions that are composed of the table's operations, on floats, arrays and nodes alike."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..operation import OPERATIONS
from .dispatch import data_of, recorded

_add, _mul, _div, _where, _less, _less_equal, _greater_equal = (
    OPERATIONS[name] for name in "add mul truediv where less less_equal greater_equal".split()
)
_rint, _softplus, _sin, _square, _neg = (OPERATIONS[name] for name in "rint softplus sin square neg".split())


@recorded(of_arrays=False)
def where(condition: Any, *branches: Any) -> Any:
    """As numpy.where; the branch that is not selected gets no gradient, not even where its derivative is infinite."""
    return _where(condition, *branches) if branches else np.nonzero(data_of(condition))


@recorded(of_arrays=False)
def select(condlist: Sequence, choicelist: Sequence, default: Any = 0) -> Any:
    """As numpy.select."""
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(f"select: a choice for each condition, not {len(choicelist)} for {len(condlist)}")
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        out = _where(condition, choice, out)
    return out


@recorded(of_arrays=False)
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return _div(1.0, x)


@recorded(of_arrays=False)
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """As numpy.clip; the gradient at a bound goes to the bound alone."""
    low, high = a_min if min is None else min, a_max if max is None else max
    out = x
    if low is not None:
        out = _where(_less_equal(x, low), low, out)
    if high is not None:
        out = _where(_greater_equal(out, high), high, out)
    return out


@recorded(of_arrays=False)
def round(x: Any, decimals: int = 0) -> Any:
    """As numpy.round; the derivative is 0."""
    return _div(_rint(_mul(x, 10.0**decimals)), 10.0**decimals) if decimals else _rint(x)


@recorded(of_arrays=False)
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without overflow."""
    return _neg(_softplus(_neg(x)))


@recorded(of_arrays=False)
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
