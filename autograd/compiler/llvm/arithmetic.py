"""What functions of numbers are made of: polynomials, bits and exponents of numbers, halves of their digits.

They are read on NumPy's arrays, and on what writes LLVM's text (lanes.py). A product that is added to may be rounded
first or not, as the processor likes best.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LN2, INF = math.log(2), math.inf


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The sum of coefficients[k] * x ** k: the even and the odd powers each by Horner's scheme, at the same time."""
    square = x * x
    even, odd = (functools.reduce(lambda total, c: total * square + c, coefficients[i::2][::-1]) for i in (0, 1))
    return even + x * odd


def odd(r: Any, coefficients: Sequence[float]) -> Any:
    """r + r * z * polynomial(z), with z = r * r."""
    z = r * r
    return r + r * z * polynomial(z, coefficients)


def bits(x: Any) -> Any:
    """The number as it is stored, as an unsigned integer."""
    return x.view(f"u{x.dtype.itemsize}")


def bits_of(number: float, dtype: np.dtype) -> int:
    """The same of a number that is known."""
    return int(bits(np.array(number, dtype)))


def whole_bits(n: Any, offset: int = 0) -> Any:
    """An integer with the last bits of n + offset, where n is whole."""
    return bits(n + (1.5 * 2.0 ** np.finfo(n.dtype).nmant + offset))


def power_of_two(n: Any) -> Any:
    """2 ** n for whole n, where that is a normal number; any number elsewhere."""
    limits = np.finfo(n.dtype)
    return (whole_bits(n, limits.maxexp - 1) << limits.nmant).view(n.dtype)


def scaled(x: Any, n: Any) -> Any:
    """x * 2 ** n, rounded once, also where that overflows or is subnormal."""
    limits = np.finfo(n.dtype)
    exponents = whole_bits(n, 2 * limits.maxexp - 2)
    half = exponents >> 1
    return x * (half << limits.nmant).view(n.dtype) * ((exponents - half) << limits.nmant).view(n.dtype)


def split(x: Any) -> tuple[Any, Any]:
    """e and m for x = m * 2 ** e with m between sqrt(1 / 2) and sqrt(2), where x is positive and normal."""
    limits = np.finfo(x.dtype)
    one, least, whole = (bits_of(c, x.dtype) for c in (1, math.sqrt(0.5), 2.0**limits.nmant))
    moved = bits(x) + (one - least)
    e = (moved >> limits.nmant | whole).view(x.dtype) - (2.0**limits.nmant + limits.maxexp - 1)
    return e, ((moved & (2**limits.nmant - 1)) + least).view(x.dtype)


def split_all(x: Any) -> tuple[Any, Any]:
    """The same where x may also be subnormal."""
    limits = np.finfo(x.dtype)
    tiny, lift = float(limits.tiny), limits.nmant + 1
    e, m = split(np.where(x < tiny, x * 2.0**lift, x))
    return np.where(x < tiny, e - lift, e), m


def coarse(x: Any) -> Any:
    """x with half of its digits, so that products of two such numbers are exact."""
    keep = 2 ** (8 * x.dtype.itemsize) - 2 ** (np.finfo(x.dtype).nmant // 2 + 1)
    return (bits(x) & keep).view(x.dtype)


def unless_tiny(x: Any, y: Any) -> Any:
    """y, but x where that is what a function with slope 1 at 0 is near it; -0.0 stays so."""
    return np.where(abs(x) < 0.25 * float(np.finfo(x.dtype).eps), x, y)
