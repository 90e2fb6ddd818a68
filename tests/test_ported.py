"""Lines ported from NumPy, PyTorch and JAX: every place of an argument, and every mistake by its name."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, check_gradients, checkpoint, define, grad, gradients, hessian, jit, jvp, vmap
from autograd.failing import TracingError

X, V = np.array([[0.5, 1.5, 2.5], [3.5, -4.5, 5.5]]), np.array([1.0, -2.0, 0.5])
BY_PLACE = [
    lambda np, x: np.sum(x, 0, None, None, True),
    lambda np, x: np.mean(x, 0, None, None, True),
    lambda np, x: np.max(x, 0, None, True),
    lambda np, x: np.std(x, 0, None, None, 1, True),
    lambda np, x: np.prod(x, 1, None, None, True),
    lambda np, x: np.cumsum(x, 0, None, None),
    lambda np, x: np.clip(x, -1, 1, None),
    lambda np, x: np.round(x, 1, None),
    lambda np, x: np.median(x, 0, None, False, True),
    lambda np, x: np.percentile(x, 30, None, None, False),
    lambda np, x: np.nansum(x, 0, None, None, True),
    lambda np, x: np.ptp(x, 0, None, True),
    lambda np, x: np.trace(x, 0, 0, 1, None, None),
    lambda np, x: np.dot(x, np.ones(3), None),
    lambda np, x: np.outer(x, x, None),
    lambda np, x: np.concatenate([x, x], 0, None),
]
KINDS = [
    lambda np, x: np.hstack(np.atleast_1d(x[0], x[1])),
    lambda np, x: np.vstack(np.atleast_2d(x[0], x)),
    lambda np, x: np.ascontiguousarray(x[0, 0]),
    lambda np, x: np.asfortranarray(x),
    lambda np, x: np.astype(x, np.float32),
    lambda np, x: x.copy(),
    lambda np, x: np.select([x > 1, x < 0], [x, 2.0], x[0, 0]),
    lambda np, x: np.linspace(x[0, 0], 2, 4),
    lambda np, x: np.logspace(x[0, 0], 2, 4),
    lambda np, x: np.r_[x[0], 1, 2.0],
    lambda np, x: np.gradient(x[0], np.array([0.0, 1.0, 3.0])),
    lambda np, x: np.ediff1d(x, to_end=9.0, to_begin=[1.0, 2.0]),
    lambda np, x: np.einsum("ij,kj", x, x, dtype=np.float64),
    lambda np, x: np.linalg.pinv(x[:, :2], hermitian=True),
    lambda np, x: np.linalg.svd(x[:, :2], hermitian=True)[1],
    lambda np, x: np.zeros_like(x) + np.ones(np.shape(x)) * np.size(x) / np.ndim(x) + x,
]


@pytest.mark.parametrize("f", BY_PLACE + KINDS)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_it_is_numpys_result_and_dtype(f, dtype):
    x = X.astype(dtype)
    expected, found = f(np, x), f(anp, Tensor(x))
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found.data, expected, rtol=1e-14 if dtype == "f8" else 1e-5)
    compiled = jit(lambda x: f(anp, x), backend="python")(x)
    assert compiled.dtype == expected.dtype
    np.testing.assert_allclose(compiled, found.data, rtol=1e-14 if dtype == "f8" else 1e-5)


@pytest.mark.parametrize("f", [f for f in BY_PLACE + KINDS if f is not KINDS[4]])
def test_it_is_differentiated(f):
    check_gradients(lambda x: f(anp, x), X)


def test_an_array_to_write_into_is_refused_in_its_place():
    with pytest.raises(TypeError, match="leave out="):
        anp.sum(Tensor(X), 0, None, np.zeros(3))


def test_choices_of_different_shapes_are_selected_from():
    found = anp.select([X > 1, X < 0], [Tensor(X), Value(2.0)], Tensor(V))
    np.testing.assert_array_equal(found.data, np.select([X > 1, X < 0], [X, 2.0], V))


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="compiled functions do not tell theirs")
def test_arguments_have_numpys_names():
    """Save `out`, what says where NumPy puts its arrays, and what was new in 2.5; weights of quantiles are not here."""
    absent = {"out", "like", "subok", "device", "weights", "ndmax", "descending"}
    for home, ours in ((np, anp), (np.linalg, anp.linalg)):
        for name in set(ours.__all__) & set(dir(home)):
            function = getattr(getattr(ours, name), "__wrapped__", None)
            if function is None or isinstance(getattr(home, name), np.ufunc) or name in anp.ROWS:
                continue
            has = inspect.signature(function).parameters
            if not any(given.kind is given.VAR_KEYWORD for given in has.values()):
                named = inspect.signature(getattr(home, name)).parameters.values()
                wanted = {p.name for p in named if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - absent
                assert wanted <= has.keys(), name
    assert anp.reshape(a=Tensor(X), shape=(3, 2)).shape == anp.transpose(a=Tensor(X)).shape == (3, 2)


def test_losses_of_plain_arrays_are_numbers():
    for loss in (nn.MSE(), nn.L1(), nn.Huber(), nn.BCEWithLogits()):
        assert loss(X, np.abs(X)) == pytest.approx(loss(Tensor(X), np.abs(X)).item())


@given(
    lead=st.lists(st.integers(0, 4), min_size=1, max_size=2),
    rest=st.lists(st.integers(1, 3), max_size=2),
    n=st.integers(1, 4),
    dtype=st.sampled_from(["f8", "f4"]),
    seed=st.integers(0, 99),
)
def test_segment_sum_is_numpys_add_at(lead, rest, n, dtype, seed):
    rng, expected = np.random.default_rng(seed), np.zeros((n, *rest), dtype)
    x, ids = rng.normal(size=(*lead, *rest)).astype(dtype), rng.integers(-n, n, lead)
    f, within = (
        lambda x, ids: anp.segment_sum(data=x, segment_ids=ids, num_segments=n),
        1e-12 if dtype == "f8" else 1e-5,
    )
    np.add.at(expected, ids, x)
    for out in (f(x, ids), f(Tensor(x), ids).data, jit(f, backend="python")(x, ids), vmap(f)(x[None], ids[None])[0]):
        assert out.dtype == expected.dtype and out.shape == expected.shape
        np.testing.assert_allclose(out, expected, rtol=within, atol=within)
    if dtype == "f8" and x.size:
        check_gradients(lambda x: anp.sin(f(x, ids)).sum(), x)
        slope = lambda x, ids: grad(lambda x: (f(x, ids) ** 2).sum())(x)
        np.testing.assert_allclose(jit(slope, backend="python")(x, ids), 2 * expected[ids], rtol=1e-12)


def test_segment_sum_in_machine_code():
    pytest.importorskip("llvmlite")
    x, ids = np.arange(12.0).reshape(6, 2), np.array([2, 0, -1, 2, 1, 0])
    f = lambda x, ids: anp.segment_sum(x, ids, 4)
    for here in (f, lambda x, ids: grad(lambda x: (f(x, ids) ** 2).sum())(x)):
        np.testing.assert_array_equal(jit(here, backend="llvm")(x, ids), here(x, ids))


MISTAKES = [
    (lambda: anp.segment_sum(X, [0, 1, 1], 2), ValueError, r"segment_ids has shape \(3,\), data \(2, 3\)"),
    (lambda: anp.segment_sum(Tensor(X), [0, 2], 2), IndexError, "index 2 is out of bounds for an axis of length 2"),
    (lambda: define("f(x) = x | g * (x < 1)"), ValueError, r"Compare has no place \(write less\("),
    (lambda: grad(3), TypeError, "a transformation is of a function, not of 3"),
    (lambda: hessian("f"), TypeError, "a transformation is of a function, not of 'f'"),
    (lambda: jit(3), TypeError, "a transformation is of a function, not of 3"),
    (lambda: checkpoint(3), TypeError, "a transformation is of a function, not of 3"),
    (lambda: define(3), TypeError, "a row or a name as text, not 3"),
    (lambda: define("f", forward=lambda x: x, pullbacks=[3]), TypeError, "each pullback is a function"),
    (lambda: grad(define("f", lambda x: x, [lambda g, out, x: None]))(1.0), TypeError, "pullback 0 returned None"),
    (lambda: jvp(anp.sin, 1.0, 1.0), TypeError, "a tuple of arguments and a tuple of tangents"),
    (lambda: gradients(Value(1.0), Value(1.0)), TypeError, "a list of nodes"),
    (lambda: anp.sum(Tensor(X), axis=1.0), TypeError, "sum: .*integer"),
    (lambda: anp.einsum("i$->i", Tensor(X)), ValueError, "invalid subscript '\\$'"),
    (lambda: anp.einsum(Tensor(X)), ValueError, "einsum: of subscripts and the arrays"),
    (lambda: jit(lambda x: x[x > 1])(X), TracingError, "a mask was used as an index"),
    (lambda: jit(lambda x, n: x.reshape(n, -1))(X, 3), TracingError, r"^[^:]*: x\.reshape\(\) asked for"),
    (lambda: jit(lambda x, n: x[:n])(X, 3), TracingError, "^[^:]*: a node was used as .* a length"),
    (lambda: nn.Huber("a"), TypeError, "delta must be a number"),
    (lambda: nn.Constant("a"), TypeError, "rate must be a number"),
    (lambda: nn.ExponentialDecay(0.1, -1), ValueError, "decay must be at least 0"),
    (lambda: nn.SGD([Tensor(V) * 2], 0.1), TypeError, "parameter 0 was made by mul"),
    (lambda: nn.Linear(2, 3, 0).load_state_dict([1]), TypeError, "a state is a dict of arrays by name"),
    (lambda: type("M", (nn.Module,), {"__slots__": ("w",)}), TypeError, "M has __slots__"),
]


@pytest.mark.parametrize("mistake, kind, message", MISTAKES)
def test_a_mistake_is_named_where_it_is_made(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()
