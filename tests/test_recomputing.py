"""checkpoint: the same numbers to every order, while the nodes inside are gone."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import (
    AnomalyError,
    Tensor,
    Value,
    check_gradients,
    checkpoint,
    detect_anomaly,
    grad,
    hessian,
    hvp,
    jit,
    jvp,
    no_grad,
)
from autograd.blocks import LARGE
from autograd.tree import flatten

W = np.array([[0.5, -1.0, 0.3], [0.2, 0.8, -0.6], [1.1, 0.1, 0.4]])
X = np.array([[0.3, -0.7, 1.2], [2.0, 0.1, -0.4]])


def block(x, w=W):
    return anp.tanh(x @ w) * x + anp.exp(-x * x)


def total(f):
    return lambda x: f(f(x)).sum()


@pytest.mark.parametrize(
    "derivative",
    [grad, hessian, lambda f: lambda x: hvp(f)(x, x), lambda f: lambda x: jvp(f, (x,), (x,))[1]],
    ids=["grad", "hessian", "hvp", "jvp"],
)
def test_derivatives_are_those_of_the_function(derivative):
    np.testing.assert_allclose(derivative(total(checkpoint(block)))(X), derivative(total(block))(X), rtol=1e-12)


def test_derivatives_against_finite_differences_to_the_third():
    check_gradients(checkpoint(block), X, W, order=3)
    check_gradients(checkpoint(lambda x, y: x.sin() * y if isinstance(x, Value) else np.sin(x) * y), 0.7, 2.0, order=3)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_results_of_any_structure_and_nodes_that_are_closed_over(a, b):
    def slopes(wrap):
        x, w = Value(a), Value(b)
        inside = wrap(lambda x, *, scale: {"product": (x * w).exp() * scale, "rest": [x, x * x, w, 3.0]})
        out = inside(x, scale=2.0)
        (out["product"] + out["rest"][0] * out["rest"][1] * out["rest"][2] * out["rest"][3]).backward()
        return x.grad, w.grad

    assert slopes(checkpoint) == pytest.approx(slopes(lambda f: f), rel=1e-12)


def test_nodes_that_are_closed_over_get_their_gradients_by_way_of_other_ones_too():
    def slopes(wrap):
        w = Tensor(W)
        v = w * w  # reaches the function beside w itself
        wrap(lambda x: anp.sin(x @ w) + v.sum(0))(Tensor(X)).sum().backward()
        return w.grad

    np.testing.assert_allclose(slopes(checkpoint), slopes(lambda f: f), rtol=1e-12)


def test_numbers_beside_arrays():
    def curve(wrap):
        scale, data = Value(1.5), np.array([1.0, 2.0])
        return lambda w, x: np.sum(wrap(lambda w, x: np.sin(w * x) * scale * data)(w, x) ** 2) * w

    for transform in (grad, hessian):
        ours, theirs = (transform(curve(wrap), (0, 1))(0.7, X[0, :2]) for wrap in (checkpoint, lambda f: f))
        for a, b in zip(flatten(ours), flatten(theirs)):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12)
    scale, x = Value(2.0), Tensor(X)
    checkpoint(lambda x: np.sum(x * scale))(x).backward()
    assert scale.grad == pytest.approx(X.sum(), rel=1e-15) and x.grad.tolist() == np.full_like(X, 2.0).tolist()


def test_the_inside_is_dropped():
    inner = []

    @checkpoint
    def f(x):
        y = x.sin()
        inner.append(weakref.ref(y))
        return y.exp().cos()

    x = Tensor([1.0, 2.0])
    out = f(x)
    gc.disable()
    try:
        assert inner[0]() is None and out.args[0] is x and out.operation.name == "checkpoint"
        out.sum().backward()
        assert len(inner) == 2 and inner[1]() is None
    finally:
        gc.enable()


def test_large_arrays_get_their_gradients():
    x = Tensor(np.ones(2 * LARGE))
    checkpoint(lambda x: x * 3.0)(x).sum().backward()
    assert (x.grad == 3.0).all()


def test_checkpoints_nest():
    inner = checkpoint(lambda x: np.sin(x) * x)
    check_gradients(checkpoint(lambda x: inner(np.exp(inner(x)))), np.array([0.3, -1.2]))


def test_what_depends_on_nothing_stays_as_it_is():
    x = Value(1.0)
    assert checkpoint(lambda x: x)(x) is x
    assert checkpoint(lambda: 3.0)() == 3.0 and checkpoint(np.sin)(0.5) == np.sin(0.5)
    with no_grad():
        assert checkpoint(block)(Tensor(X)).operation is None


def test_in_the_company_of_others():
    compiled = jit(grad(total(checkpoint(block))), backend="python")
    np.testing.assert_allclose(compiled(X), grad(total(block))(X), rtol=1e-12)
    x = Tensor(X)
    loss = checkpoint(block)(x).sum()
    with no_grad(), detect_anomaly():
        loss.backward()
    np.testing.assert_allclose(x.grad, grad(lambda x: block(x).sum())(X), rtol=1e-12)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_second_run_that_differs_is_an_error(kind):
    rng, x = np.random.default_rng(0), kind(1.0)
    with pytest.raises(RuntimeError, match="by autograd.random alone"):
        checkpoint(lambda x: x * rng.uniform())(x).backward()
    w = kind(2.0)
    out = checkpoint(lambda x: x * w)(x)
    w.data = w.data * 2
    with pytest.raises(RuntimeError, match="changed before the backward pass"):
        out.backward()
    parts = [1.0]
    out = checkpoint(lambda x: anp.stack([x * part for part in parts]))(x)
    parts.append(1.0)
    with pytest.raises(RuntimeError, match="gave another result"):
        out.sum().backward()
    with np.errstate(divide="ignore"):
        out = checkpoint(lambda x: anp.log(x - 1.0))(x)
    with pytest.raises(AnomalyError, match="result = <call of <lambda>>"), detect_anomaly():
        out.backward()
