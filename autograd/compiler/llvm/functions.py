"""Functions of numbers as arithmetic without branches, on NumPy's arrays, and on what writes LLVM's text (lanes.py).

An argument is brought to a small interval, where a polynomial is near enough, and the result is put together with the
bits of an exponent: Muller 2016, Elementary Functions. A product that is added to may be rounded first or not, as the
processor likes best. `python -m benchmarks.polynomials` prints the constants.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .constants import CONSTANTS

LN2, INF = math.log(2), math.inf


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The sum of coefficients[k] * x ** k: the even and the odd powers each by Horner's scheme, at the same time."""
    square = x * x
    even, odd = (functools.reduce(lambda total, c: total * square + c, coefficients[i::2][::-1]) for i in (0, 1))
    return even + x * odd


def _odd(r: Any, coefficients: Sequence[float]) -> Any:
    """r + r * z * polynomial(z), with z = r * r."""
    z = r * r
    return r + r * z * polynomial(z, coefficients)


def _bits(x: Any) -> Any:
    """The number as it is stored, as an unsigned integer."""
    return x.view(f"u{x.dtype.itemsize}")


def _bits_of(number: float, dtype: np.dtype) -> int:
    return int(_bits(np.array(number, dtype)))


def _whole_bits(n: Any, offset: int = 0) -> Any:
    """An integer with the last bits of n + offset, where n is whole."""
    return _bits(n + (1.5 * 2.0 ** np.finfo(n.dtype).nmant + offset))


def _power_of_two(n: Any) -> Any:
    """2 ** n for whole n, where that is a normal number; any number elsewhere."""
    limits = np.finfo(n.dtype)
    return (_whole_bits(n, limits.maxexp - 1) << limits.nmant).view(n.dtype)


def _scaled(x: Any, n: Any) -> Any:
    """x * 2 ** n, rounded once, also where that overflows or is subnormal."""
    half = np.rint(0.5 * n)
    return x * _power_of_two(half) * _power_of_two(n - half)


def _exponential(x: Any, more: Any = 0.0) -> tuple[Any, Any]:
    """n and e ** r - 1 for x + more = n * ln(2) + r, with x moved to where e ** x begins to be 0 or inf."""
    of, limits = CONSTANTS[x.dtype], np.finfo(x.dtype)
    low, high = (limits.minexp - limits.nmant - 2) * LN2, (limits.maxexp + 1.25) * LN2
    x = np.where(x < low, low, np.where(x > high, high, x))
    n = np.rint(x * (1 / LN2))
    r = x - n * of.ln2[0] - n * of.ln2[1] + more
    return n, r + r * r * polynomial(r, of.exp)


def exp(x: Any) -> Any:
    """e ** x"""
    n, rest = _exponential(x)
    return _scaled(1 + rest, n)


def exp2(x: Any) -> Any:
    """2 ** x"""
    limits = np.finfo(x.dtype)
    low, high = limits.minexp - limits.nmant - 2.0, limits.maxexp + 1.0
    x = np.where(x < low, low, np.where(x > high, high, x))
    n = np.rint(x)
    r = (x - n) * LN2
    return _scaled(1 + (r + r * r * polynomial(r, CONSTANTS[x.dtype].exp)), n)


def _half_expm1(x: Any) -> Any:
    """(e ** x - 1) / 2, which overflows later."""
    n, rest = _exponential(x)
    n = np.where(n < -99, -99.0, n)
    quarter = _power_of_two(n - 2)
    return 2 * (quarter * rest + (quarter - 0.25))


def _unless_tiny(x: Any, y: Any) -> Any:
    """y, but x where that is what a function with slope 1 at 0 is near it; -0.0 stays so."""
    return np.where(abs(x) < 0.25 * float(np.finfo(x.dtype).eps), x, y)


def expm1(x: Any) -> Any:
    """e ** x - 1"""
    return _unless_tiny(x, 2 * _half_expm1(x))


def sinh(x: Any) -> Any:
    """(e ** x - e ** -x) / 2"""
    half = _half_expm1(abs(x))
    return _unless_tiny(x, np.copysign(half * (1 + 1 / (2 * half + 1)), x))


def cosh(x: Any) -> Any:
    """(e ** x + e ** -x) / 2"""
    half = _half_expm1(abs(x)) + 0.5
    return half + 0.25 / half


def tanh(x: Any) -> Any:
    """(1 - e ** (-2 * x)) / (1 + e ** (-2 * x))"""
    half = _half_expm1(-abs(2 * x))
    return _unless_tiny(x, np.copysign(half / (half + 1), x))


