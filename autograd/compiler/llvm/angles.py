"""Functions of angles as arithmetic without branches, for NumPy's arrays, and for LLVM's text (lanes.py)."""

import math
from typing import Any

import numpy as np

from .arithmetic import INF, odd, polynomial, whole_bits
from .constants import CONSTANTS


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
    return n, odd(r, of.sin), 1 - 0.5 * z + z * z * polynomial(z, of.cos)


def _quarter(n: Any, sine: Any, cosine: Any) -> Any:
    """The sine of n quarters of a turn and r, by those of r."""
    turns = whole_bits(n)
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
    swapped = (whole_bits(n) & 1) == 1
    return np.where(x == 0, x, np.where(swapped, -cosine, sine) / np.where(swapped, sine, cosine))


def moderate(x: Any) -> Any:
    """Whether the parts of pi / 2 that are subtracted from x are exact."""
    return abs(x) < CONSTANTS[x.dtype].far


def arctan(x: Any) -> Any:
    """The inverse tangent, by that of the quotient that an eighth or a quarter of a turn leaves."""
    size = abs(x)
    eighth, quarter = size > math.tan(math.pi / 8), size > 1 / math.tan(math.pi / 8)
    above = np.where(quarter, -1.0, np.where(eighth, size - 1, size))
    below = np.where(quarter, size, np.where(eighth, size + 1, 1.0))
    turn = np.where(quarter, math.pi / 2, np.where(eighth, math.pi / 4, x.dtype.type(0)))
    return np.copysign(turn + odd(above / below, CONSTANTS[x.dtype].arctan), x)


def _half_angle(x: Any) -> tuple[Any, Any]:
    """Whether |x| is beyond 1 / 2, and arcsin(|x|), or there half of arccos(|x|)."""
    size = abs(x)
    beyond = size > 0.5
    return beyond, odd(np.where(beyond, np.sqrt(0.5 * (1 - size)), size), CONSTANTS[x.dtype].arcsin)


def arcsin(x: Any) -> Any:
    """The inverse sine."""
    beyond, angle = _half_angle(x)
    return np.copysign(np.where(beyond, math.pi / 2 - 2 * angle, angle), x)


def arccos(x: Any) -> Any:
    """The inverse cosine."""
    beyond, angle = _half_angle(x)
    acute = np.where(x < 0, math.pi - 2 * angle, 2 * angle)
    return np.where(beyond, acute, math.pi / 2 - np.copysign(angle, x))


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x * x + y * y), where these would overflow or vanish by a multiple of x and y."""
    x, y, one, most = abs(x), abs(y), x.dtype.type(1), np.finfo(x.dtype).maxexp
    huge, tiny, scale = 2.0 ** (most // 2 - 16), 2.0 ** (16 - most // 2), 2.0 ** (most * 3 // 4)
    larger = np.where(x < y, y, x)
    down = np.where(larger > huge, 1 / scale, np.where(larger < tiny, scale, one))
    up = np.where(larger > huge, scale, np.where(larger < tiny, 1 / scale, one))
    length = np.sqrt((x * down) * (x * down) + (y * down) * (y * down)) * up
    return np.where((x == INF) | (y == INF), INF, length)
