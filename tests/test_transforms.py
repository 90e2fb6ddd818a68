"""grad and value_and_grad: structure, composition, and derivatives of derivatives."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import (
    Tensor,
    Value,
    check_gradients,
    define,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    value_and_grad,
    vjp,
)


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


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, jacfwd, jacrev, hessian, hvp, elementwise_grad])
def test_argnums_is_another_name_for_argnum(transform):
    def f(x, y):
        return x * x * y

    more = ((1.0, 2.0),) if transform is hvp else ()
    both = transform(f, argnums=(0, 1))(3.0, 5.0, *more)
    assert both == transform(f, (0, 1))(3.0, 5.0, *more) == transform(f, argnum=(0, 1))(3.0, 5.0, *more)
    with pytest.raises(TypeError, match="argnum and argnums are two names for one thing.*: 0 or 1"):
        transform(f, 0, argnums=1)
    for wrong in ("x", 1.5, (0, "y")):
        with pytest.raises(TypeError, match="the position of an argument, or a tuple of positions, not"):
            transform(f, wrong)


@pytest.mark.parametrize("backend", ["", "python", "llvm"])
@given(x=st.floats(0.5, 2.0), dtype=st.sampled_from([np.float32, np.float64]), array=st.booleans())
def test_a_number_of_numpy_keeps_its_dtype(x, dtype, array, backend):
    """float32 is none of Python's floats, and neither widened by one nor as one."""
    compiled = functools.partial(jit, backend=backend) if backend else lambda f: f
    x = np.array(x, dtype) if array else dtype(x)
    f = lambda x: anp.sum(anp.tanh(x) * x)
    for transform in (lambda f: f, grad, lambda f: lambda x: jvp(f, (x,), (x,))[1], lambda f: lambda x: hvp(f)(x, x)):
        assert np.asarray(compiled(transform(f))(x)).dtype == dtype


def test_aux_is_handed_on():
    def f(x, y):
        return (x * y).sum(), {"twice": x * 2, "text": "as it is", "nothing": None}

    x, y = np.ones(2), np.array([3.0, 4.0])
    gradient, aux = grad(f, has_aux=True)(x, y)
    assert gradient.tolist() == [3.0, 4.0] and aux["text"] == "as it is" and aux["nothing"] is None
    assert type(aux["twice"]) is np.ndarray and aux["twice"].tolist() == [2.0, 2.0]
    (value, aux), gradients = value_and_grad(f, (0, 1), has_aux=True)(x, y)
    assert value == 7.0 and aux["twice"].tolist() == [2.0, 2.0] and gradients[1].tolist() == [1.0, 1.0]
    slope = grad(lambda x: grad(lambda y: (x * y * y, x * y), has_aux=True)(3.0)[1])(5.0)
    assert slope == 3.0  # a node from outside stays one in aux
    assert jit(lambda x: grad(f, has_aux=True)(x, y)[1]["twice"], backend="python")(x).tolist() == [2.0, 2.0]
    with pytest.raises(TypeError, match=r"has_aux: .* must return a pair \(value, aux\), not Value\(9.0\)"):
        grad(lambda x: x * x, has_aux=True)(3.0)


@pytest.mark.parametrize("x", [0.7, np.array([0.5, -2.0, 3.0]), np.zeros((0, 2))])
def test_elementwise_grad_is_the_diagonal(x):
    slope = elementwise_grad(anp.sin)(x)
    np.testing.assert_allclose(slope, np.cos(x), rtol=1e-15)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(anp.sin))(x), -np.sin(x), rtol=1e-15)
    with pytest.raises(TypeError, match="one array, not tuple"):
        elementwise_grad(lambda x: (x, x))(x)


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


NO_NUMBERS = [
    None,
    "text",
    ["a", 1.0],
    {"x": None},
    1j,
    np.ones(2, complex),
    np.array(["a"]),
    pytest.param(object(), id="object"),
    print,
]


@pytest.mark.parametrize("result", [*NO_NUMBERS, np.ma.array([1.0], mask=[True])], ids=repr)
@pytest.mark.parametrize("x", [1.0, np.ones(2)], ids=["float", "array"])
def test_a_result_that_is_no_number_is_named(result, x):
    def f(x):
        return result

    calls = [transform(f) for transform in (grad, value_and_grad, jacobian, jacfwd, jacrev, hessian, elementwise_grad)]
    calls += [jit(call) for call in calls] + [lambda x: vjp(f, x), lambda x: jvp(f, (x,), (x,))]
    calls += [lambda x: hvp(f)(x, x), lambda x: check_gradients(f, x)]
    for call in calls:
        with pytest.raises(TypeError, match=f"this one returned .*{type(result).__name__}"):
            call(x)
    with pytest.raises(TypeError, match="is a return missing"):
        grad(lambda x: None)(x)


