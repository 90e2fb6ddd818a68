"""What words mean on Python floats where math has no function for it, or raises where IEEE 754 has a number."""

import math
import operator
from collections.abc import Callable

import numpy as np


def ieee(fast: Callable, exact: Callable) -> Callable:
    """`fast` from math, and where it raises, NumPy's answer: math.log(0.0) raises, IEEE 754 says -inf."""

    def function(*numbers: float) -> float:
        try:
            return fast(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(exact(*map(float, numbers)))

    return function


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) by the exponential that does not overflow."""
    if x < 0:
        small = math.exp(x)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(-x))


def bell(x: float) -> float:
    """sigmoid(x) * sigmoid(-x) by one exponential."""
    small = math.exp(-abs(x))
    return small / ((1.0 + small) * (1.0 + small))


divide = ieee(operator.truediv, np.true_divide)


def ratio(x: float, y: float) -> float:
    """x / y, 0 where x is 0."""
    return divide(x, y) if x else 0.0


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y)), without overflow."""
    if x == y:  # two equal infinities too
        return x + math.log(2.0)
    high, low = (x, y) if x > y else (y, x)
    return high + math.log1p(math.exp(low - high))


def maximum(x: float, y: float) -> float:
    """The larger one, NaN if x or y is."""
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller one, NaN if x or y is."""
    return x if x < y or x != x else y


def rounded(function: Callable) -> Callable:
    """NumPy's function as one from float to float."""
    return lambda x: float(function(x))
