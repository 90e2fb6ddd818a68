"""The constants of autograd/compiler/llvm/functions.py, with the errors of the polynomials.

    python -m benchmarks.polynomials

A function is first brought to a small interval (exp by x = n * log(2) + r, for one), where it is a few exact terms and
a rest. The polynomial is the one nearest to the rest: minimax, by Remez's exchange algorithm, for the error of the
whole function relative to its value. The degrees are the least that leave less than half a unit in the last place.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import linspace, lu_solve, matrix, mp, mpf

mp.dps = 60
HALF_LN2, EIGHTH_TURN = mp.log(2) / 2, mp.pi / 4
MOST = (3 - 2 * mp.sqrt(2)) ** 2  # of s * s, where s = f / (2 + f) for 1 + f between sqrt(1 / 2) and sqrt(2)
SMALL = mpf(10) ** -12  # stands for 0, where a rest is 0 / 0


def atanh_rest(z: Any) -> Any:
    """log((1 + s) / (1 - s)) = 2 * s + s * z * rest, with z = s * s."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


# name: rest, what the whole function's relative error is of the rest's, interval, degree for float64 and for float32
REST = dict[str, tuple[Callable, Callable, Any, Any, int, int]]
RESTS: REST = {
    # e ** r - 1 = r + r * r * rest; at most half_ln2 of its error is what r * r / (e ** r - 1) is of it
    "exp": (
        lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > SMALL else mpf(0.5),
        lambda r: HALF_LN2,
        -HALF_LN2,
        HALF_LN2,
        9,
        4,
    ),
    "log": (atanh_rest, lambda z: z / 2, SMALL, MOST, 6, 2),
    # sin(r) = r + r * z * rest, with z = r * r
    "sin": (
        lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)),
        SMALL,
        EIGHTH_TURN**2,
        5,
        2,
    ),
    # cos(r) = 1 - z / 2 + z * z * rest
    "cos": (
        lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2,
        lambda z: z**2 / mp.cos(mp.sqrt(z)),
        SMALL,
        EIGHTH_TURN**2,
        5,
        2,
    ),
}


def remez(f: Callable, weight: Callable, low: Any, high: Any, degree: int) -> tuple[list, Any]:
    """The coefficients, lowest first, of the polynomial p for which max |weight * (f - p)| is least, and that error."""
    count = degree + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    grid = linspace(low, high, 60 * count)
    values = [(x, f(x), weight(x)) for x in grid]
    for _ in range(12):
        rows = [[*(x**k for k in range(count - 1)), (-1) ** i / weight(x)] for i, x in enumerate(nodes)]
        *coefficients, error = lu_solve(matrix(rows), matrix([f(x) for x in nodes]))
        errors = [w * (y - mp.polyval(coefficients[::-1], x)) for x, y, w in values]
        nodes = exchanged(grid, errors, count)
    return coefficients, max(map(abs, errors))


def exchanged(grid: list, errors: list, count: int) -> list:
    """Where the error is largest between each two changes of its sign: as many places as there are unknowns."""
    runs: list[list[int]] = []
    for i, error in enumerate(errors):
        if not runs or mp.sign(errors[runs[-1][-1]]) != mp.sign(error):
            runs.append([])
        runs[-1].append(i)
    best = [max(run, key=lambda i: abs(errors[i])) for run in runs]
    while len(best) > count:
        best.pop(0 if abs(errors[best[0]]) < abs(errors[best[-1]]) else -1)
    return [grid[i] for i in best]


def parts(number: Any, *bits: int) -> list[float]:
    """A number as a sum: each part but the last has so many bits that its product with a whole number is exact."""
    found = []
    for count in bits:
        unit = mpf(2) ** (mp.floor(mp.log(abs(number), 2)) + 1 - count)
        found.append(float(mp.nint(number / unit) * unit))
        number -= mpf(found[-1])
    return found


def constants(dtype: np.dtype) -> dict[str, tuple[list[float], float]]:
    """Each constant by its name, in parts or coefficients, and the error that these leave, as an exponent of 2."""
    double = dtype == np.float64
    whole, turn = ((42, 53), (33, 33, 33, 53)) if double else ((16, 24), (11, 11, 11, 24))
    found = {}
    for name, (f, weight, low, high, *degrees) in RESTS.items():
        coefficients, error = remez(f, weight, low, high, degrees[0 if double else 1])
        found[name] = [float(dtype.type(float(c))) for c in coefficients], float(mp.log(error, 2))
    for name, number, bits in [
        ("ln2", mp.log(2), whole),
        ("log10_2", mp.log10(2), whole),
        ("half_pi", mp.pi / 2, turn),
    ]:
        found[name] = parts(number, *bits), -math.inf
    return found


if __name__ == "__main__":
    for kind in (np.dtype(np.float64), np.dtype(np.float32)):
        print(kind)
        for title, (numbers, error) in constants(kind).items():
            print(f"    {title}: {', '.join(map(repr, numbers))}" + f"  # 2 ** {error:.1f}" * (error > -math.inf))
