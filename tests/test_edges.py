"""At 0, infinity, NaN, the smallest and the largest numbers: no exception, and one answer by every reading.

Values, arrays and both printers agree on each row, its first and its second derivatives, and on Python's own numbers
beside nodes; mixed second derivatives agree in either order.
"""

import functools
import itertools
import math
import operator

import numpy as np
import pytest

import autograd.numpy as anp
from autograd import Tensor, Value, grad, gradients, hvp, jit
from autograd.operation import ELEMENTWISE, INNER

from .derivatives import by_program, by_tensors, by_values

pytest.importorskip("llvmlite")
INF, NAN = math.inf, math.nan
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, -8.0, INF, -INF, NAN, 5e-324, -1e-310, 1e-200, 1.7e308, -1.7e308, 5000.0]
CONSTANTS = [0, 1, -1, 2, -2, 5000, 10**18, 10**300, 0.0, -0.0, 1 / 3, 1e308, 5e-324, INF, -INF, NAN, True, False]
BINARY = [getattr(operator, name) for name in "add sub mul truediv pow mod floordiv".split()]
BINARY += [anp.maximum, anp.fmin, anp.hypot, anp.arctan2, anp.logaddexp, anp.copysign, anp.heaviside]
READINGS = {"values": by_values, "python": by_program("python"), "llvm": by_program("llvm")}


def agree(found, expected, sign=False):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)
    if sign:
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(found)[numbers], np.signbit(expected)[numbers])


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_every_reading_of_a_row_agrees(row):
    where = [np.array(x) for x in zip(*itertools.product(EDGES, repeat=min(len(row.arguments), 2)))]
    if row.name == "where":
        where.insert(0, where[0] > 0)
    order = 2 if row.pullbacks else 0
    with np.errstate(all="ignore"):
        expected = by_tensors(row, order, where)
        for compute in READINGS.values():
            for orders, found in compute(row, order, where).items():
                agree(found, expected[orders], sign=not any(orders))


@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if len(row.pullbacks) == 2 and row not in INNER])
def test_mixed_derivatives_agree_in_either_order(row):
    x, y = (Tensor(column) for column in zip(*itertools.product(EDGES, repeat=2)))
    ones = np.ones(x.shape)
    with np.errstate(all="ignore"):
        by_x, by_y = gradients(row(x, y), [x, y], create_graph=True, seed=ones)
        agree(gradients(by_x, [y], seed=ones)[0], gradients(by_y, [x], seed=ones)[0])


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("right", [False, True])
def test_numbers_of_python_beside_nodes(function, right):
    def derivatives_beside(constant, x):
        y = function(x, constant) if right else function(constant, x)
        seed = None if isinstance(y, Value) else np.ones(y.shape)
        (slope,) = gradients(y, [x], create_graph=True, seed=seed)
        return [y, slope, *gradients(slope, [x], create_graph=True, seed=seed)]

    with np.errstate(all="ignore"):
        for constant in CONSTANTS:
            expected = [y.data for y in derivatives_beside(constant, Tensor(EDGES))]
            numbers = zip(*([y.data for y in derivatives_beside(constant, Value(x))] for x in EDGES))
            python = jit(functools.partial(derivatives_beside, constant), backend="python")(np.array(EDGES))
            for found in (numbers, python):
                for ours, theirs in zip(found, expected, strict=True):
                    agree(ours, theirs)


MASKED = {
    "a mask of nodes": lambda x: (x > 0) * x,
    "from the right": lambda x: x * (x > 0),
    "an array": lambda x: x * np.array([False, False, False]),
    "a flag": lambda x: x * False,
    "two of them": lambda x: (x > 0) * (x < 5) * x,
}
SINGULAR = [anp.sqrt, anp.log, lambda y: 1 / y, lambda y: y / 0.0, lambda y: y**-0.5, lambda y: y * INF, anp.norm]


@pytest.mark.parametrize("mask", MASKED)
@pytest.mark.parametrize("singular", SINGULAR)
def test_a_product_with_a_mask_selects(mask, singular):
    x = np.array([-1.0, -2.0, -0.5])

    def f(x):
        return anp.sum(singular(MASKED[mask](x)))

    with np.errstate(all="ignore"):
        for slope in (grad(f), jit(grad(f), backend="python"), jit(grad(f), backend="llvm")):
            np.testing.assert_array_equal(slope(x), 0)
        for product in (hvp(f), jit(hvp(f), backend="python"), jit(hvp(f), backend="llvm")):
            np.testing.assert_array_equal(product(x, np.ones(3)), 0)


def test_a_product_with_a_mask_has_the_value_of_a_product():
    with np.errstate(invalid="ignore"):
        assert np.isnan((Tensor([INF, NAN]) * np.array([False, False])).data).all()
