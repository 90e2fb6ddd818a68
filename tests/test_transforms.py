"""grad and value_and_grad: structure, composition, and derivatives of derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, value_and_grad


@given(st.floats(-3, 3))
def test_derivatives_of_every_order_of_sin(x):
    f = anp.sin
    for expected in (math.cos(x), -math.sin(x), -math.cos(x), math.sin(x)):
        f = grad(f)
        assert f(x) == pytest.approx(expected, abs=1e-12)


def test_the_gradient_has_the_structure_of_the_argument():
    def loss(params, x):
        hidden = anp.tanh(x @ params["layers"][0] + params["bias"])
        return (hidden @ params["layers"][1]).sum() * params["scale"]

    params = {"layers": [np.ones((2, 3)), np.ones((3, 1))], "bias": np.zeros(3), "scale": 2.0}
    value, gradient = value_and_grad(loss)(params, np.ones((4, 2)))
    assert value == pytest.approx(24 * math.tanh(2))
    assert gradient.keys() == params.keys() and isinstance(gradient["scale"], float)
    assert [g.shape for g in gradient["layers"]] == [(2, 3), (3, 1)] and gradient["bias"].shape == (3,)
    check_gradients(loss, params, np.ones((4, 2)))


def test_argnum():
    def f(x, y):
        return x * x * y

    assert grad(f, 1)(3.0, 5.0) == 9.0
    assert grad(f, (0, 1))(3.0, 5.0) == (30.0, 9.0)
    assert value_and_grad(f, (1,))(3.0, 5.0) == (45.0, (9.0,))
    with pytest.raises(TypeError, match="argnum 2: .* 2 positional"):
        grad(f, 2)(3.0, 5.0)


def test_an_inner_derivative_is_not_confused_with_an_outer_one():
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(3.0) == 1.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(5.0) == 20.0


def test_a_node_from_outside_makes_the_gradient_a_node():
    x = Value(3.0)
    slope = grad(lambda y: x * y * y)(2.0)
    assert isinstance(slope, Value) and slope.data == 12.0
    slope.backward()
    assert x.grad == 4.0
    w = Tensor([1.0, 2.0])
    g = grad(lambda v: (v * v * v).sum())(w)
    g.sum().backward()
    np.testing.assert_array_equal(w.grad, [6.0, 12.0])


def test_constant_functions_and_unused_arguments_have_zero_gradients():
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert grad(lambda x, y: x * 2, 1)(1.0, 2.0) == 0.0
    np.testing.assert_array_equal(grad(lambda x, y: x.sum(), 1)(np.ones(2), np.ones((2, 2))), np.zeros((2, 2)))


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="one number as their result, this one returned 3"):
        grad(lambda x: x * 2)(np.ones(3))
    with pytest.raises(TypeError, match="not str"):
        grad(lambda x: x)("text")


def test_dtype_and_integer_arguments():
    assert grad(lambda x: (x * x).sum())(np.ones(2, np.float32)).dtype == np.float32
    assert grad(lambda x: (x * x).sum())(np.array([1, 2])).tolist() == [2.0, 4.0]
    assert grad(lambda x: x ** 2)(3) == 6.0


def test_check_gradients_names_the_worst():
    def wrong(x):
        return (x * x.detach() if isinstance(x, (Tensor, Value)) else x * x) * 3

    with pytest.raises(AssertionError, match=r"wrong.*argument 0.*element \(0,\).*finite differences give"):
        check_gradients(wrong, np.array([1.0, 2.0]))
    with pytest.raises(AssertionError, match="derivative of second_is_wrong"):
        check_gradients(lambda_with_wrong_second, 2.0)
    check_gradients(lambda_with_wrong_second, 2.0, order=1)


def lambda_with_wrong_second(x):
    """3 x**2 by its value and first derivative; the second is lost with the detached slope."""
    slope = 6 * (x.detach() if isinstance(x, Value) else x)
    at = x.data if isinstance(x, Value) else x
    return slope * (x - at) + 3 * at * at


lambda_with_wrong_second.__name__ = "second_is_wrong"