def test_dtype_and_integer_arguments():
    assert grad(lambda x: (x * x).sum())(np.ones(2, np.float32)).dtype == np.float32
    assert grad(lambda x: (x * x).sum())(np.array([1, 2])).tolist() == [2.0, 4.0]
    assert grad(lambda x: x**2)(3) == 6.0


def test_check_gradients_names_the_worst():
    def wrong(x, params):
        lost = params["b"][0]
        lost = lost.detach() if isinstance(lost, Tensor) else lost
        return (x * x).sum() + (params["b"][0] * lost * np.array([0.001, 1.0])).sum()

    with pytest.raises(AssertionError, match=r"wrong.*argument 1\['b'\]\[0\], element \(1,\).*finite differences give"):
        check_gradients(wrong, np.array([1.0, 2.0]), {"b": [np.array([3.0, 4.0])]})
    with pytest.raises(AssertionError, match="derivative of second_is_wrong"):
        check_gradients(lambda_with_wrong_second, 2.0)
    check_gradients(lambda_with_wrong_second, 2.0, order=1)
    for row in ("x * 0.0", "x * 1.0"):
        with pytest.raises(AssertionError, match="is nan, finite differences give"):
            check_gradients(define(f"without_slope(x) = {row} | g * (inf - inf)"), 1.0)
    check_gradients(lambda x: x * math.nan, 1.0, order=1)  # as the differences say


def test_check_gradients_along_directions_costs_a_few_evaluations():
    calls = []

    def f(x):
        calls.append(1)
        return (x * anp.sin(x)).sum()

    check_gradients(f, np.linspace(-2, 2, 10_000), directions=3)
    assert len(calls) < 120
    with pytest.raises(AssertionError, match="random direction"):
        check_gradients(lambda x: (x * (x.detach() if isinstance(x, Tensor) else x)).sum(), np.ones(100), directions=2)
    check_gradients(lambda x: (x**3).sum(), np.ones((2, 2), np.float32), order=3)


def lambda_with_wrong_second(x):
    """3 x**2 by its value and first derivative; the second is lost with the detached slope."""
    slope = 6 * (x.detach() if isinstance(x, Value) else x)
    at = x.data if isinstance(x, Value) else x
    return slope * (x - at) + 3 * at * at


lambda_with_wrong_second.__name__ = "second_is_wrong"


def curved(x):
    """Five numbers of three, with every derivative."""
    return anp.stack([x[0] * x[1], anp.sin(x[2]), x[0] ** 2 * x[2], x[1] / x[2], anp.exp(x[0] * x[2])])


