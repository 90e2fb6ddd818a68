"""Elementwise functions that are composed, at the edges; operators of division; and the methods of ufuncs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, gradients, jit
from autograd.numpy.elementwise import COMPOSED

EDGES = [0.0, -0.0, 1.0, -2.0, 2.5, math.inf, -math.inf, math.nan, 7.0, 1e300]
NAMES = sorted({*COMPOSED, "copysign", "mod", "floor_divide", "nan_to_num", "float_power"} - {"log_sigmoid", "ldexp"})
X, Y = np.array([1.6, -2.3, 0.75]), np.array([[0.5], [4.0]])


def signs_and_numbers(result):
    result = np.array(result if isinstance(result, tuple) else [result])
    return np.where(np.isnan(result), 0.0, np.copysign(1.0, result)), result


@pytest.mark.parametrize("name", NAMES)
def test_edges(name):
    """The sign of zero, infinities and NaN are NumPy's, on floats, Values and Tensors and compiled."""
    pytest.importorskip("llvmlite")
    ours, theirs = getattr(anp, name), getattr(np, name)
    count = 1 if name == "nan_to_num" else getattr(theirs, "nin", 1)
    x, y = (part.ravel() for part in np.meshgrid(EDGES, EDGES))
    args = (x, y)[:count]
    with np.errstate(all="ignore"):
        expected = signs_and_numbers(theirs(*args))
        found = [ours(*map(Tensor, args))]
        found += [jit(lambda *a: ours(*a), backend=backend)(*args) for backend in ("python", "llvm")]
        found += [[ours(*map(Value, numbers)) for numbers in zip(*args)]]
    for result in found:
        if isinstance(result, list):
            result = [tuple(v.data for v in r) if isinstance(r, tuple) else r.data for r in result]
            result = tuple(map(list, zip(*result))) if isinstance(result[0], tuple) else result
        elif isinstance(result, Tensor) or isinstance(result, tuple) and isinstance(result[0], Tensor):
            result = tuple(t.data for t in result) if isinstance(result, tuple) else result.data
        for part, wanted in zip(signs_and_numbers(result), expected):
            np.testing.assert_allclose(part, wanted, rtol=1e-14)


