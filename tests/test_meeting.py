"""Numbers beside arrays: a Value acts there as an array of shape (), and its gradient is a float."""

import operator

import numpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
import nn.scalar
from autograd import (
    AnomalyError,
    Tensor,
    Value,
    check_gradients,
    define,
    detect_anomaly,
    draw,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd.graph import history
from autograd.tree import flatten, map_tree

BACKENDS = ["python", "llvm"]
X, Y = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.5, 3.0])
STEPS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "quotient": lambda a, b: a / (b * b + 1.0),
    "power": lambda a, b: (a * a + 1.0) ** anp.tanh(b),
    "hypot": lambda a, b: anp.hypot(anp.exp(anp.tanh(a)), b),
    "where": lambda a, b: anp.where(np.array([True, False, True]), a, b),
    "sum": lambda a, b: anp.sum(a) * anp.cos(b),
    "list": lambda a, b: anp.array([anp.mean(a), 2.0, anp.sum(b)]),
    "stack": lambda a, b: anp.sum(anp.stack([anp.mean(b), anp.mean(a)]) ** 2),
}


def program(steps, leaves):
    """A number from numbers and arrays of three elements."""
    pool = flatten(leaves)
    for name, i, j in steps:
        pool.append(anp.tanh(STEPS[name](pool[i % len(pool)], pool[j % len(pool)])))
    return sum([anp.sum(part) for part in pool[-4:]])


STEP = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9))
PROGRAMS = st.lists(STEP, min_size=2, max_size=6)
NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 2) + 0.005)  # what float32 arrays round is no whole number of them
ARRAYS = st.lists(NUMBERS, min_size=3, max_size=3).map(np.array)
LEAVES = st.tuples(NUMBERS, NUMBERS.map(np.float64), ARRAYS, NUMBERS).map(
    lambda parts: {"w": parts[0], "nested": (parts[1], [parts[2]]), "b": parts[3]}
)


def as_arrays(leaves):
    return map_tree(np.asarray, leaves)


