"""The table read on mpmath's numbers: values and derivatives that are right, from a row's value alone.

Derivatives are differences of the value with so many digits that nothing is lost, so a wrong pullback cannot agree with
itself. Digits are doubled until two results agree.
"""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from mpmath import mp, mpf

from autograd.grammar import fold
from autograd.operation import BUILT_IN, Operation

STEP = mpf(10) ** -40  # of a difference: this part of an argument, or of 1 where that is less
ENOUGH = mpf(10) ** -25  # how near two results must be
NOTHING = mpf(10) ** -400  # what is smaller is 0 in any dtype
DIFFERENCES: dict[int, dict[int, float]] = {0: {0: 1}, 1: {1: 0.5, -1: -0.5}, 2: {1: 1, 0: -2, -1: 1}}

WORDS: dict[str, Callable] = {
    **{name: getattr(mp, name) for name in "sqrt exp expm1 log log1p sin cos tan sinh cosh tanh hypot sign".split()},
    **{f"arc{name}": getattr(mp, f"a{name}") for name in "sin cos tan sinh cosh tanh".split()},
    "arctan2": mp.atan2,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "truediv": lambda x, y: x / y,
    "pow": mp.power,
    "neg": lambda x: -x,
    "abs": abs,
    "scaled": lambda x, y: x * y if x else mpf(0),
    "ratio": lambda x, y: x / y if x else mpf(0),
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "cbrt": lambda x: mp.cbrt(x) if x >= 0 else -mp.cbrt(-x),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "bell": lambda x: 1 / (2 + 2 * mp.cosh(x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "mod": lambda x, y: x - mp.floor(x / y) * y,
    "copysign": lambda x, y: abs(x) if y > 0 else -abs(x),
    "maximum": max,
    "minimum": min,
}


def value(operation: Operation, *args: Any) -> Any:
    """The row's value on mpmath's numbers, with the digits of the moment."""

    def call(word: str, given: list) -> Any:
        return WORDS[word](*given) if word in WORDS else value(BUILT_IN[word], *given)

    return fold(operation.value, dict(zip(operation.names, args)).__getitem__, mp.mpmathify, call)


def derivative(f: Callable, point: Sequence[float], orders: Sequence[int]) -> Any:
    """The derivative of f of these orders by its arguments, to 25 digits; None where it is not a real number."""
    before: Any = None
    # the steps must not be lost beside the arguments, nor beside what f makes of them
    sizes = [80 + round(abs(math.log10(abs(x) or 1))) for x in point]
    digits = 100 + sum(size * max(1, n) for size, n in zip(sizes, orders))
    while digits < 10_000:
        with mp.workdps(digits):
            try:
                found = _difference(f, [mpf(x) for x in point], orders)
            except (ZeroDivisionError, ValueError):
                return None
            if not isinstance(found, mpf) or not mp.isfinite(found):
                return None
            agree = before is not None and abs(found - before) <= ENOUGH * abs(found)
            if agree or before is not None and max(abs(found), abs(before)) < NOTHING:
                return found
        before, digits = found, 2 * digits
    raise AssertionError(f"no limit at {point}")


def _difference(f: Callable, point: Sequence, orders: Sequence[int]) -> Any:
    steps = [min(abs(x) or 1, 1) * STEP for x in point]
    total, scale = mpf(0), mp.fprod(h**n for h, n in zip(steps, orders))
    for stencil in product(*(DIFFERENCES[n].items() for n in orders)):
        moved = [x + k * h for x, h, (k, _) in zip(point, steps, stencil)]
        total += mp.fprod(weight for _, weight in stencil) * f(*moved)
    return total / scale


def units(found: Any, exact: Any) -> float:
    """How far a number is from an exact one, in units of the last place that this has in the number's dtype."""
    limits = np.finfo(found.dtype)
    with np.errstate(over="ignore"):
        rounded = found.dtype.type(float(exact))
    if np.isnan(found):
        return math.inf
    if np.isinf(rounded) or np.isinf(found):  # infinity stands where the largest number would be exceeded
        return (
            0.0
            if rounded == found
            else float(abs(np.clip(rounded, limits.min, limits.max) / limits.max - np.sign(found)) / limits.eps)
        )
    return float(abs(mpf(float(found)) - exact) / mpf(float(np.spacing(np.minimum(abs(rounded), limits.max / 2)))))
