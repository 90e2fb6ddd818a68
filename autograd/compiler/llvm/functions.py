"""Functions of numbers as arithmetic without branches, for NumPy's arrays, and for LLVM's text (lanes.py).

An argument is brought to a small interval, where a polynomial is near enough, and the result is put together with the
bits of an exponent: Muller 2016, Elementary Functions.
"""

import math
from typing import Any

import numpy as np

from .arithmetic import INF, LN2, coarse, polynomial, power_of_two, scaled, split, split_all, unless_tiny
from .constants import CONSTANTS


def _exponential(x: Any, more: Any = -0.0) -> tuple[Any, Any]:
    """n and e ** r - 1 for x + more = n * ln(2) + r, with x moved to where e ** x begins to be 0 or inf."""
    of, low, high = CONSTANTS[x.dtype], _lowest(x.dtype), (np.finfo(x.dtype).maxexp + 1.25) * LN2
    x = np.where(x < low, low, np.where(x > high, high, x))
    n = np.rint(x * (1 / LN2))
    r = x - n * of.ln2[0] - n * of.ln2[1] + more
    return n, r + r * r * polynomial(r, of.exp)


def _lowest(dtype: Any) -> float:
    """Where e ** x begins to be 0."""
    limits = np.finfo(dtype)
    return (limits.minexp - limits.nmant - 2) * LN2


def exp(x: Any) -> Any:
    """e ** x"""
    nothing = x < _lowest(x.dtype)  # of -inf too, as masks have it; a product that underflows takes processors long
    n, rest = _exponential(np.where(nothing, 0.0, x))
    return np.where(nothing, 0.0, scaled(1 + rest, n))


def exp2(x: Any) -> Any:
    """2 ** x"""
    limits = np.finfo(x.dtype)
    low, high = limits.minexp - limits.nmant - 2.0, limits.maxexp + 1.0
    x = np.where(x < low, low, np.where(x > high, high, x))
    n = np.rint(x)
    r = (x - n) * LN2
    return scaled(1 + (r + r * r * polynomial(r, CONSTANTS[x.dtype].exp)), n)


def _half_expm1(x: Any) -> Any:
    """(e ** x - 1) / 2, which overflows later."""
    n, rest = _exponential(x)
    n = np.where(n < -99, -99.0, n)
    quarter = power_of_two(n - 2)
    return 2 * (quarter * rest + (quarter - 0.25))


def expm1(x: Any) -> Any:
    """e ** x - 1"""
    return unless_tiny(x, 2 * _half_expm1(x))


def sinh(x: Any) -> Any:
    """(e ** x - e ** -x) / 2"""
    half = _half_expm1(abs(x))
    return unless_tiny(x, np.copysign(half * (1 + 1 / (2 * half + 1)), x))


def cosh(x: Any) -> Any:
    """(e ** x + e ** -x) / 2"""
    half = _half_expm1(abs(x)) + 0.5
    return half + 0.25 / half


def tanh(x: Any) -> Any:
    """(1 - e ** (-2 * x)) / (1 + e ** (-2 * x))"""
    half = _half_expm1(-abs(2 * x))
    return unless_tiny(x, np.copysign(half / (half + 1), x))


def _log_near_1(f: Any) -> Any:
    """log(1 + f), for 1 + f between sqrt(1 / 2) and sqrt(2); of s = f / (2 + f) it is an odd function."""
    s = f / (2 + f)
    z = s * s
    return f - s * (f - 2 * z * polynomial(z, CONSTANTS[f.dtype].log))


def _ends(x: Any, log: Any) -> Any:
    """log, but what logarithms are where x is no positive number."""
    log = np.where(x < INF, log, x)  # inf and NaN
    return np.where(x < 0, math.nan, np.where(x == 0, -INF, log))


def log(x: Any) -> Any:
    """The natural logarithm."""
    e, m = split_all(x)
    high, low = CONSTANTS[x.dtype].ln2
    return _ends(x, e * high + (e * low + _log_near_1(m - 1)))


def log2(x: Any) -> Any:
    """The logarithm to the base 2."""
    e, m = split_all(x)
    return _ends(x, _log_near_1(m - 1) * (1 / LN2) + e)


def log10(x: Any) -> Any:
    """The logarithm to the base 10."""
    e, m = split_all(x)
    high, low = CONSTANTS[x.dtype].log10_2
    return _ends(x, e * high + (e * low + _log_near_1(m - 1) * (1 / math.log(10))))


def log1p(x: Any) -> Any:
    """log(1 + x), with what 1 + x was rounded by."""
    whole = 1 + x
    lost = (1 - (whole - (whole - 1))) + (x - (whole - 1))
    e, m = split(whole)
    high, low = CONSTANTS[x.dtype].ln2
    lost = np.where(e < 60, lost * power_of_two(-e), 0.0)  # beyond it is nothing
    return unless_tiny(x, _ends(whole, e * high + (e * low + _log_near_1(m - 1 + lost))))


