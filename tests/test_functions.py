"""Functions of numbers that llvm vectorises: right to 4 units in the last place over the whole range, by mpmath."""

import functools
import itertools
import pathlib
import zlib

import numpy as np
import pytest

import autograd.numpy as anp
from autograd import jit
from autograd.scipy import special

mpmath = pytest.importorskip("mpmath")
scipy = pytest.importorskip("scipy.special")
pytest.importorskip("llvmlite")
from mpmath import mp, mpf  # noqa: E402

from autograd.compiler.llvm import constants, lanes  # noqa: E402
from benchmarks import polynomials  # noqa: E402

from . import exact  # noqa: E402

LIMIT = 4
OF_SPECIAL = {name: special.OPERATIONS[name] for name in ("erf", "erfc", "gauss", "ndtr")}
RIGHT = exact.WORDS | {
    "erf": mp.erf,
    "erfc": lambda x: mp.erfc(x) if x < 1000 else mpf(0),
    "gauss": lambda x, a: mp.exp(-a * x * x),
    "ndtr": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2 if x > -1000 else mpf(0),
}
NUMPY = {name: getattr(scipy, name) for name in ("erf", "erfc", "ndtr")}
NUMPY |= {"gauss": lambda x, a: np.exp(-a * (x * x)), "pow": np.power}
each = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
named = pytest.mark.parametrize("name", lanes.FUNCTIONS)


@functools.cache
def by_machine(name):
    function = OF_SPECIAL[name] if name in OF_SPECIAL else getattr(anp, "power" if name == "pow" else name)
    return jit(lambda *args: function(*args), backend="llvm")


def by_arrays(name):
    """The same arithmetic as NumPy does it, which rounds every product; not what is left to libm."""

    def function(*args):
        y = lanes.FUNCTIONS[name](*args)
        return np.where(lanes.INSIDE[name](*args), y, by_machine(name)(*args)) if name in lanes.INSIDE else y

    return function


read = pytest.mark.parametrize("reading", [by_machine, by_arrays])


def numbers(dtype, rng):
    """Of every magnitude, more of them where functions have zeros, bend, overflow or vanish, of both signs."""
    limits = np.finfo(dtype)
    exponents = np.log2([float(limits.smallest_subnormal), float(limits.max)])
    near_1 = 1 + rng.choice([-1, 1], 100) * 2.0 ** rng.uniform(-limits.nmant - 1, 0, 100)
    quarters = np.pi / 2 * np.rint(2.0 ** rng.uniform(0, 22, 200))
    ends = [rng.uniform(a, b, 40) for a, b in [(80, 110), (120, 160), (700, 750), (1015, 1080)]]
    drawn = [2.0 ** rng.uniform(*exponents, 300), 2.0 ** rng.uniform(-8, 8, 500), rng.uniform(0, 4, 300)]
    edges = [limits.smallest_subnormal, limits.tiny, limits.max, limits.eps, 1]
    x = np.concatenate([*drawn, near_1, quarters, *ends, edges]).astype(dtype)
    return np.concatenate([x, -x, [dtype(0)]])


@functools.cache
def points(name, dtype):
    """The arguments as arrays; of two, the second is of every magnitude, or such that much depends on both."""
    rng, limits = np.random.default_rng(zlib.crc32(name.encode())), np.finfo(dtype)
    x = numbers(dtype, rng)
    if name not in ("hypot", "pow", "gauss"):
        return (x,)
    y = {"hypot": rng.permutation(x), "pow": rng.permutation(x), "gauss": rng.choice([0.5, 1], x.size)}[name]
    with np.errstate(all="ignore"):
        if name == "hypot":
            y[::2] = x[::2] * rng.uniform(-4, 4, x[::2].size)
        if name == "pow":
            x[::2], size = abs(x[::2]), limits.nmant - limits.minexp
            y[::2] = rng.uniform(-size, limits.maxexp, x[::2].size) / np.log2(x[::2].astype(float))
            y[1::4] = rng.integers(-5, 5, y[1::4].size)
    return x, y.astype(dtype)


@functools.cache
def truth(name, dtype):
    """What mpmath finds at each point; None where that is no real number."""

    def number(*args):
        try:
            y = RIGHT[name](*map(mpf, args))
        except (ValueError, ZeroDivisionError):
            return None
        return y if isinstance(y, mpf) and mp.isfinite(y) else None

    with mp.workdps(40):
        return [*map(number, *(x.tolist() for x in points(name, dtype)))]


@named
@each
@read
def test_right_to_the_last_digits(reading, name, dtype):
    args = points(name, dtype)
    with np.errstate(all="ignore"):
        found = reading(name)(*args)
    assert found.dtype == dtype
    for *point, y, right in zip(*(x.tolist() for x in args), found, truth(name, dtype), strict=True):
        if right is not None:
            assert exact.units(y, right) <= LIMIT, (point, y, mpmath.nstr(right, 20))


@named
@each
@read
def test_edges_are_those_of_numpy(reading, name, dtype):
    edges = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, -2], dtype)
    args = np.array([*itertools.product(edges, repeat=len(points(name, dtype)))], dtype).T.copy()
    if name == "gauss":
        args[1] = 0.5
    with np.errstate(all="ignore"):
        found, expected = reading(name)(*args), (NUMPY.get(name) or getattr(np, name))(*args)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[found == 0]))


@named
@each
def test_a_number_has_the_same_result_at_every_place(name, dtype):
    args = [x[::17] for x in points(name, dtype)]
    with np.errstate(all="ignore"):
        found = by_machine(name)(*args)
        np.testing.assert_array_equal(by_machine(name)(*(x[::-1].copy() for x in args))[::-1], found)


def test_constants_are_those_that_the_script_prints():
    assert pathlib.Path(constants.__file__).read_text() == polynomials.module() + "\n"
