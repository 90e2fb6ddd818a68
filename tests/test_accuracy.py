"""Values are right to 4 units in the last place, first derivatives to 8, second ones to 64: against mpmath, over the
whole range of numbers, for every elementwise row, on arrays, on Values, and by either printer.

What does not reach that stands in docs/numerics.md, with its reason, and in `allowed` and `inside` below.
"""

import functools
import itertools
import math
import zlib

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, hessian, jit, value_and_grad
from autograd.operation import ELEMENTWISE, INNER

mpmath = pytest.importorskip("mpmath")
from mpmath import mp, mpf  # noqa: E402

from . import exact  # noqa: E402
from .derivatives import by_program, by_tensors, by_values, derivatives  # noqa: E402

LIMITS = (4, 8, 64)  # units in the last place, by the order of the derivative
ROWS = [row for row in ELEMENTWISE if row.pullbacks and row not in INNER and row.name != "where"]
FIRST = {"bell", "sec_arcsin", "cos_arctan", "cosine", "inverted"}  # derivatives of rows, so their own are second ones
CASES = [(row, 2) for row in ROWS] + [(row, 1) for row in INNER if row.name in FIRST]
# near these is a zero, a pole, a kink, the end of a domain or of a range, or a tail
PLACES = """1 2 0.5 0.7 0.99 1.5 1.5707963267948966 3.141592653589793 4.71238898038469 9.01 10 20 22 37.43 40 88.7 103
126.5 128 149 355 700 709.7 710.4 745 1000 1023.5 1024 1074 1e-8 1e-155 1e-160 1e155 1e200""".split()


def allowed(name, order, point):
    """How many units: more only where the argument of a function that is called inside is itself rounded."""
    if name == "logaddexp":  # x - y is rounded, and exp makes |x - y| times as much of it
        return LIMITS[order] + abs(point[0] - point[1])
    return 5 if name == "expm1" and order == 0 else LIMITS[order]  # NumPy's expm1 of float32


def inside(name, dtype, x, y):
    """Where pairs are drawn from: not where the result itself has lost its digits, or at a kink."""
    size, largest, tiny = np.hypot(x, y), np.finfo(dtype).max, np.finfo(dtype).tiny
    normal = (abs(x) >= tiny) & (abs(y) >= tiny)  # quotients of subnormal numbers may be subnormal and lose digits
    if name == "truediv":
        return normal
    if name in ("hypot", "arctan2", "cosine", "inverted"):
        return normal & (size > tiny * 1e16) & (size < largest / 8)
    if name == "pow":  # the mixed derivative is 0 where 1 + y * log(x) is, and there its terms cancel
        log = np.log(abs(x))
        inner = np.maximum(abs(y * log), abs((y - 2) * log)) < -np.log(tiny) - 5  # powers are in range
        return (x > 0) & (abs(y) > 1e-20) & (abs(y) < 1e5) & (abs(1 + y * log) > 0.1) & inner
    if name == "logaddexp":  # it is 0 where exp(x) + exp(y) is 1, and there its terms cancel
        return abs(np.logaddexp(x, y)) > 0.1
    if name == "mod":  # it jumps where y divides x, which is everywhere in a difference where x is much larger
        return (np.fmod(x, y) != 0) & (abs(x) < 1e30 * abs(y))
    return abs(x - y) > 1e-3 * abs(x)


def numbers(dtype, rng, count):
    """Numbers of all magnitudes, and those in and beside special places, of both signs."""
    limits = np.finfo(dtype)
    ends = [math.log10(float(limits.smallest_subnormal)), math.log10(float(limits.max))]
    special = [*map(float, PLACES), float(limits.tiny), float(limits.smallest_subnormal), float(limits.max)]
    special += [1 + sign * 2.0**-k for k in (52, 30, 23, 12, 5) for sign in (1, -1)]
    drawn = 10.0 ** np.concatenate([rng.uniform(*ends, count), rng.uniform(-3, 3, count)])
    with np.errstate(all="ignore"):
        places = np.array(special, dtype)
        beside = [np.nextafter(places, dtype(end)) for end in (0, np.inf)]
        found = np.concatenate([drawn.astype(dtype), *beside, places])
    found = np.unique(found[np.isfinite(found) & (found != 0)])
    return np.concatenate([found, -found])