def cbrt(x: Any) -> Any:
    """The cube root: by 1 / cbrt(m), which Newton's method needs no quotient for."""
    size = abs(x)
    e, m = split_all(size)
    third = np.rint(e * (1 / 3))
    guess = polynomial(m, CONSTANTS[x.dtype].cbrt)
    for _ in range(2):
        guess = guess + guess * (1 - m * guess * guess * guess) * (1 / 3)
    root = m * guess * guess
    root = root + (m - root * root * root) * guess * guess * (1 / 3)
    rest, one = e - 3 * third, x.dtype.type(1)
    root = root * np.where(rest > 0, 2 ** (1 / 3), np.where(rest < 0, 2 ** (-1 / 3), one))
    return np.where((size > 0) & (size < INF), np.copysign(root * power_of_two(third), x), x)


def _gaussian(x: Any, a: Any = 1.0) -> tuple[Any, Any]:
    """n and e ** r - 1 for -a * x * x = n * ln(2) + r, where a has few digits, so that none of x * x is lost."""
    part = coarse(x)
    return _exponential(-a * (part * part), -a * ((x - part) * (x + part)))


def gauss(x: Any, a: Any) -> Any:
    """e ** (-a * x * x), for a near 1."""
    size = abs(x)
    n, rest = _gaussian(np.where(size > 64, 64.0, size), a)  # where it is 0
    return scaled(1 + rest, n)


def _tail(x: Any, a: float = 1.0) -> Any:
    """erfc(sqrt(a) * x), where that is of at least 3 / 4, for a of 1 or 1 / 2."""
    x = np.where(x > 40, 40.0, x)  # where it is 0
    n, rest = _gaussian(x, a)
    x = math.sqrt(a) * x
    scale = polynomial((x - 3) / (x + 3), CONSTANTS[x.dtype].erfc) / (1 + 2 * x)
    return scaled((1 + rest) * scale, n)


def erf(x: Any) -> Any:
    """The error function."""
    size = abs(x)
    near = x + x * polynomial(x * x, CONSTANTS[x.dtype].erf)
    return np.where(size > 0.75, np.copysign(1 - _tail(size), x), near)


def erfc(x: Any) -> Any:
    """1 - erf(x), which is small where x is large."""
    tail = _tail(abs(x))
    near = 1 - (x + x * polynomial(x * x, CONSTANTS[x.dtype].erf))
    return np.where(x > 0.75, tail, np.where(x < -0.75, 2 - tail, near))


def ndtr(x: Any) -> Any:
    """The normal distribution, erfc(-x / sqrt(2)) / 2, where x / sqrt(2) would be too inexact for a tail."""
    tail, part = 0.5 * _tail(abs(x), 0.5), math.sqrt(0.5) * x
    near = 0.5 + 0.5 * (part + part * polynomial(part * part, CONSTANTS[x.dtype].erf))
    return np.where(part < -0.75, tail, np.where(part > 0.75, 1 - tail, near))


def _log_in_parts(x: Any) -> tuple[Any, Any]:
    """log(x) as a sum, twice as exact, for x that is positive and normal; as _log_near_1, term by term."""
    of = CONSTANTS[x.dtype]
    e, m = split(x)
    f = m - 1
    s = f / (2 + f)
    s1, below = coarse(s), coarse(2 + f)
    s2 = (f - s1 * below - s1 * (f - (below - 2))) / (2 + f)
    z1 = coarse(s1 * s1)
    z2 = (s1 * s1 - z1) + s2 * (s + s1)
    z = z1 + z2
    third = coarse(x.dtype.type(2 / 3))
    u1 = coarse(third * z1)
    u2 = (third * z1 - u1) + (third * z2 + (2 - 3 * float(third)) / 3 * z + 2 * z * z * polynomial(z, of.pow))
    whole = e * of.ln2[0]
    first = whole + 2 * s1
    second = first + s1 * u1
    lost = (2 * s1 - (first - whole)) + (s1 * u1 - (second - first))
    rest = lost + (s1 * u2 + s2 * (2 + u1 + u2)) + e * of.ln2[1]
    log = second + rest
    return log, rest - (log - second)


def pow(x: Any, y: Any) -> Any:
    """x ** y, by e ** (y * log(x)) in parts, where the ends are not near."""
    log, rest = _log_in_parts(x)
    log1, y1 = coarse(log), coarse(y)
    power = y1 * log1
    more = y1 * (log - log1) + (y - y1) * log + y * rest
    n, rest = _exponential(power, np.where(abs(power) > 2.0 * np.finfo(x.dtype).maxexp, 0.0, more))
    return scaled(1 + rest, n)


def moderate(x: Any, y: Any) -> Any:
    """Whether x is positive and normal, and y not so large that products with it overflow."""
    limits = np.finfo(x.dtype)
    return (x > float(limits.tiny)) & (x < INF) & (abs(y) < 2.0**limits.nmant)