POINT = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "f", [curved, lambda x: curved(x)[:1], lambda x: (x * x).sum(), lambda x: anp.outer(x, curved(x))]
)
def test_jacobian_is_rows_of_vjp_and_columns_of_jvp(f):
    full = jacobian(f)(POINT)
    out, pull = vjp(f, POINT)
    assert full.shape == np.shape(out) + (3,)
    matrix = full.reshape(-1, 3)
    for i, unit in enumerate(np.eye(matrix.shape[0])):
        np.testing.assert_allclose(pull(unit.reshape(np.shape(out)))[0], matrix[i], rtol=1e-12, atol=1e-15)
    for j, unit in enumerate(np.eye(3)):
        value, tangent = jvp(f, (POINT,), (unit,))
        np.testing.assert_allclose(np.ravel(tangent), matrix[:, j], rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(value, out)


@pytest.mark.parametrize("transform", [jacfwd, jacrev, jacobian])
def test_forward_reverse_and_the_cheaper_one_agree(transform):
    np.testing.assert_allclose(transform(curved)(POINT), jacobian(curved)(POINT), rtol=1e-12, atol=1e-15)
    nested = transform(lambda p: {"a": p["x"] * p["y"], "b": [p["x"].sum()]})({"x": POINT, "y": np.array(2.0)})
    assert nested["a"]["y"].tolist() == POINT.tolist() and nested["b"][0]["x"].tolist() == [1.0] * 3
    second = transform(transform(lambda x: anp.exp(x) * x[0]))(POINT)
    np.testing.assert_allclose(second, hessian(lambda x: anp.exp(x) * x[0])(POINT), rtol=1e-12)
    assert transform(lambda x: x[:0])(POINT).shape == (0, 3) and transform(lambda x: x)(np.ones(0)).shape == (0, 0)
    compiled = jit(transform(curved), backend="python")
    np.testing.assert_allclose(compiled(POINT), jacobian(curved)(POINT), rtol=1e-12, atol=1e-15)


def test_the_hessian_of_several_results_is_one_for_each():
    full = hessian(curved)(POINT)
    assert full.shape == (5, 3, 3)
    for i in range(5):
        np.testing.assert_allclose(full[i], hessian(lambda x, i: curved(x)[i])(POINT, i), rtol=1e-12, atol=1e-15)
    nested = hessian(lambda x, y: {"p": x * x * y, "q": [x * y]}, (0, 1))(2.0, 3.0)
    assert nested == {"p": ((6.0, 4.0), (4.0, 0.0)), "q": [((0.0, 1.0), (1.0, 0.0))]}


def test_hessian_and_its_product_with_a_vector():
    def f(x):
        return (curved(x) ** 2).sum()

    full, vector = hessian(f)(POINT), np.array([0.3, -1.0, 2.0])
    step = 1e-5 * np.eye(3)
    numeric = np.array([(grad(f)(POINT + d) - grad(f)(POINT - d)) / 2e-5 for d in step])
    np.testing.assert_allclose(full, numeric, rtol=1e-6)
    np.testing.assert_allclose(hvp(f)(POINT, vector), full @ vector, rtol=1e-12)
    np.testing.assert_allclose(jvp(grad(f), (POINT,), (vector,))[1], full @ vector, rtol=1e-12)
    assert jacobian(hessian(f))(POINT).shape == (3, 3, 3)


def test_structures_of_transformations():
    assert hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0}) == {
        "a": {"a": 6.0, "b": 4.0},
        "b": {"a": 4.0, "b": 0.0},
    }
    assert jacobian(lambda x: {"twice": x * 2, "constant": 1.0})(2.0) == {"twice": 2.0, "constant": 0.0}
    assert jacobian(lambda x, y: [x * y, x], (0, 1))(2.0, 3.0) == [(3.0, 2.0), (1.0, 0.0)]
    value, pull = vjp(lambda x, y: (x * y, y), 2.0, 3.0)
    assert value == (6.0, 3.0) and pull((1.0, 10.0)) == (3.0, 12.0)
    assert jvp(lambda x, y: {"p": x * y}, (2.0, 3.0), (1.0, 0.0)) == ({"p": 6.0}, {"p": 3.0})
    assert jvp(lambda x: (x * 2, 3.0, np.float32(1)), (1.0,), (1.0,)) == ((2.0, 3.0, 1.0), (2.0, 0.0, 0.0))
    wide = jacobian(lambda x: x.reshape(2, 2).T)(np.arange(4.0))
    assert wide.shape == (2, 2, 4) and wide[0, 1].tolist() == [0, 0, 1, 0]
    assert hvp(lambda x, y: (x * x * y).sum(), 1)(np.ones(2), np.ones(2), np.ones(2)).tolist() == [0.0, 0.0]


def test_transformations_nest():
    assert grad(lambda a: jvp(lambda x: x**3 * a, (2.0,), (1.0,))[1])(3.0) == 12.0
    assert jvp(lambda a: grad(lambda x: x**3 * a)(2.0), (3.0,), (1.0,))[1] == 12.0
    assert grad(lambda a: vjp(lambda x: x**2 * a, 3.0)[1](1.0)[0])(2.0) == 6.0
    assert hessian(lambda x: hessian(lambda y: x**2 * y**2)(1.0))(3.0) == 4.0
    assert grad(lambda x: hvp(lambda y: y**3 * x)(2.0, 1.0))(5.0) == 12.0
    np.testing.assert_allclose(
        jacobian(lambda x: jacobian(anp.sin)(x).sum(0))(POINT), np.diag(-np.sin(POINT)), atol=1e-15
    )
    assert jvp(lambda x: x * jvp(lambda y: x * y, (x,), (1.0,))[1], (3.0,), (1.0,))[1] == 6.0


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: jvp(lambda x: x, (1.0,), ([1.0, 2.0],)),
            r"tangents must have the shapes \[\(\)\], not \[\(\), \(\)\]",
        ),
        (lambda: vjp(curved, POINT)[1](np.ones(4)), r"cotangent must have the shapes \[\(5,\)\], not \[\(4,\)\]"),
        (lambda: hvp(lambda x: x.sum())(POINT, 1.0), r"vector must have the shapes"),
    ],
)
def test_shapes_that_do_not_match_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_unselected_branch_passes_nothing_forward_either():
    root = (lambda x: anp.where(x > 0, anp.sqrt(x), 0.0),)
    assert jvp(*root, (np.array([0.0, 4.0]),), (np.ones(2),))[1].tolist() == [0.0, 0.25]
    assert jacobian(*root)(np.array([0.0, 4.0])).tolist() == [[0.0, 0.0], [0.0, 0.25]]


def test_gradients_of_a_constant_and_of_nothing():
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert jacobian(lambda x: np.ones(2))(POINT).tolist() == [[0.0] * 3] * 2
    assert gradients(Value(1.0), []) == []
