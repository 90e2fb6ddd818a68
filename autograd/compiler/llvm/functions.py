"""Functions of numbers as arithmetic without branches, on NumPy's arrays, and on what writes LLVM's text (lanes.py).

An argument is brought to a small interval, where a polynomial is near enough, and the result is put together with the
bits of an exponent: Muller 2016, Elementary Functions. A product that is added to may be rounded first or not, as the
processor likes best. `python -m benchmarks.polynomials` prints the constants.
"""

import functools
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

LN2, INF = math.log(2), math.inf
CONSTANTS = {
    np.dtype(np.float64): SimpleNamespace(
        exp=(0.5000000000000001, 0.16666666666666674, 0.04166666666662416, 0.008333333333322203, 0.001388888891719824)
        + (0.0001984126988659691, 2.4801521320282765e-05, 2.755724233237739e-06, 2.762007677432387e-07)
        + (2.5110051261821753e-08,),
        log=(0.6666666666666734, 0.3999999999941468, 0.28571428742385746, 0.22222198573457888, 0.1818356430846093)
        + (0.15314051075914387, 0.14795943878598647),
        sin=(-0.1666666666666663, 0.008333333333322118, -0.0001984126982958965, 2.7557313621419557e-06)
        + (-2.5050747767798666e-08, 1.589623043251229e-10),
        cos=(0.041666666666666595, -0.0013888888888873056, 2.4801587288851673e-05, -2.7557314179295485e-07)
        + (2.0875700842348434e-09, -1.1358536554973608e-11),
        ln2=(0.6931471805598903, 5.497923018708371e-14),
        log10_2=(0.30102999566395283, 2.8363394551044964e-14),
        half_pi=(1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32),
        far=2.0**20,
    ),
    np.dtype(np.float32): SimpleNamespace(
        exp=(0.5, 0.16666576266288757, 0.04166637361049652, 0.008363175205886364, 0.0013941109646111727),
        log=(0.6666677594184875, 0.3997754156589508, 0.2987172603607178),
        sin=(-0.16666655242443085, 0.00833216030150652, -0.00019515279564075172),
        cos=(0.04166664555668831, -0.0013887316454201937, 2.44331567955669e-05),
        ln2=(0.693145751953125, 1.428606765330187e-06),
        log10_2=(0.30103302001953125, -3.024355464731343e-06),
        half_pi=(1.5703125, 0.0004837512969970703, 7.549533620476723e-08, 2.5633440682570896e-12),
        far=2.0**13,
    ),
}


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The sum of coefficients[k] * x ** k: the even and the odd powers each by Horner's scheme, at the same time."""
    square = x * x
    even, odd = (functools.reduce(lambda total, c: total * square + c, coefficients[i::2][::-1]) for i in (0, 1))
    return even + x * odd


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


def _exponential(x: Any) -> tuple[Any, Any]:
    """n and e ** r - 1 for x = n * ln(2) + r, with x moved to where e ** x begins to be 0 or inf."""
    of, limits = CONSTANTS[x.dtype], np.finfo(x.dtype)
    low, high = (limits.minexp - limits.nmant - 2) * LN2, (limits.maxexp + 1.25) * LN2
    x = np.where(x < low, low, np.where(x > high, high, x))
    n = np.rint(x * (1 / LN2))
    r = x - n * of.ln2[0] - n * of.ln2[1]
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
    return f - s * (f - z * polynomial(z, CONSTANTS[f.dtype].log))


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
    return n, r + r * z * polynomial(z, of.sin), 1 - 0.5 * z + z * z * polynomial(z, of.cos)


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
