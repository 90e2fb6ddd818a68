"""A jitted function in a larger graph: the same derivatives to every order, and every result is one operation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import (
    AnomalyError,
    Tensor,
    TracingError,
    Value,
    check_gradients,
    checkpoint,
    define,
    detect_anomaly,
    grad,
    gradients,
    hessian,
    hvp,
    jit,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd.compiler import applying
from autograd.tree import flatten, map_tree

pytest.importorskip("llvmlite")
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])
W = np.array([[0.5, -1.0, 0.3], [0.2, 0.8, -0.6]])
X = np.array([0.3, -0.7, 1.2])
NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 2) + 0.005)
FUNCTIONS = {
    "of numbers": (lambda x, y: anp.sin(x * y) * anp.exp(-x * x) + y**3, (0.7, -1.3)),
    "of arrays": (lambda x, w: anp.sum(anp.tanh(w @ x) ** 3 * w[0, 1]), (X, W)),
    "of both": (lambda s, x: anp.sum(anp.sin(s * x) * x) + s**3, (0.7, X)),
    "of masks": (lambda s, x: anp.sum(anp.where(x > s, anp.relu(x) * s, x**3)) + anp.sum(x > 0), (0.1, X)),
    "of a solution": (lambda a, x: anp.sum(anp.linalg.solve(a @ a.T + np.eye(2), x[:2]) ** 2), (W, X)),
}
every_function = pytest.mark.parametrize("f, args", FUNCTIONS.values(), ids=FUNCTIONS)


def same(ours, theirs, rtol=1e-10):
    for x, y in zip(flatten(ours), flatten(theirs), strict=True):
        assert type(x) is type(y)
        x, y = (part.data if isinstance(part, (Value, Tensor)) else part for part in (x, y))
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-12)


@every_backend
@every_function
def test_derivatives_are_those_of_the_function(f, args, backend):
    backend = "auto" if f is FUNCTIONS["of a solution"][0] and backend == "llvm" else backend
    compiled, along = jit(f, backend=backend), tuple(0.5 * x for x in args)
    for derivatives in (
        lambda f: value_and_grad(f, (0, 1))(*args),
        lambda f: hessian(f, (0, 1))(*args),
        lambda f: jvp(f, args, along),
        lambda f: vjp(f, *args)[1](2.0),
        lambda f: hvp(lambda x: f(x, args[1]))(args[0], along[0]),
        lambda f: grad(lambda s: sum(anp.sum(g) ** 2 for g in grad(f, (0, 1))(args[0] * s, args[1])))(1.5),
        lambda f: hessian(lambda s: anp.sum(grad(f)(args[0] * s, args[1])))(1.5),
    ):
        same(derivatives(compiled), derivatives(f))
    assert len(compiled.forms) == 1


@every_backend
def test_derivatives_against_finite_differences_to_the_third(backend):
    for f, args in (FUNCTIONS["of numbers"], FUNCTIONS["of both"]):
        check_gradients(jit(f, backend=backend), *args, order=3)


@every_backend
def test_results_have_the_structure_and_the_kinds_of_the_functions_own(backend):
    def f(x, v, *, mode):
        y = {"array": x * v, "number": v * v, "mask": x > 0.1, "of masks": (x > 0.1) * 2.0, mode: [3.0, None, "a"]}
        return {**y, "detached": x.detach(), "same": [v * v, (x * x).sum()], "floor": anp.floor(x)}

    compiled = jit(f, backend=backend)
    for x, v in ((Tensor(X), Value(2.0)), (Tensor(X), 2.0), (X, Value(2.0))):
        ours, theirs = compiled(x, v, mode="m"), f(Tensor(x) if x is X else x, Value(2.0), mode="m")
        assert list(ours) == list(theirs) and ours["m"] == [3.0, None, "a"]
        for key in ("array", "number", "mask", "of masks", "same"):
            for a, b in zip(flatten(ours[key]), flatten(theirs[key]), strict=True):
                np.testing.assert_allclose(getattr(a, "data", a), getattr(b, "data", b))
        assert isinstance(ours["array"], Tensor) and isinstance(ours["number"], Value) == isinstance(v, Value)
        assert type(ours["mask"]) is type(ours["of masks"]) is np.ndarray and ours["mask"].dtype == bool
        assert isinstance(ours["detached"], Tensor) == isinstance(ours["floor"], Tensor) == isinstance(x, Tensor)
    plain = compiled(X, 2.0, mode="m")
    assert not any(isinstance(part, (Value, Tensor)) for part in flatten(plain)) and type(plain["number"]) is float
    assert len(compiled.forms) == 1


@every_backend
@settings(max_examples=20)
@given(NUMBERS, NUMBERS)
def test_what_a_function_closes_over_gets_its_gradient(backend, a, b):
    def slopes(wrap):
        w, v, unused, x = Tensor(X), Value(a), Tensor(W), Value(b)
        f = wrap(lambda x: {"y": anp.sum(w * x) * v, "z": [x * v, anp.sum(unused)]})
        out = f(x)
        (out["y"] * out["z"][0]).backward()
        return w.grad, v.grad, x.grad, unused.grad

    for x, y in zip(slopes(lambda f: jit(f, backend=backend)), slopes(lambda f: f)):
        assert (x is None) is (y is None)
        if x is not None:
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@every_backend
def test_a_layer_and_a_model_inside_an_eager_one(backend):
    x, y = np.linspace(-1, 1, 8).reshape(4, 2), np.ones((4, 1))

    def trained(wrap_layer, wrap_model):
        model = nn.MLP(2, [3], 1, rng=0, activation=nn.Tanh)
        optimizer = nn.Adam(model.parameters(), 0.1)
        first, *rest = model.layers
        layers = [wrap_layer(first), *rest]
        whole = wrap_model(lambda x: [x := layer(x) for layer in layers][-1])
        for _ in range(3):
            optimizer.zero_grad()
            nn.MSE()(whole(x), y).backward()
            optimizer.step()
        return [p.data for p in model.parameters()]

    def compiled(f):
        return jit(f, backend=backend)

    for wraps in ((compiled, lambda f: f), (lambda f: f, compiled), (compiled, compiled)):
        same(trained(*wraps), trained(lambda f: f, lambda f: f))


@every_backend
def test_a_function_inside_a_derivative_closes_over_the_variable_of_it(backend):
    def f(x):
        return jit(lambda y: x * x * y, backend=backend)(2.0)

    assert (f(3.0), grad(f)(3.0)) == (18.0, 12.0)


@every_backend
def test_a_function_inside_another_is_a_part_of_its_program(backend):
    weight, calls = Tensor(X), []

    @jit(backend=backend)
    def inner(x):
        calls.append(x)
        return anp.sum(weight * x) * x

    @jit(backend=backend)
    def outer(x):
        return inner(x) + inner(2.0)

    for weight.data in (X, 2 * X):
        x = Value(3.0)
        out = outer(x)
        weight.grad = None
        out.backward()
        assert out.data == pytest.approx(13 * weight.data.sum()) and x.grad == pytest.approx(6 * weight.data.sum())
        np.testing.assert_allclose(weight.grad, [13.0] * 3)
    assert len(calls) == 2 and not inner.forms


@every_backend
def test_float32_stays_and_gradients_have_the_dtype_of_their_argument(backend):
    x, v = Tensor(X.astype(np.float32)), Value(2.0)
    double = Tensor(X)
    out = jit(lambda x, v, double: (anp.sum(anp.sin(x * v)), x * v, anp.sum(x * double)), backend=backend)(x, v, double)
    assert [y.dtype for y in out] == [np.float32, np.float32, np.float64]
    (out[0] + out[2]).backward()
    assert (x.grad.dtype, double.grad.dtype, type(v.grad)) == (np.float32, np.float64, float)
    np.testing.assert_allclose(x.grad, 2 * np.cos(2 * X) + X, rtol=1e-5)
    assert v.grad == pytest.approx((X * np.cos(2 * X)).sum(), rel=1e-5)


@every_backend
def test_operations_of_the_user_keep_their_own_pullbacks(backend):
    through = define("applied_through(x) = rint(x) | g")
    by_functions = define("applied_cube", lambda x: x**3, (lambda g, out, x: g * 3 * x**2,))
    backend = "python" if backend == "python" else "auto"
    f = jit(lambda x: anp.sum(through(x) * by_functions(x)), backend=backend)
    np.testing.assert_allclose(grad(f)(X), X**3 + np.rint(X) * 3 * X**2)
    np.testing.assert_allclose(hessian(f)(X), np.diag(6 * X**2 + np.rint(X) * 6 * X))


@every_backend
def test_each_program_is_compiled_once_and_what_it_was_given_counts(backend, monkeypatch):
    made, make = [], applying.executable
    monkeypatch.setattr(applying, "executable", lambda *args, **options: made.append(args[1]) or make(*args, **options))
    w = Tensor(X)
    f = jit(lambda x: anp.sum(anp.exp(w * x)), backend=backend)
    for _ in range(3):
        out = f(Value(0.5))
        before, w.data, w.grad = w.data, w.data * 2, None
        out.backward()
        np.testing.assert_allclose(w.grad, 0.5 * np.exp(before * 0.5))
    assert made == ["<lambda>", "<lambda>_pullback"]


@every_backend
def test_gradients_of_gradients_are_nodes(backend):
    x = Tensor(X)
    f = jit(lambda x: anp.sum(x**4), backend=backend)
    (slope,) = gradients(f(x), [x], create_graph=True)
    assert slope.operation.name == "jit"
    (curve,) = gradients(anp.sum(slope), [x], create_graph=True)
    curve.sum().backward()
    np.testing.assert_allclose(x.grad, 24 * X)


def test_without_recording_and_with_an_eye_on_numbers():
    x, w = Tensor(X), Tensor(X)
    f = jit(lambda x: anp.log(x * w))
    with no_grad():
        out = f(x)
        assert isinstance(out, Tensor) and out.operation is None and isinstance(f(X), Tensor)
        np.testing.assert_allclose(grad(jit(lambda x: anp.sum(x**2)))(X), 2 * X)
    with no_grad():
        loss = f(Tensor(X * X * X)).sum()
    assert loss.operation is None
    with np.errstate(all="ignore"), pytest.raises(AnomalyError, match="the value of log"), detect_anomaly():
        f(Tensor(-X))


def test_nodes_do_not_decide_not_even_those_from_outside():
    f = jit(lambda x: x if x > 0 else -x)
    for x in (1.0, Value(1.0)):
        with pytest.raises(TracingError, match="decided a branch"):
            f(x)
    w = Value(2.0)
    for f in (lambda: w * w if w * w > 1 else w, lambda: (w * w).data, lambda: w if w > 1 else -w):
        with pytest.raises(TracingError):
            jit(f)()


@every_backend
def test_a_checkpoint_of_a_program_and_a_program_of_a_checkpoint(backend):
    def f(x):
        return anp.sum(anp.tanh(x) ** 2)

    for wrapped in (checkpoint(jit(f, backend=backend)), jit(checkpoint(f), backend=backend)):
        np.testing.assert_allclose(hessian(wrapped)(X), hessian(f)(X), rtol=1e-10)


def test_as_a_decorator():
    @jit
    def f(x):
        """Twice x."""
        return 2 * x

    @jit(backend="python")
    def g(x):
        return 2 * x

    assert (f(1.0), g(1.0), f.__doc__, g.backend) == (2.0, 2.0, "Twice x.", "python (as asked for)")
    with pytest.raises(ValueError, match="not 'c'"):
        jit(backend="c")(f.function)


@every_backend
def test_micrograds_network_is_trained_by_a_function_without_arguments(backend):
    points, labels = np.random.default_rng(0).normal(size=(6, 2)).tolist(), [1, -1, 1, 1, -1, -1]

    def trained(wrap):
        model = nn.scalar.MLP(2, [4, 1], rng=0)

        def loss():
            losses = [(1 - label * model(point)).relu() for label, point in zip(labels, points)]
            return sum(losses) / len(losses) + 1e-2 * sum(p * p for p in model.parameters())

        loss = wrap(loss)
        for _ in range(5):
            total = loss()
            model.zero_grad()
            total.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
        return total.data, [p.data for p in model.parameters()]

    same(trained(lambda f: jit(f, backend=backend)), trained(lambda f: f))


@every_backend
def test_on_the_elements_of_arrays_numbers_get_the_sum_of_their_gradients(backend):
    v, xs = Value(2.0), Tensor([0.5, 1.0, 1.5])
    out = jit(lambda x: grad(lambda x: v**2 * x**2)(x), backend=backend)(xs)
    out.sum().backward()
    np.testing.assert_allclose(out.data, 8 * xs.data)
    np.testing.assert_allclose(xs.grad, [8.0] * 3)
    assert v.grad == pytest.approx(8 * xs.data.sum())


def test_a_tree_of_nodes_as_arguments():
    f = jit(lambda p, x: sum(anp.sum(w * x) for w in p["w"]) + p["b"])
    p = {"w": [Tensor(X), Tensor(2 * X)], "b": Value(1.0)}
    f(p, X).backward()
    same(map_tree(lambda node: node.grad, p), {"w": [X, X], "b": 1.0})
    slopes = grad(f)(map_tree(lambda node: node.data, p), X)
    same(slopes, {"w": [X, X], "b": 1.0})
    assert len(f.forms) == 1
