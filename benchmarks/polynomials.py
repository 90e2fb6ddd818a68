"""The constants of machine code's functions of numbers, with the errors of the polynomials.

    python -m benchmarks.polynomials > autograd/compiler/llvm/constants.py

A function is first brought to a small interval (exp by x = n * log(2) + r, for one), where it is a few exact terms and
a rest. The polynomial is the one nearest to the rest: minimax, by Remez's exchange algorithm, for the error of the
whole function relative to its value. The degrees are the least that leave less than half a unit in the last place.
"""

import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from mpmath import linspace, lu_solve, matrix, mp, mpf

mp.dps = 60
SMALL = mpf(10) ** -12  # stands for 0, where a rest is 0 / 0
BEND, MIDDLE = mpf(3) / 4, 3  # erfc is 1 - erf before, and a function of (x - 3) / (x + 3) behind


class Rest(NamedTuple):
    """What is approximated, and how much of its error is relative error of the function."""

    f: Callable
    weight: Callable
    low: Any
    high: Any
    degrees: tuple[int, int]  # for float64 and float32


def odd(f: Callable, high: Any, degrees: tuple[int, int]) -> Rest:
    """f(r) = r + r * z * rest, with z = r * r."""

    def rest(z: Any) -> Any:
        r = mp.sqrt(z)
        return (f(r) / r - 1) / z

    return Rest(rest, lambda z: z * mp.sqrt(z) / f(mp.sqrt(z)), SMALL, high**2, degrees)


def erfc_tail(t: Any) -> Any:
    """erfc(x) = e ** (-x * x) / (1 + 2 * x) * rest, with t = (x - 3) / (x + 3)."""
    x = MIDDLE * (1 + t) / (1 - t)
    return mp.erfc(x) * mp.exp(x * x) * (1 + 2 * x)


def erfc_ends(last: float) -> tuple[Any, Any]:
    return (BEND - MIDDLE) / (BEND + MIDDLE), (mpf(last) - MIDDLE) / (mpf(last) + MIDDLE)


RESTS = {
    # e ** r - 1 = r + r * r * rest; of its error at most log(2) / 2 is that of e ** r - 1
    "exp": Rest(
        lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > SMALL else mpf(0.5),
        lambda r: mp.log(2) / 2,
        -mp.log(2) / 2,
        mp.log(2) / 2,
        (9, 4),
    ),
    # log(m) = 2 * atanh(s) = 2 * s + 2 * s * z * rest, with s = (m - 1) / (m + 1), m to sqrt(2)
    "log": odd(mp.atanh, 3 - 2 * mp.sqrt(2), (6, 2)),
    # the same with 11 digits more, z / 3 being taken out of the rest
    "pow": Rest(
        lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1 - z / 3) / z**2,
        lambda z: z**2 * mp.sqrt(z) / mp.atanh(mp.sqrt(z)),
        SMALL,
        (3 - 2 * mp.sqrt(2)) ** 2,
        (6, 2),
    ),
    "sin": odd(mp.sin, mp.pi / 4, (5, 2)),
    # cos(r) = 1 - z / 2 + z * z * rest
    "cos": Rest(
        lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2,
        lambda z: z**2 / mp.cos(mp.sqrt(z)),
        SMALL,
        (mp.pi / 4) ** 2,
        (5, 2),
    ),
    "arctan": odd(mp.atan, mp.sqrt(2) - 1, (9, 3)),
    "arcsin": odd(mp.asin, mpf(0.5), (11, 4)),
    # erf(x) = x + x * rest
    "erf": Rest(
        lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1,
        lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)),
        SMALL,
        BEND**2,
        (9, 5),
    ),
    "erfc": Rest(erfc_tail, lambda t: 1 / erfc_tail(t), *erfc_ends(27.5), (20, 9)),
    # a first guess, squared twice
    "cbrt": Rest(lambda m: 1 / mp.cbrt(m), mp.cbrt, mp.sqrt(0.5), mp.sqrt(2), (5, 5)),
}


def remez(rest: Rest, degree: int) -> tuple[list, Any]:
    """The coefficients, lowest first, of the polynomial p for which max |weight * (f - p)| is least, and that error."""
    f, weight, low, high, _ = rest
    count = degree + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    grid = linspace(low, high, 40 * count)
    values = [(x, f(x), weight(x)) for x in grid]
    for _ in range(5):
        rows = [[*(x**k for k in range(count - 1)), (-1) ** i / weight(x)] for i, x in enumerate(nodes)]
        coefficients = lu_solve(matrix(rows), matrix([f(x) for x in nodes]))[: count - 1]
        errors = [w * (y - mp.fsum(c * x**k for k, c in enumerate(coefficients))) for x, y, w in values]
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


def constants(dtype: np.dtype) -> list[str]:
    """A line of Python for each constant."""
    single = dtype == np.float32
    whole, turn = ((16, 24), (11, 11, 11, 24)) if single else ((42, 53), (33, 33, 33, 53))
    lines = []
    for name, rest in RESTS.items():
        coefficients, error = remez(rest, rest.degrees[single])
        numbers = [float(dtype.type(float(c))) for c in coefficients]
        lines += [f"# 2 ** {float(mp.log(error, 2)):.1f}", f"{name}=({', '.join(map(repr, numbers))}),"]
    for name, number, bits in [
        ("ln2", mp.log(2), whole),
        ("log10_2", mp.log10(2), whole),
        ("half_pi", mp.pi / 2, turn),
    ]:
        lines.append(f"{name}=({', '.join(map(repr, parts(number, *bits)))}),")
    return [*lines, f"far={2.0 ** (turn[-1] - turn[0])},  # beyond it the products with parts of pi / 2 are rounded"]


HEAD = '''"""Constants of functions of numbers: coefficients, lowest first, with their errors, and numbers in parts.

It is what `python -m benchmarks.polynomials` prints.
"""

# fmt: off
from types import SimpleNamespace

import numpy as np

CONSTANTS = {'''


def module() -> str:
    """The text of constants.py."""
    text = [HEAD]
    for kind in ("float64", "float32"):
        text.append(f"    np.dtype(np.{kind}): SimpleNamespace(")
        for line in constants(np.dtype(kind)):
            text += textwrap.wrap(line, 112, initial_indent=" " * 8, subsequent_indent=" " * 12)
        text.append("    ),")
    return "\n".join([*text, "}"])


if __name__ == "__main__":
    print(module())