def _split(x: Any) -> tuple[Any, Any]:
    """e and m for x = m * 2 ** e with m between sqrt(1 / 2) and sqrt(2), where x is positive."""
    limits = np.finfo(x.dtype)
    tiny, lift = float(limits.tiny), limits.nmant + 1
    one, least, whole = (_bits_of(c, x.dtype) for c in (1, math.sqrt(0.5), 2.0**limits.nmant))
    bits = _bits(np.where(x < tiny, x * 2.0**lift, x)) + (one - least)
    e = (bits >> limits.nmant | whole).view(x.dtype) - (2.0**limits.nmant + limits.maxexp - 1)
    return np.where(x < tiny, e - lift, e), ((bits & (2**limits.nmant - 1)) + least).view(x.dtype)


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
    e, m = _split(x)
    high, low = CONSTANTS[x.dtype].ln2
    return _ends(x, e * high + (e * low + _log_near_1(m - 1)))


def log2(x: Any) -> Any:
    """The logarithm to the base 2."""
    e, m = _split(x)
    return _ends(x, _log_near_1(m - 1) * (1 / LN2) + e)


def log10(x: Any) -> Any:
    """The logarithm to the base 10."""
    e, m = _split(x)
    high, low = CONSTANTS[x.dtype].log10_2
    return _ends(x, e * high + (e * low + _log_near_1(m - 1) * (1 / math.log(10))))


def log1p(x: Any) -> Any:
    """log(1 + x), with what 1 + x was rounded by."""
    whole = 1 + x
    lost = (1 - (whole - (whole - 1))) + (x - (whole - 1))
    e, m = _split(whole)
    high, low = CONSTANTS[x.dtype].ln2
    lost = np.where(e < 60, lost * _power_of_two(-e), 0.0)  # beyond it is nothing
    return _unless_tiny(x, _ends(whole, e * high + (e * low + _log_near_1(m - 1 + lost))))


def _turned(x: Any) -> tuple[Any, Any, Any]:
    """n and the sine and cosine of r, for x = n * pi / 2 + r, where x is not far.

    Each part of n * pi / 2 is subtracted exactly, or from what is far larger than the next part: Cody and Waite 1980,
    Software Manual for the Elementary Functions.
    """
    of = CONSTANTS[x.dtype]
    n, r = np.rint(x * (2 / math.pi)), x
    for part in of.half_pi:
        r = r - n * part
    z = r * r
    return n, _odd(r, of.sin), 1 - 0.5 * z + z * z * polynomial(z, of.cos)


def _quarter(n: Any, sine: Any, cosine: Any) -> Any:
    """The sine of n quarters of a turn and r, by those of r."""
    turns = _whole_bits(n)
    size = np.where((turns & 1) == 1, cosine, sine)
    return np.where((turns & 2) == 2, -size, size)


def sin(x: Any) -> Any:
    """The sine."""
    return np.where(x == 0, x, _quarter(*_turned(x)))  # -0.0 too


def cos(x: Any) -> Any:
    """The cosine, the sine of a quarter turn more."""
    n, sine, cosine = _turned(x)
    return _quarter(n + 1, sine, cosine)


def tan(x: Any) -> Any:
    """The tangent."""
    n, sine, cosine = _turned(x)
    odd = (_whole_bits(n) & 1) == 1
    return np.where(x == 0, x, np.where(odd, -cosine, sine) / np.where(odd, sine, cosine))


def arctan(x: Any) -> Any:
    """The inverse tangent, by that of the quotient that an eighth or a quarter of a turn leaves."""
    size = abs(x)
    eighth, quarter = size > math.tan(math.pi / 8), size > 1 / math.tan(math.pi / 8)
    above = np.where(quarter, -1.0, np.where(eighth, size - 1, size))
    below = np.where(quarter, size, np.where(eighth, size + 1, 1.0))
    turn = np.where(quarter, math.pi / 2, np.where(eighth, math.pi / 4, x.dtype.type(0)))
    return np.copysign(turn + _odd(above / below, CONSTANTS[x.dtype].arctan), x)


def _half_angle(x: Any) -> tuple[Any, Any]:
    """Whether |x| is beyond 1 / 2, and arcsin(|x|), or there half of arccos(|x|)."""
    size = abs(x)
    beyond = size > 0.5
    return beyond, _odd(np.where(beyond, np.sqrt(0.5 * (1 - size)), size), CONSTANTS[x.dtype].arcsin)


def arcsin(x: Any) -> Any:
    """The inverse sine."""
    beyond, angle = _half_angle(x)
    return np.copysign(np.where(beyond, math.pi / 2 - 2 * angle, angle), x)


