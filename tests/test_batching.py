"""vmap: each operation's rule against its examples one by one, axes, and every other transformation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
import nn.scalar
from autograd import (
    AnomalyError,
    Tensor,
    TracingError,
    Value,
    checkpoint,
    define,
    detect_anomaly,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacobians,
    jacrev,
    jit,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
    vmap,
)
from autograd.batching import RULES, has_rule
from autograd.operation import BUILT_IN

from . import strategies

RNG = np.random.default_rng(0)
X, V, W = RNG.normal(size=(4, 3)), RNG.normal(size=3), RNG.normal(size=(3, 2))
every_operation = pytest.mark.parametrize("operation", strategies.OPERATIONS, ids=lambda operation: operation.name)


def data_of(x):
    return x.data if isinstance(x, (Tensor, Value)) else x


def close(found, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(data_of(found), expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected), initial=1.0))


def one_by_one(f, *args):
    """f of each example, as arrays with the examples in front, by position in a tuple that f returns."""
    results = [f(*parts) for parts in zip(*args)]
    results = [result if isinstance(result, tuple) else (result,) for result in results]
    return [np.stack([data_of(part) for part in parts]) for parts in zip(*results)]


def test_every_operation_has_its_rule():
    assert [name for name, operation in BUILT_IN.items() if operation not in RULES] == []


@every_operation
@settings(max_examples=12)
@given(data=st.data())
def test_all_examples_at_once_are_all_one_by_one(operation, data):
    arrays, static = data.draw(strategies.calls(operation))
    axes = data.draw(st.sampled_from([axes for axes in np.ndindex((2,) * len(arrays)) if any(axes)]))
    size = data.draw(st.sampled_from([1, 3]))
    tensors = [Tensor(np.stack([x, 0.75 * np.flip(x), 0.5 * x][:size]) if a else x) for x, a in zip(arrays, axes)]

    def f(*args):
        return operation(*args, *static)

    with np.errstate(all="ignore"):
        found = vmap(f, tuple(0 if a else None for a in axes))(*tensors)
        expected = [f(*[x[i] if a else x for x, a in zip(tensors, axes)]) for i in range(size)]
        close(found, [y.data for y in expected])
        assert found.dtype == expected[0].dtype
        if found.dtype == bool:
            return
        weights = np.cos(np.arange(found.size)).reshape(found.shape)
        for x, slope in zip(tensors, gradients(found, tensors, seed=weights)):
            close(slope, sum(gradients(y, [x], seed=weight)[0] for y, weight in zip(expected, weights)))


INDICES = [
    (0, slice(None), [1, 0]),
    ([[1], [0]], slice(1, None), [0, 2]),
    (slice(None), None, np.array([1, 2])),
    (np.array([[True, False, True], [False, True, True]]), 1),
    (..., np.int64(1)),
    (np.bool_(True), 1),
    ([], 0),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_an_index_with_arrays_in_it(index):
    x = RNG.normal(size=(4, 2, 3, 3))
    found, expected = vmap(lambda x: anp.sin(x)[index])(Tensor(x)), np.stack([np.sin(x)[index] for x in x])
    np.testing.assert_array_equal(found.data, expected)
    slope = vmap(grad(lambda x: (x[index] * anp.cos(x[index])).sum()))(x)
    close(slope, *one_by_one(grad(lambda x: (x[index] * anp.cos(x[index])).sum()), x))


@pytest.mark.parametrize("rows, places", [(5, np.array([[0, 1], [4, 4], [-1, 2]])), (0, np.zeros((3, 0), int))])
@pytest.mark.parametrize("in_axes", [(0, 0), (None, 0), (0, None)])
def test_rows_that_are_looked_up(rows, places, in_axes):
    given = [x if axis == 0 else x[0] for x, axis in zip((RNG.normal(size=(3, rows, 2)), places), in_axes)]
    one = grad(lambda table, i: (anp.take(table, i, 0) ** 3).sum())
    each = [one(*(x if axis is None else x[k] for x, axis in zip(given, in_axes))) for k in range(3)]
    close(vmap(one, in_axes)(*given), each)


FUNCTIONS = [
    lambda x: x,
    lambda x: x * V,
    lambda x: anp.where(x > 0, anp.log1p(abs(x)), x).sum(),
    lambda x: anp.softmax(x) @ anp.tanh(W) @ W.T @ x,
    lambda x: anp.sort(anp.outer(x, x) + anp.eye(3), 0)[::-1, [0, 2]],
    lambda x: anp.linalg.norm(x - V) + anp.prod(x) + anp.max(x),
    lambda x: anp.linalg.solve(anp.outer(x, x) + 4 * np.eye(3), x),
    lambda x: anp.linalg.svd(anp.outer(x, x) + np.diag(V))[1],
    lambda x: anp.linalg.eigh(anp.outer(x, x) + np.diag(V))[0],
    lambda x: anp.einsum("i,j,jk->ik", x, x, W) + anp.cumsum(x)[:, None],
    lambda x: anp.var(anp.concatenate([x, x * x, V])) + anp.logsumexp(x),
    lambda x: W.T @ x + Tensor(W).T @ x * Value(2.0),
    lambda x: anp.interp(0.3, [0.0, 0.5, 1.0], x) + anp.median(x),
    lambda x: anp.stack([x[0], Value(2.0) * x[1], 3.0]) if x.shape == (3,) and len(x) == 3 else None,
    lambda x: jit(anp.sin, backend="python")(x),
    lambda x: checkpoint(lambda x: anp.exp(x) * x)(x),
    grad(lambda x: (anp.sin(x) * x).sum()),
    elementwise_grad(anp.tanh),
    hessian(lambda x: (x @ x) ** 2),
    jacobian(lambda x: anp.cumsum(anp.exp(x))),
    lambda x: hvp(lambda x: (x**4).sum())(x, V),
    lambda x: jvp(lambda x: anp.exp(x) @ W, (x,), (V,))[1],
    lambda x: vjp(anp.sin, x)[1](V)[0],
    lambda x: vmap(lambda a: vmap(lambda b: a * b + x)(x))(x),
    lambda x: vmap(lambda a, b: a @ b, (None, 1))(x, W),
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_functions_of_one_example(f):
    expected = one_by_one(f, X)[0]
    close(vmap(f)(X), expected)
    close(vmap(f)(Tensor(X)), expected)
    close(vmap(f, 1, -1)(X.T), np.moveaxis(expected, 0, -1))
    close(jit(vmap(f), backend="python")(X), expected)


@pytest.mark.parametrize("f", FUNCTIONS[1:])
def test_derivatives_of_a_mapped_function(f):
    slope = grad(lambda x: anp.sum(anp.sin(f(x))))
    expected = np.stack([slope(x) for x in X])
    close(vmap(slope)(X), expected)
    close(grad(lambda x: anp.sum(anp.sin(vmap(f)(x))))(X), expected)
    close(jit(vmap(slope), backend="python")(X), expected)


def test_branches_that_are_not_selected_and_edges():
    x = np.array([-1.0, 0.0, 4.0, np.inf, np.nan])
    with np.errstate(all="ignore"):
        for f in (lambda x: anp.where(x > 0, anp.sqrt(x), 0.0), lambda x: 1 / x, anp.relu, abs, lambda x: x**0.0):
            for order in (f, grad(f), grad(grad(f))):
                np.testing.assert_array_equal(vmap(order)(x), [order(number) for number in x])


def test_axes():
    x, y = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(3, 4))
    for axis in (0, 1, 2, -1, -2, -3):
        moved = np.moveaxis(x, axis, 0)
        close(vmap(lambda x: x.T @ x, axis)(x), np.stack([part.T @ part for part in moved]))
        close(vmap(lambda x: x * 2, axis, axis)(x), x * 2)
    close(vmap(lambda x, y: x @ y, (1, -1))(x, y), np.stack([x[:, i] @ y[:, i] for i in range(4)]))
    close(vmap(lambda x, y: x @ y, (None, 1), 1)(x[0], y), x[0] @ y)
    out = vmap(lambda p, y: {"sum": p["a"][0] + y, "b": p["b"]}, ({"a": [0], "b": None}, None), {"sum": 1, "b": None})
    found = out({"a": [y], "b": "text"}, np.ones(4))
    assert found["b"] == "text"
    close(found["sum"], (y + 1).T)
    assert vmap(lambda x, scale=2.0: x * scale)(y[0], scale=y[1]).tolist() == (y[0] * y[1]).tolist()
    assert vmap(lambda x, n: sum(x**k for k in range(n)), (0, None))(y[0], 3) == pytest.approx(1 + y[0] + y[0] ** 2)


def test_what_examples_share():
    def f(x):
        return x.sum(), 3, "text", None, Value(2.0) * 2, np.arange(2.0), [True]

    found = vmap(f)(X)
    assert [type(part) for part in found[1:4]] == [np.ndarray, str, type(None)] and found[6] == [True]
    assert found[1].tolist() == [3] * 4 and found[4].data.tolist() == [4.0] * 4 and found[5].tolist() == [[0, 1]] * 4
    constant = np.ones(2)
    assert vmap(lambda x: constant, out_axes=None)(X) is constant
    found = vmap(lambda x: (x * 2, constant))(X)
    found[1][:] = 5.0
    assert constant.tolist() == [1.0, 1.0]


def test_results_are_fresh():
    x = X.copy()
    for found in vmap(lambda x: (x, x[::-1], x.reshape(3, 1)))(x):
        found[...] = 0.0
    assert (x == X).all()


def test_dtypes_and_masks():
    x = X.astype(np.float32)
    for f in (lambda x: x * 2.0, lambda x: x @ x, lambda x: x[0] * Value(2.0), lambda x: anp.mean(x), grad(anp.sum)):
        assert vmap(f)(x).dtype == np.float32
    assert vmap(lambda x, y: x * y, (0, None))(x[0], 2.0).dtype == np.float32
    assert vmap(lambda x: x * 2)(np.arange(3)).tolist() == [0.0, 2.0, 4.0]
    mask = vmap(lambda m, x: anp.where(m, x, 0.0))(X > 0, X)
    assert (mask == np.where(X > 0, X, 0.0)).all()
    for x in (X, Tensor(X)):
        above = vmap(lambda x: x > 0)(x)
        assert type(above) is np.ndarray and above.dtype == bool and (above == (X > 0)).all()
    assert vmap(lambda x: x * ((v := Value(2.0)) > 1.0) + (v > 3.0))(np.ones(2)).data.tolist() == [1.0, 1.0]


def test_no_examples_and_one():
    for f in (lambda x: x.sum(), grad(lambda x: x @ x), lambda x: anp.linalg.inv(anp.outer(x, x) + np.eye(3))):
        assert vmap(f)(np.ones((0, 3))).shape == (0, *f(np.ones(3)).shape)
        close(vmap(f)(X[:1]), f(X[0])[None])
    assert vmap(anp.linalg.inv)(np.ones((0, 3, 3))).shape == (0, 3, 3)
    assert vmap(define("as_it_is", forward=lambda x: x, pullbacks=[None]))(np.ones((0, 3))).shape == (0, 3)


def test_what_a_function_closes_over_gets_gradients():
    weight, bias = Tensor(W), Value(0.5)
    vmap(lambda x: (anp.tanh(x @ weight) * bias).sum())(X).sum().backward()
    expected = grad(lambda w, b: (anp.tanh(X @ w) * b).sum(), (0, 1))(W, 0.5)
    close(weight.grad, expected[0])
    close(bias.grad, expected[1])

    def loss(w):
        squared = w * w
        return vmap(lambda x: anp.sin(x @ squared).sum())(X).sum()

    close(grad(loss)(W), grad(lambda w: anp.sin(X @ (w * w)).sum())(W))
    close(hessian(loss)(W), hessian(lambda w: anp.sin(X @ (w * w)).sum())(W))
    close(jit(grad(loss))(W), grad(loss)(W))
    with no_grad():
        assert vmap(lambda x: x @ weight)(X).operation is None


def test_gradients_of_each_example():
    model, loss, y = nn.MLP(3, [8, 8], 1, rng=0, activation="tanh"), nn.MSE(), RNG.normal(size=(4, 1))

    def of_one(x, y):
        return tuple(gradients(loss(model(x), y), model.parameters()))

    expected = one_by_one(of_one, X, y)
    for mapped in (vmap(of_one), jit(vmap(of_one)), vmap(jit(of_one)), jit(vmap(of_one), backend="python")):
        for found, part in zip(mapped(X, y), expected, strict=True):
            close(found, part)
    params = {"w": W, "b": np.zeros(2)}
    by_argument = vmap(value_and_grad(lambda p, x: (anp.tanh(x @ p["w"] + p["b"]) ** 2).sum()), (None, 0))
    value, found = by_argument(params, X)
    close(value, (np.tanh(X @ W) ** 2).sum(1))
    close(found["b"], *one_by_one(lambda x: grad(lambda b: (anp.tanh(x @ W + b) ** 2).sum())(np.zeros(2)), X))
    scalar = nn.scalar.MLP(3, [4, 1], rng=0)
    found = vmap(lambda x: (scalar(list(x)), *gradients(scalar(list(x)), scalar.parameters())))(X)
    expected = [[y.data, *gradients(y, scalar.parameters())] for y in (scalar(x.tolist()) for x in X)]
    close(np.stack([part.data for part in found], 1), expected)


def test_a_derivative_by_way_of_what_was_computed_before_is_refused():
    weight = Tensor(V)
    before = weight * 2
    found = vmap(lambda x: gradients((x * before).sum(), [before])[0])(X)
    close(found, X)
    with pytest.raises(TracingError, match=r"test_batching.py, line \d+: gradients\(\) .* by way of .* inside vmap"):
        vmap(lambda x: gradients((x * before).sum(), [weight]))(X)


def test_operations_of_the_user():
    cube = define("cube_of_each(x, a) = a * x ** 3 | g * (3 * a * x ** 2) | g * x ** 3")
    through = define("through_sign(x) = sign(x) | g")
    halved = define("halved_sum(x) = sum(x, None) / 2 | expand(g / 4, x.shape)")  # not the derivative, so it is told
    calls: list = []
    squared = define(
        "squared_by_function",
        forward=lambda x: (calls.append(x.shape), x**2)[1],
        pullbacks=[lambda g, out, x: g * 3 * x],
    )
    assert [has_rule(row) for row in (cube, through, halved, squared)] == [True, True, False, False]
    rows = [through, halved, squared, lambda x: cube(x, V), lambda x: cube(V, x[0]), lambda x: squared(x[0]) * x]
    sums = [lambda x, row=row: anp.sum(row(x) * V) for row in rows]
    for row, total in zip(rows, sums):
        close(vmap(row)(X), *one_by_one(row, X))
        close(vmap(grad(total))(X), *one_by_one(grad(total), X))
        close(grad(lambda x, total=total: anp.sum(vmap(total)(x)))(X), *one_by_one(grad(total), X))
    assert {*calls} == {(3,), ()}
    special = pytest.importorskip("autograd.scipy.special")
    assert has_rule(special.OPERATIONS["digamma"]) and has_rule(special.OPERATIONS["jv"])
    close(vmap(grad(special.gammaln))(abs(V)), *one_by_one(grad(special.gammaln), abs(V)))


SHAPES = r"args\[0\] of shape \(4, 3\) has 4 along axis 0, args\[1\]\['a'\] of shape \(3,\) has 3 along axis 0"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: vmap(3), TypeError, "of a function, not of 3"),
        (lambda: vmap(anp.sin)(1.0), TypeError, r"args\[0\] is a float, not an array"),
        (lambda: vmap(anp.sin)(Value(1.0)), TypeError, r"args\[0\] is a Value, not an array"),
        (lambda: vmap(anp.sin)([1.0]), TypeError, r"args\[0\]\[0\] is a float, not an array"),
        (
            lambda: vmap(anp.sin)(np.ones(2, complex)),
            TypeError,
            r"args\[0\] is a ndarray, not an array of real numbers",
        ),
        (lambda: vmap(anp.sin)(np.ma.array([1.0])), TypeError, r"args\[0\] is a MaskedArray"),
        (lambda: vmap(lambda x, y: x)(X, {"a": V}), ValueError, SHAPES),
        (lambda: vmap(anp.sin, 2)(X), ValueError, r"args\[0\] of shape \(4, 3\) has no axis 2"),
        (lambda: vmap(anp.sin)(np.array(1.0)), ValueError, r"args\[0\] of shape \(\) has no axis 0"),
        (lambda: vmap(anp.sin, None)(X), ValueError, "no argument has an axis with the examples"),
        (lambda: vmap(anp.sin, (0, 1))(X), ValueError, r"args has the parts \[0\], .* the parts \[0, 1\]"),
        (lambda: vmap(anp.sin, ({"a": 0},))({"b": X}), ValueError, r"args\[0\] has the parts \['b'\], .* \['a'\]"),
        (lambda: vmap(anp.sin, "a")(X), TypeError, r"args\[0\] .* an integer or None, not 'a'"),
        (lambda: vmap(anp.sin, ((0, 1),))(X), TypeError, r"args\[0\] .* not \(0, 1\)"),
        (lambda: vmap(anp.sin, 0, 2)(X), ValueError, r"the result has no axis 2 .* its shape is \(4, 3\)"),
        (lambda: vmap(lambda x: [x], 0, [None])(X), ValueError, r"the result\[0\] is another for each example"),
        (lambda: vmap(anp.sin, 0, (0,))(X), TypeError, "the result is one array or number"),
        (lambda: vmap(float)(V), TracingError, "inside vmap"),
        (lambda: vmap(lambda x: x if x > 0 else -x)(V), TracingError, r"line \d+: a node decided a branch inside vmap"),
        (lambda: jit(vmap(lambda x: x.data))(V), TracingError, "data of a Tensor was read inside vmap"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
    with pytest.raises(TracingError, match="inside jit"):
        jit(lambda x: float(vmap(anp.sin)(x).sum()))(V)


def test_many_rows_at_once_are_those_of_the_loop(monkeypatch):
    flat = RNG.normal(size=40)

    def f(x):
        mixed = anp.sin(x.reshape(8, 5)) @ np.ones((5, 2)) / (2.0 if data_of(x)[0] > 0 else 1.0)
        return {"a": mixed * x[0], "b": [anp.cumsum(anp.sort(x))[::3], x.sum()]}

    found = []
    for few, most in ((0, 2**18), (0, 100), (10**9, 1)):
        monkeypatch.setattr(jacobians, "FEW", few)
        monkeypatch.setattr(jacobians, "MOST", most)
        results = [jacrev(f)(flat), jacfwd(f)(flat), hessian(lambda x: f(x)["a"].sum())(flat)]
        found.append([results[0]["a"], *results[0]["b"], results[1]["a"], *results[1]["b"], results[2]])
    for parts in zip(*found):
        close(parts[0], parts[-1])
        close(parts[1], parts[-1])
        assert parts[0].base is None or parts[0].flags.writeable


def test_rows_one_by_one_where_they_cannot_be_at_once():
    plain = define("plain_pullback", forward=lambda x: 2 * x, pullbacks=[lambda g, out, x: np.asarray(g) * 2])
    x = np.linspace(-1, 1, 40)
    for transform in (jacobian, jacrev):
        assert (transform(lambda x: plain(x) * 3.0)(x) == 6 * np.eye(40)).all()
    with detect_anomaly(), pytest.raises(AnomalyError, match="sqrt"), np.errstate(all="ignore"):
        jacobian(anp.sqrt)(np.zeros(40))
    assert jacrev(lambda x: anp.outer(x, x))(x[:3]).shape == (3, 3, 3)
