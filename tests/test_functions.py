"""Functions of numbers that llvm vectorises: right to 4 units in the last place over the whole range, by mpmath."""

import functools
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

from autograd.compiler.llvm import functions, lanes  # noqa: E402

from . import exact  # noqa: E402

LIMIT = 4
DTYPES = [np.float64, np.float32]
each = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
ONE = [name for name in lanes.NAMES if name != "hypot"]
named = pytest.mark.parametrize("name", ONE)
RIGHT = exact.WORDS | {"erf": mp.erf, "erfc": lambda x: mp.erfc(x) if x < 1000 else mpf(0)}


@functools.cache
def by_machine(name):
    return jit(getattr(special if name in dir(special) else anp, name), backend="llvm")


def by_arrays(name):
    """The same arithmetic as NumPy does it: no product is added to without being rounded."""
    return getattr(functions, name)


def points(name, dtype):
    """Numbers of every magnitude, more of them where functions have zeros, bend, overflow or vanish, of both signs."""
    rng, limits = np.random.default_rng(zlib.crc32(name.encode())), np.finfo(dtype)
    exponents = np.log2([float(limits.smallest_subnormal), float(limits.max)])
    near_1 = 1 + rng.choice([-1, 1], 100) * 2.0 ** rng.uniform(-limits.nmant - 1, 0, 100)
    quarters = np.pi / 2 * np.rint(2.0 ** rng.uniform(0, 22, 200))
    ends = [rng.uniform(a, b, 40) for a, b in [(80, 110), (120, 160), (700, 750), (1015, 1080)]]
    drawn = [2.0 ** rng.uniform(*exponents, 300), 2.0 ** rng.uniform(-8, 8, 500), rng.uniform(0, 4, 300)]
    edges = [limits.smallest_subnormal, limits.tiny, limits.max, limits.eps, 1]
    x = np.concatenate([*drawn, near_1, quarters, *ends, edges]).astype(dtype)
    return np.concatenate([x, -x, [dtype(0)]])


@functools.cache
def truth(name, dtype):
    """What mpmath finds at each point; None where that is no real number."""

    def number(x):
        try:
            y = RIGHT[name](mpf(x))
        except (ValueError, ZeroDivisionError):
            return None
        return y if isinstance(y, mpf) and mp.isfinite(y) else None

    with mp.workdps(40):
        return [number(x) for x in points(name, dtype).tolist()]


@named
@each
@pytest.mark.parametrize("reading", [by_machine, by_arrays])
def test_right_to_the_last_digits(reading, name, dtype):
    x = points(name, dtype)
    with np.errstate(all="ignore"):
        found = reading(name)(x)
    assert found.dtype == dtype
    for point, y, right in zip(x.tolist(), found, truth(name, dtype), strict=True):
        if right is not None and not (
            reading is by_arrays and name in lanes.FAR and abs(point) > functions.CONSTANTS[np.dtype(dtype)].far
        ):
            assert exact.units(y, right) <= LIMIT, (point, y, mpmath.nstr(right, 20))


@named
@each
@pytest.mark.parametrize("reading", [by_machine, by_arrays])
def test_edges_are_those_of_numpy(reading, name, dtype):
    x = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, -2] * 5, dtype)
    with np.errstate(all="ignore"):
        found, expected = reading(name)(x), getattr(scipy if name.startswith("erf") else np, name)(x)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[found == 0]))


@named
@each
def test_a_number_has_the_same_result_at_every_place(name, dtype):
    x = points(name, dtype)[::17]
    with np.errstate(all="ignore"):
        found = by_machine(name)(x)
        np.testing.assert_array_equal(by_machine(name)(x[::-1].copy())[::-1], found)
        if dtype is np.float64:
            np.testing.assert_array_equal([by_machine(name)(float(number)) for number in x[:40]], found[:40])


@each
@pytest.mark.parametrize("reading", [by_machine, by_arrays])
def test_hypot(reading, dtype):
    x = points("hypot", dtype)
    y = np.random.default_rng(0).permutation(x)
    with np.errstate(all="ignore"):
        y[::2] = (x * np.random.default_rng(1).uniform(-4, 4, x.size)).astype(dtype)[::2]
        found = reading("hypot")(x, y)
    for a, b, length in zip(x.tolist(), y.tolist(), found):
        assert exact.units(length, mp.hypot(a, b)) <= LIMIT if np.isfinite(b) else length == np.inf
    edges = np.array([0, -0.0, 1, np.inf, -np.inf, np.nan], dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(reading("hypot")(edges[:, None], edges), np.hypot(edges[:, None], edges))


def test_constants_are_those_that_the_script_prints():
    from autograd.compiler.llvm import constants
    from benchmarks import polynomials

    assert pathlib.Path(constants.__file__).read_text() == polynomials.module() + "\n"