def points(row, dtype):
    """Where a row is tried: its arguments as arrays."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))  # others in every row, the same in every run
    if len(row.arguments) == 1:
        return [numbers(dtype, rng, 25)]
    several = numbers(dtype, rng, 25)
    x, y = rng.choice(several, 600), rng.choice(several, 600)
    with np.errstate(all="ignore"):
        y[:100] = x[:100] * (1 + 10.0 ** rng.uniform(-7, 0, 100)).astype(dtype)  # near to each other
    x[100:300], y[100:300] = (10.0 ** rng.uniform(-2, 2, (2, 200)) * rng.choice([-1, 1], (2, 200))).astype(dtype)
    y[300:340] = rng.integers(1, 5, 40)  # powers that people write
    with np.errstate(all="ignore"):
        fits = np.isfinite(y) & (y != 0) & inside(row.name, dtype, x, y)
    return [x[fits][:150], y[fits][:150]]


def orders_of(row, most):
    """The derivatives of a row up to some order: how often by each argument."""
    every = itertools.product(range(most + 1), repeat=len(row.arguments))
    return [orders for orders in every if sum(orders) <= most]


@functools.cache
def truth(row, dtype, most):
    """What is right at each point, for each derivative; None where that is no real number."""
    where = list(zip(*(x.tolist() for x in points(row, dtype))))
    f = functools.partial(exact.value, row)
    return {orders: [exact.derivative(f, point, orders) for point in where] for orders in orders_of(row, most)}


READINGS = {
    "tensors": (by_tensors, np.float64),
    "tensors, float32": (by_tensors, np.float32),
    "values": (by_values, np.float64),
    "python": (by_program("python"), np.float64),
    "llvm": (by_program("llvm"), np.float64),
    "llvm, float32": (by_program("llvm"), np.float32),
}


@pytest.mark.parametrize("row, most", CASES, ids=lambda x: getattr(x, "name", ""))
@pytest.mark.parametrize("reading", READINGS)
def test_right_to_the_last_digits(reading, row, most):
    compute, dtype = READINGS[reading]
    where = points(row, dtype)
    with np.errstate(all="ignore"):
        found = compute(row, most, where)
    for orders, expected in truth(row, dtype, most).items():
        assert found[orders].dtype == dtype
        for point, x, right in zip(zip(*(x.tolist() for x in where)), found[orders], expected, strict=True):
            if right is not None:
                error = exact.units(x, right)
                assert error <= allowed(row.name, sum(orders), point), (orders, point, x, mpmath.nstr(right, 20), error)


@pytest.mark.parametrize("kind", [Tensor, Value])
def test_powers_regain_what_y_minus_1_was_rounded_by(kind):
    power = next(row for row in ROWS if row.name == "pow")
    for point in [(9.615111716690701e-152, -0.02282132925620484), (8.974977488960905e143, 0.21071632746353247)]:
        for orders, found in derivatives(power, 2, *map(kind, point)).items():
            right = exact.derivative(functools.partial(exact.value, power), point, orders)
            assert exact.units(np.float64(found.data), right) <= LIMITS[sum(orders)], (point, orders)


def log_sum(*x):
    return mp.log(mp.fsum(map(mp.exp, x)))


def deviations(*x):
    return mp.fsum((a - mp.fsum(x) / len(x)) ** 2 for a in x) / len(x)


def huber(x):
    return x * x / 2 if abs(x) < 1 else abs(x) - mpf(0.5)


# functions of arrays, the same by mpmath, and inputs where the schoolbook's expression loses digits
EXPONENTS = [[0, -69, -2], [1000, 999.5, -1000], [40, 0, 0.5], [-744, -700, 3], [2e-8, 1e-8, -1e-8], [-37.5, 38, 37]]
LENGTHS = [[3e-200, 4e-200, 1e-201], [3e200, -4e200, 1e100], [1e-8, 1, 2e-9], [3e-300, 1e-310, 0], [1, 2, 3]]
COMPOSED = {
    "logsumexp": (anp.logsumexp, log_sum, EXPONENTS),
    "softmax": (lambda x: anp.softmax(x)[0], lambda *x: mp.exp(x[0] - log_sum(*x)), EXPONENTS),
    "log_softmax": (lambda x: anp.log_softmax(x)[0], lambda *x: x[0] - log_sum(*x), EXPONENTS),
    "logaddexp twice": (
        lambda x: anp.logaddexp(anp.logaddexp(x[0], x[1]), x[2]),
        log_sum,
        [[0.5, -1.25, 2], [8, 4, 2]],
    ),
    "cross entropy": (lambda x: nn.CrossEntropy()(x[None], [0]), lambda *x: log_sum(*x) - x[0], EXPONENTS),
    "binary, 1": (
        lambda x: nn.BCEWithLogits()(x, np.ones(1)),
        lambda x: mp.log1p(mp.exp(-x)),
        [[40], [-40], [0.5], [700]],
    ),
    "binary, 0": (
        lambda x: nn.BCEWithLogits()(x, np.zeros(1)),
        lambda x: mp.log1p(mp.exp(x)),
        [[40], [-40], [0.5], [-700]],
    ),
    "huber": (lambda x: nn.Huber()(x, np.zeros(1)), huber, [[1e-200], [0.0], [0.5], [-3], [1e200]]),
    "norm": (anp.norm, lambda *x: mp.sqrt(mp.fsum(a * a for a in x)), LENGTHS),
    "std": (anp.std, lambda *x: mp.sqrt(deviations(*x)), [[1e9, 1e9 + 3], [1e-160, 3e-160], [2e-38, 6e-38], [1, 5, 3]]),
    "var": (anp.var, deviations, [[1e9, 1e9 + 1, 1e9 + 2], [2.0**-500, 3 * 2.0**-500, 2.0**-499]]),
    "std, ddof": (
        lambda x: anp.std(x, ddof=1),
        lambda *x: mp.sqrt(deviations(*x) * len(x) / (len(x) - 1)),
        [[1e8, 1e8 + 1, 1e8 + 3], [1e150, -3e150, 2e150]],
    ),
    "hypot twice": (lambda x: anp.hypot(anp.hypot(x[0], x[1]), x[2]), lambda *x: mp.norm(x), LENGTHS[:3] + LENGTHS[4:]),
    "sinc": (lambda x: anp.sinc(x[0]), lambda x: mp.sinc(mp.pi * x), [[1e-200], [1e-5], [0.03], [0.75]]),
    "average": (
        lambda w: anp.average([1, -2], weights=w),
        lambda v, w: (v - 2 * w) / (v + w),
        [[1e200, 3e200], [2, 1]],
    ),
    "mean": (anp.mean, lambda *x: mp.fsum(x) / len(x), [[1e300, -1e300, 3], [5e-324, 1e-323, 0], [1, 2, 3]]),
    "sum": (anp.sum, lambda *x: mp.fsum(x), [[1e16, -1e16, 3], [5e-324, 1, 2]]),
    "prod": (anp.prod, lambda *x: mp.fprod(x), [[1e-200, 1e200, 3], [0, 2, 5], [0, 0, 7], [1e100, 1e100, 1e-300]]),
}


@pytest.mark.parametrize("backend", ["", "python", "llvm"])
@pytest.mark.parametrize("name, at", [(name, at) for name, (*_, places) in COMPOSED.items() for at in places])
def test_composed_functions_are_right_too(name, at, backend):
    function, by_mpmath, _ = COMPOSED[name]
    f = jit(lambda x: value_and_grad(function)(x), backend=backend) if backend else value_and_grad(function)
    with np.errstate(all="ignore"):
        found, slopes = f(np.array(at, float))
    for x, orders in [(found, [0] * len(at)), *zip(slopes, np.eye(len(at), dtype=int).tolist())]:
        right = exact.derivative(by_mpmath, at, orders)
        assert exact.units(np.float64(x), right) <= LIMITS[sum(orders)], (orders, x, mpmath.nstr(right, 20))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "logaddexp twice", "var", "prod", "huber"])
def test_second_derivatives_of_composed_functions(name):
    function, by_mpmath, places = COMPOSED[name]
    for at in places:
        with np.errstate(all="ignore"):
            found = hessian(function)(np.array(at, float))
        for i, j in itertools.product(range(len(at)), repeat=2):
            right = exact.derivative(by_mpmath, at, np.add(*np.eye(len(at), dtype=int)[[i, j]]).tolist())
            assert exact.units(found[i, j], right) <= LIMITS[2], (at, i, j, found[i, j], mpmath.nstr(right, 20))


def test_float16_is_summed_in_more_digits():
    x = np.zeros(70_000, np.float16)
    assert anp.log_softmax(x)[0] == np.float16(-math.log(70_000)) == -anp.logsumexp(x)
    assert anp.softmax(x)[0] == np.float16(1 / 70_000)
    assert Tensor(np.full(4, 300, np.float16)).norm().data == 600