def arccos(x: Any) -> Any:
    """The inverse cosine."""
    beyond, angle = _half_angle(x)
    acute = np.where(x < 0, math.pi - 2 * angle, 2 * angle)
    return np.where(beyond, acute, math.pi / 2 - np.copysign(angle, x))


def cbrt(x: Any) -> Any:
    """The cube root: by 1 / cbrt(m), which Newton's method needs no quotient for."""
    size = abs(x)
    e, m = _split(size)
    third = np.rint(e * (1 / 3))
    guess = polynomial(m, CONSTANTS[x.dtype].cbrt)
    for _ in range(2):
        guess = guess + guess * (1 - m * guess * guess * guess) * (1 / 3)
    root = m * guess * guess
    root = root + (m - root * root * root) * guess * guess * (1 / 3)
    rest, one = e - 3 * third, x.dtype.type(1)
    root = root * np.where(rest > 0, 2 ** (1 / 3), np.where(rest < 0, 2 ** (-1 / 3), one))
    return np.where((size > 0) & (size < INF), np.copysign(root * _power_of_two(third), x), x)


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x * x + y * y), where these would overflow or vanish by a multiple of x and y."""
    x, y, one, most = abs(x), abs(y), x.dtype.type(1), np.finfo(x.dtype).maxexp
    huge, tiny, scale = 2.0 ** (most // 2 - 16), 2.0 ** (16 - most // 2), 2.0 ** (most * 3 // 4)
    larger = np.where(x < y, y, x)
    down = np.where(larger > huge, 1 / scale, np.where(larger < tiny, scale, one))
    up = np.where(larger > huge, scale, np.where(larger < tiny, 1 / scale, one))
    length = np.sqrt((x * down) * (x * down) + (y * down) * (y * down)) * up
    return np.where((x == INF) | (y == INF), INF, length)


def _coarse(x: Any) -> Any:
    """x with half of its digits, so that products of two such numbers are exact."""
    keep = 2 ** (8 * x.dtype.itemsize) - 2 ** (np.finfo(x.dtype).nmant // 2 + 1)
    return (_bits(x) & keep).view(x.dtype)


def _gaussian(x: Any, a: Any = 1.0) -> tuple[Any, Any]:
    """n and e ** r - 1 for -a * x * x = n * ln(2) + r, where a has few digits, so that none of x * x is lost."""
    coarse = _coarse(x)
    return _exponential(-a * (coarse * coarse), -a * ((x - coarse) * (x + coarse)))


def gauss(x: Any, a: Any) -> Any:
    """e ** (-a * x * x), for a near 1."""
    size = abs(x)
    n, rest = _gaussian(np.where(size > 64, 64.0, size), a)  # where it is 0
    return _scaled(1 + rest, n)


def _tail(x: Any) -> Any:
    """erfc(x) for x of at least 3 / 4."""
    x = np.where(x > 28, 28.0, x)  # where it is 0
    n, rest = _gaussian(x)
    scale = polynomial((x - 3) / (x + 3), CONSTANTS[x.dtype].erfc) / (1 + 2 * x)
    return _scaled((1 + rest) * scale, n)


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


def _log_in_parts(x: Any) -> tuple[Any, Any]:
    """log(x) as a sum, twice as exact, for x that is positive and normal; as _log_near_1, term by term."""
    of = CONSTANTS[x.dtype]
    e, m = _split(x)
    f = m - 1
    s = f / (2 + f)
    s1, below = _coarse(s), _coarse(2 + f)
    s2 = (f - s1 * below - s1 * (f - (below - 2))) / (2 + f)
    z1 = _coarse(s1 * s1)
    z2 = (s1 * s1 - z1) + s2 * (s + s1)
    z = z1 + z2
    third = _coarse(x.dtype.type(2 / 3))
    u1 = _coarse(third * z1)
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
    log1, y1 = _coarse(log), _coarse(y)
    power = y1 * log1
    more = y1 * (log - log1) + (y - y1) * log + y * rest
    n, rest = _exponential(power, np.where(abs(power) > 2.0 * np.finfo(x.dtype).maxexp, 0.0, more))
    return _scaled(1 + rest, n)


def _moderate(x: Any) -> Any:
    return abs(x) < CONSTANTS[x.dtype].far


def _plain(x: Any, y: Any) -> Any:
    limits = np.finfo(x.dtype)
    return (x > float(limits.tiny)) & (x < INF) & (abs(y) < 2.0**limits.nmant)


# where these are right; elsewhere is libm
INSIDE: dict[str, Callable] = {"sin": _moderate, "cos": _moderate, "tan": _moderate, "pow": _plain}