def same(found, expected, rtol=1e-10):
    for x, y in zip(flatten(found), flatten(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


@given(PROGRAMS, LEAVES)
def test_derivatives_are_those_of_arrays_of_shape_0(steps, leaves):
    def f(leaves):
        return program(steps, leaves)

    value, slope = value_and_grad(f)(leaves)
    assert value == f(leaves) or value == pytest.approx(f(leaves), rel=1e-12)
    assert [type(x) for x in flatten(slope)] == [float, float, np.ndarray, float]
    same(slope, grad(f)(as_arrays(leaves)))
    same(hessian(f)(leaves), hessian(f)(as_arrays(leaves)))
    check_gradients(f, leaves, rtol=1e-4)


@given(PROGRAMS, LEAVES)
def test_all_transforms_agree(steps, leaves):
    def f(leaves):
        return program(steps, leaves)

    def slope_along(leaves):
        return sum(anp.sum(x * y) for x, y in zip(flatten(grad(f)(leaves)), flatten(along)))

    along = {"w": 0.5, "nested": (2.0, [Y]), "b": -1.0}
    slope, product = grad(f)(leaves), grad(slope_along)(leaves)
    same(vjp(f, leaves)[1](1.0)[0], slope)
    same(jacobian(f)(leaves), slope)
    same(jvp(f, (leaves,), (along,)), (f(leaves), slope_along(leaves)))
    same(hvp(f)(leaves, along), product)
    same(jvp(grad(f), (leaves,), (along,))[1], product)
    nodes = map_tree(lambda x: Tensor(x) if isinstance(x, np.ndarray) else Value(x), leaves)
    out = f(nodes)
    inner = gradients(out, flatten(nodes), create_graph=True)
    same(map_tree(lambda x: x.data, inner), slope)
    out.backward()
    same([x.grad if x.grad is not None else 0.0 * x.data for x in flatten(nodes)], slope)
    same(gradients(inner[0] + 0 * inner[2].sum(), [flatten(nodes)[0]]), [hessian(f)(leaves)["w"]["w"]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_programs_agree(backend):
    pytest.importorskip("llvmlite")

    @given(PROGRAMS, LEAVES)
    def check(steps, leaves):
        def f(leaves):
            return program(steps, leaves)

        for function in (f, value_and_grad(f), hessian(f), lambda x: vjp(f, x)[1](2.0)):
            compiled = jit(function, backend=backend)
            for x in (leaves, map_tree(lambda x: 0.5 * x + 0.25, leaves)):
                found, expected = compiled(x), function(x)
                same(found, expected, 1e-9)
                assert all(isinstance(part, float) or np.ndim(part) for part in flatten(found))
            assert len(compiled.forms) == 1

    check()


@given(PROGRAMS, LEAVES, st.sampled_from(BACKENDS))
def test_a_number_does_not_widen_float32(steps, leaves, backend):
    def f(leaves):
        return program(steps, leaves)

    single = map_tree(lambda x: x.astype("f4") if isinstance(x, np.ndarray) else x, leaves)
    slope = grad(f)(single)
    assert [type(x) for x in flatten(slope)] == [float, float, np.ndarray, float]
    assert slope["nested"][1][0].dtype == np.float32
    same(slope, grad(f)(leaves), 2e-4)
    same(jit(grad(f), backend=backend)(single), slope, 2e-4)


def test_a_value_has_the_dtype_of_what_it_meets():
    w, wide, single = Value(1.1), X, X.astype("f4")
    for x, dtype in [(wide, "f8"), (single, "f4"), (np.arange(3), "f8"), (X > 0, "f8"), (np.array(2.0, "f4"), "f4")]:
        for out in (w * x, x * w, w * Tensor(x, dtype), Tensor(x, dtype) * w, anp.hypot(x, w)):
            assert isinstance(out, Tensor) and out.dtype == dtype and out.shape == np.shape(x)
    assert (w * np.float32(2.0)).data == 2.2 and isinstance(np.float64(2.0) * w, Value)  # these are numbers
    assert anp.where(X > 0, w, 0.0).dtype == np.float64
    assert anp.stack([Tensor(single)[0], w]).dtype == np.float32
    (g,) = gradients((w * single).sum() * w, [w], create_graph=True)
    assert g.dtype == np.float64 and gradients(g, [w])[0] == pytest.approx(2 * single.sum())


@pytest.mark.parametrize("name", "add sub mul truediv pow".split())
def test_every_operator_meets(name):
    combine, w = getattr(operator, name), Value(1.5)
    for other in (X + 2, Tensor(X + 2), [2.5, 1.0, 4.0]):
        array = getattr(other, "data", other) if isinstance(other, Tensor) else np.asarray(other)
        np.testing.assert_array_equal(combine(w, other).data, combine(1.5, array))
        np.testing.assert_array_equal(combine(other, w).data, combine(array, 1.5))
    check_gradients(lambda w: combine(w, X + 2) + combine(X + 2, w) * w, 1.5)


@pytest.mark.parametrize("name", "lt le gt ge eq ne".split())
def test_comparisons_meet(name):
    compare = getattr(operator, name)
    for x in (X, np.array(0.5), np.float64(0.5)):
        expected = compare(0.5, x), compare(x, 0.5)
        for other in (x, Tensor(x)):
            np.testing.assert_array_equal(compare(Value(0.5), other), expected[0])
            np.testing.assert_array_equal(compare(other, Value(0.5)), expected[1])
    assert (Value(0.5) == [0.5]) is False


def test_the_number_from_outside_of_a_derivative_by_an_array():
    def f(w):
        return grad(lambda x: anp.sum(w**2 * x**3))(X)[1] + anp.sum(grad(lambda v: anp.sum(v * w * X))(2.0) * X)

    check_gradients(f, 1.5)
    assert grad(f)(1.5) == pytest.approx(6 * 1.5 * X[1] ** 2 + X.sum() * X.sum())
    assert jit(grad(f))(1.5) == pytest.approx(grad(f)(1.5))


def test_jacobians_by_rows_and_by_columns():
    def long(p):
        return {"long": p["w"] * anp.sin(p["x"] * Y) ** 2, "number": p["w"] ** 2}

    def short(p):
        return anp.sum(long(p)["long"]) * anp.ones_like(Y[:1]) * p["w"]

    p = {"w": 0.5, "x": X}
    for f in (long, short, lambda p: long({"w": p["w"], "x": X})):
        found, expected = jacobian(f)(p), jacobian(f)({"w": np.array(0.5), "x": X})
        same(found, expected)
        assert [np.shape(x) for x in flatten(found)] == [np.shape(x) for x in flatten(expected)]
    assert type(jacobian(long)(p)["number"]["w"]) is float


def test_backward_through_the_meeting():
    w, b, x = Value(2.0), Value(1.0), Tensor(X)
    hidden = w * b
    out = ((hidden * x + w - Y) ** 2).mean() * w
    out.backward()
    found = w.grad, b.grad, x.grad.copy()
    check = grad(lambda w, b, x: anp.mean((w * b * x + w - Y) ** 2) * w, (0, 1, 2))(2.0, 1.0, X)
    same(found, check)
    assert type(w.grad) is float and type(hidden.grad) is float
    out.backward()
    same((w.grad, b.grad, x.grad), map_tree(lambda g: 2 * g, check))
    assert gradients(w * 2, [x])[0].tolist() == [0.0, 0.0, 0.0]  # no number is made of an array
    assert gradients(anp.sum(w * X), [Value(1.0)]) == [0.0]
    assert gradients(w * x, [w], seed=[1.0, 0.0, 2.0]) == [4.5]


def test_history_pictures_and_no_grad_see_the_meeting():
    w, x = Value(2.0, name="w"), Tensor(X, name="x")
    inner = w.exp()
    out = (inner * x).sum()
    nodes = history(out, inner)
    assert {w, x, inner, out} <= {*nodes} and len(nodes) == 6
    assert [node.when for node in nodes] == sorted((node.when for node in nodes), reverse=True)
    out.backward()
    (cast,) = [node for node in nodes if node.operation is not None and node.operation.name == "cast"]
    assert cast.grad == X.sum() == inner.grad and w.grad == inner.data * X.sum()
    picture = draw(out).source
    assert "cast" in picture and "w" in picture and "x" in picture
    with no_grad():
        assert (w * X).args == () and anp.sum([w, w]).args == ()


def test_anomalies_are_found_on_both_sides():
    with np.errstate(all="ignore"), detect_anomaly():
        assert grad(lambda w: anp.sum(w * X))(2.0) == X.sum()
        with pytest.raises(AnomalyError, match=r"(?s)log.*test_meeting.py"):
            grad(lambda w: anp.sum(anp.log(w - 1.0) * X))(1.0)
        with pytest.raises(AnomalyError, match=r"(?s)gradient of sqrt.*test_meeting.py"):
            grad(lambda w: anp.sum(anp.sqrt(w) * X))(0.0)
        with pytest.raises(AnomalyError, match=r"(?s)gradient of sqrt.*test_meeting.py"):
            grad(lambda w: anp.sum(anp.sqrt(w * X**2)))(0.0)


def test_operations_of_the_user_meet():
    cube = define("meeting_cube(x, y) = x ** 3 * y | g * (3 * x ** 2 * y) | g * x ** 3")
    total = define("meeting_total(x) = sum(x, None) | expand(g, x.shape)")
    check_gradients(lambda w: anp.sum(cube(w, X) + cube(X, w)), 1.5)
    assert grad(lambda w: total(w) * 2)(3.0) == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_programs_of_values_and_tensors_from_outside(backend):
    pytest.importorskip("llvmlite")
    w, t = Value(2.0), Tensor(Y)
    mixed = jit(lambda x: (anp.sum((w * x - t) ** 2), w * x), backend=backend)
    of_number = jit(lambda v: {"array": v * t, "number": v * v}, backend=backend)
    sliced = jit(lambda x: grad(lambda x: anp.sum(w * x[:2] ** 2))(x), backend=backend)
    for w.data in (2.0, -1.0):
        found = mixed(X)
        assert found[0].data == pytest.approx(np.sum((w.data * X - Y) ** 2))
        np.testing.assert_allclose(found[1].data, w.data * X)
        np.testing.assert_allclose(of_number(w.data)["array"].data, w.data * Y)
        assert repr(of_number(w.data)["number"]) == repr(w.data**2)
        np.testing.assert_allclose(sliced(X).data, 2 * w.data * X * [1, 1, 0])
        inner = jit(lambda x: (grad(lambda v: anp.sum(v**2 * x))(w), grad(lambda u: (u * x).sum())(t)), backend=backend)
        first, second = inner(X)
        same((first.data, second), (2 * w.data * X.sum(), X))
    assert len(mixed.forms) == len(of_number.forms) == len(sliced.forms) == 1
    model = nn.scalar.MLP(2, [3, 1], rng=0)
    np.testing.assert_allclose(
        jit(lambda x: model([x, x * x]), backend=backend)(X).data, [model([x, x * x]).data for x in X]
    )


def test_comparisons_of_numbers_count_inside_a_compiled_mixture():
    def f(w, x):
        return anp.sum(anp.where(w > 0.0, w, -3 * w) * x) + ((w > 0.0) + (w > -1.0)) * x[0]

    for backend in BACKENDS:
        compiled = jit(value_and_grad(f), backend=backend)
        for w in (2.0, -0.5, -2.0):
            same(compiled(w, X), value_and_grad(f)(w, X))


@pytest.mark.parametrize(
    "f, error, message",
    [
        (lambda w: w * np.array(["a"]), TypeError, "real numbers, not <U1"),
        (lambda w: w * np.ones(2, complex), TypeError, "real numbers, not complex128"),
        (lambda w: w * np.ma.masked_array(X, X > 0), TypeError, "would lose its mask"),
        (lambda w: w * None, TypeError, "needs a real number, not None"),
        (lambda w: w @ X, ValueError, "a scalar has no matrix product"),
        (lambda w: anp.array([[w], [w, w]]), ValueError, r"parts have one shape, not the shapes \(1,\), \(2,\)"),
        (lambda w: anp.sum([w, X]), ValueError, r"not the shapes \(\), \(3,\)"),
        (lambda w: Tensor(w), TypeError, "this is a Value already"),
        (lambda w: Value(Tensor(X)), TypeError, "needs a real number, not Tensor"),
        (lambda w: numpy.mean([w, w]), TypeError, "a function of autograd.numpy"),
        (lambda w: operator.iadd(np.ones(3), w), TypeError, r"a = a \+ t"),
        (lambda w: X.copy().__setitem__(0, w), TypeError, "only float|into an array"),
        (lambda w: (w * X) + np.ones(2), ValueError, r"add: x of shape \(3,\), y of shape \(2,\)"),
        (lambda w: gradients(w * X, [w]), ValueError, r"shape \(3,\) needs a seed"),
        (lambda w: grad(lambda w: w * X)(2.0), TypeError, "one number as their result, this one returned 3"),
    ],
)
def test_mistakes_are_named(f, error, message):
    with pytest.raises(error, match=message):
        f(Value(1.5))