@pytest.mark.parametrize(
    "f, x, slope",
    [
        (lambda x: anp.fmod(x, 3.0), 0.0, 1.0),
        (lambda x: anp.fmod(-7.0, x), 3.0, 2.0),
        (lambda x: x % -3.0, 7.0, 1.0),
        (lambda x: 7.0 % x, -3.0, 3.0),
        (lambda x: 1.0 % x, 0.1, -9.0),  # 1 / 0.1 is rounded to 10
        (lambda x: x // 2.0, 3.0, 0.0),
        (lambda x: 2.0 // x + anp.trunc(x), 3.5, 0.0),
        (lambda x: divmod(x, 2.0)[1] + divmod(7.0, x)[1], 3.0, -1.0),
        (lambda x: +x, 3.0, 1.0),
        (lambda x: anp.copysign(x, -0.0), 3.0, -1.0),
        (lambda x: anp.copysign(x, -1.0), 0.0, 0.0),
        (lambda x: anp.fmax(x, math.nan), 2.0, 1.0),
        (lambda x: anp.fmin(x, 1.0), math.nan, 0.0),
        (lambda x: anp.heaviside(0.0, x), 3.0, 1.0),
        (lambda x: anp.heaviside(x, 3.0), 0.0, 0.0),
        (lambda x: anp.logaddexp2(x, 3.0), 3.0, 0.5),
        (lambda x: anp.nan_to_num(x, posinf=1.0), math.inf, 0.0),
        (lambda x: anp.nan_to_num(x), 3.0, 1.0),
        (lambda x: anp.ldexp(x, 1070), 2.0**-70, math.inf),
        (lambda x: anp.ldexp(x, -2), 3.0, 0.25),
        (lambda x: anp.piecewise(x, [x < 0, x >= 0], [anp.log, anp.square]), 3.0, 6.0),
        (lambda x: anp.piecewise(x, [x > 0, x > 1], [anp.sqrt, anp.exp, 5.0]), -1.0, 0.0),
    ],
)
def test_derivatives_at_a_point(f, x, slope):
    with np.errstate(all="ignore"):
        found = [grad(f)(x), grad(lambda t: f(t).sum())(np.array([x]))[0]]
        found += [jit(grad(f), backend="python")(x)]
    np.testing.assert_array_equal(found, slope)


def test_what_is_not_selected_does_not_warn():
    x = np.array([4.0, -1.0, 0.0])
    expected = np.piecewise(x, [x > 0, x < 0], [np.log, lambda x: 1 / x])
    np.testing.assert_array_equal(anp.piecewise(Tensor(x), [x > 0, x < 0], [anp.log, lambda x: 1 / x]).data, expected)
    with pytest.raises(ValueError, match="to 2 conditions belong as many functions or one more, not 1"):
        anp.piecewise(Tensor(x), [x > 0, x < 0], [anp.log])


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_conditions_are_recorded(backend):
    pytest.importorskip("llvmlite")

    def f(x):
        return anp.piecewise(x, [x < 0.0, x > 2.0], [anp.exp, lambda x: x % 1.5, 0.25])

    compiled = jit(f, backend=backend)
    for x in (X, -X):
        np.testing.assert_allclose(compiled(x), f(Tensor(x)).data, rtol=1e-14)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_operators_beside_numbers(kind):
    for x, y in ((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-6.0, 2.0)):
        for found in (divmod(kind(x), y), divmod(x, kind(y)), divmod(kind(x), kind(y)), (kind(x) // y, x % kind(y))):
            assert [float(part) for part in found] == [*divmod(x, y)]
            assert all(isinstance(part, kind) for part in found)


def test_float32_and_masks():
    x = Tensor([1.0, -2.0], np.float32)
    for name in {*NAMES} - {"float_power"}:
        f = getattr(anp, name)
        out = f(x, 2.0) if getattr(getattr(np, name), "nin", 1) == 2 else f(x)
        assert all(part.dtype == np.float32 for part in (out if isinstance(out, tuple) else [out])), name
    assert anp.float_power(x, 2).dtype == np.float64


METHODS = [
    (lambda np, x, y: np.subtract.outer(x, y), True),
    (lambda np, x, y: np.power.outer(abs(x), y), True),
    (lambda np, x, y: np.arctan2.outer(x, y), True),
    (lambda np, x, y: np.fmod.outer(x, y), True),
    (lambda np, x, y: np.add.reduce(x * y), True),
    (lambda np, x, y: np.add.reduce(x * y, axis=None, initial=2.0), True),
    (lambda np, x, y: np.add.reduce(x * y, 1, keepdims=True), True),
    (lambda np, x, y: np.multiply.reduce(x * y, axis=(0, 1)), True),
    (lambda np, x, y: np.maximum.reduce(x * y), True),
    (lambda np, x, y: np.minimum.reduce(x * y, initial=0.5, where=[True, True, False]), True),
    (lambda np, x, y: np.logaddexp.reduce(x * y, 1), True),
    (lambda np, x, y: np.hypot.reduce(x * y), True),
    (lambda np, x, y: np.add.accumulate(x * y), True),
    (lambda np, x, y: np.multiply.accumulate(x * y, axis=1), True),
    (lambda np, x, y: np.maximum.accumulate(x * y, 1), True),
    (lambda np, x, y: np.minimum.accumulate(x * y), True),
    (lambda np, x, y: np.logaddexp.accumulate(x * y, 1), True),
    (lambda np, x, y: np.greater.outer(x, y), False),
]


@pytest.mark.parametrize("call, smooth", METHODS)
def test_methods_of_ufuncs(call, smooth):
    expected = call(np, X, Y)
    np.testing.assert_array_equal(call(anp, X, Y), expected)
    for names in (np, anp):
        out = call(names, Tensor(X), Tensor(Y))
        np.testing.assert_allclose(out.data if smooth else out, expected, rtol=1e-14)
    if smooth:
        check_gradients(lambda x, y: call(anp, x, y), X, Y)


def test_a_ufunc_here_is_numpys_on_plain_arrays():
    x = np.zeros(3)
    anp.add.at(x, [0, 0, 2], 1.0)
    assert x.tolist() == [2.0, 0.0, 1.0] and anp.add.nin == 2 and anp.add.identity == 0
    assert anp.subtract.reduceat(np.arange(4), [0, 2]).tolist() == np.subtract.reduceat(np.arange(4), [0, 2]).tolist()
    assert not hasattr(anp.sum, "outer") and not hasattr(anp.sigmoid, "outer")


@given(st.floats(-100, 100), st.floats(-100, 100).filter(lambda y: abs(y) > 1e-3))
@settings(max_examples=50)
def test_division_gives_the_number_back(x, y):
    a, b = Value(x), Value(y)
    quotient, rest = divmod(a, b)
    assert quotient.data == math.floor(x / y) or math.isclose(x / y, round(x / y), rel_tol=1e-9, abs_tol=1e-9)
    slopes = gradients(rest, [a, b])
    assert slopes == [1.0, -quotient.data]
