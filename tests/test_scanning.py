"""scan: equal to the loop that it stands for, with derivatives of every order, eager and compiled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import (
    Tensor,
    TracingError,
    Value,
    check_gradients,
    grad,
    hessian,
    jit,
    random,
    scan,
    value_and_grad,
    vmap,
)
from autograd.scanning import Body

RNG = np.random.default_rng(0)
W, U = RNG.normal(size=(3, 3)) / 2, RNG.normal(size=(2, 3)) / 2
BACKENDS = ["python", "llvm"]


def by_hand(step, carry, xs, length):
    """The loop."""
    ys = []
    for i in range(length):
        carry, y = step(carry, None if xs is None else xs[i])
        ys.append(y)
    return carry, ys


def recurrent(w, u, xs, with_scan):
    """The loss of a recurrent network whose weights are used outside of the loop, too."""

    def step(h, x):
        h = anp.tanh(h @ w.T + x @ u)
        return h, anp.sum(h * h)

    loop = scan if with_scan else lambda f, carry, xs: by_hand(f, carry, xs, len(xs))
    h, ys = loop(step, np.zeros(3), xs)
    return anp.sum(h * (w @ h)) + sum(ys[i] * (i + 1.0) for i in range(len(xs)))


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=6)
@given(length=st.integers(1, 6), seed=st.integers(0, 1000))
def test_a_loop_and_its_gradients(backend, length, seed):
    xs = np.random.default_rng(seed).normal(size=(length, 2))
    expected, gradients = value_and_grad(lambda *args: recurrent(*args, False), argnum=(0, 1, 2))(W, U, xs)
    for f in (lambda *args: recurrent(*args, True), jit(lambda *args: recurrent(*args, True), backend=backend)):
        value, ours = value_and_grad(f, argnum=(0, 1, 2))(W, U, xs)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for x, y in zip(ours, gradients):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_second_derivatives(backend):
    xs = RNG.normal(size=(4, 2))
    expected = hessian(lambda w: recurrent(w, U, xs, False))(W)
    of_program = jit(hessian(lambda w: recurrent(w, U, xs, True)), backend=backend)(W)
    np.testing.assert_allclose(of_program, expected, rtol=1e-9, atol=1e-10)
    of_loop = hessian(jit(lambda w: recurrent(w, U, xs, True), backend=backend))(W)
    np.testing.assert_allclose(of_loop, expected, rtol=1e-9, atol=1e-10)
    check_gradients(jit(lambda w, u: recurrent(w, u, xs, True), backend=backend), W, U)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_does_not_grow_with_the_loop(backend):
    f = jit(
        grad(
            lambda w, xs: recurrent(w, U, xs[:2], True) + scan(lambda c, x: (c + x @ U @ w, c[0]), np.ones(3), xs)[0][1]
        ),
        backend=backend,
    )
    sizes = []
    for length in (10, 1000):
        f(W, np.ones((length, 2)))
        sizes.append(len(f.program.steps))
    assert sizes[0] == sizes[1]


def test_a_loop_is_machine_code_where_only_the_rest_is_python():
    pytest.importorskip("llvmlite")
    f = value_and_grad(lambda w, xs: recurrent(w, U, xs, True) * anp.median(w), argnum=(0, 1))
    xs = RNG.normal(size=(5, 2))
    expected, gradients = f(W, xs)
    for backend, printer in ("auto", "llvm"), ("python", "python"):
        fast = jit(f, backend=backend)
        value, ours = fast(W, xs)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for x, y in zip(ours, gradients):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
        loops = [x for step in fast.program.steps for x in step.static if isinstance(x, Body)]
        assert fast.backend.startswith("python") and {loop.executable.backend for loop in loops} == {printer}


@pytest.mark.parametrize("backend", BACKENDS)
def test_structures_dtypes_and_integers(backend):
    def f(first, xs, labels):
        def step(carry, x):
            count, total = carry["count"], carry["total"]
            row, label = x
            total = total + row * label
            return {"count": count + 1, "total": total}, (total[0], label % 2 == 0, anp.argmax(row))

        return scan(step, {"count": 0, "total": first}, (xs, labels))

    first, xs, labels = np.ones(2, np.float32), RNG.normal(size=(5, 2)).astype(np.float32), np.arange(5)
    carry, (totals, even, places) = jit(f, backend=backend)(first, xs, labels)
    assert carry["count"] == 5
    np.testing.assert_allclose(carry["total"], first + labels.astype(np.float32) @ xs, rtol=1e-6)
    np.testing.assert_allclose(totals, 1 + np.cumsum(labels * xs[:, 0]), rtol=1e-5)
    np.testing.assert_array_equal(even, [True, False, True, False, True])
    np.testing.assert_array_equal(places, xs.argmax(1))


def test_eagerly_it_is_a_loop_over_values_too():
    w = Value(0.5)
    last, squares = scan(lambda x, _: (x - 0.1 * w * x, x * x), Value(1.0), length=3)
    assert last.data == pytest.approx(0.95**3)
    np.testing.assert_allclose(squares.data, [1, 0.95**2, 0.95**4])
    last.backward()
    assert w.grad == pytest.approx(-0.3 * 0.95**2)


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_what_is_carried_becomes_what_f_makes_of_it(backend):
    compiled = (lambda f: f) if backend is None else (lambda f: jit(f, backend=backend))
    xs = np.array([0.5, 1.25, 2.0])

    def of_an_integer(xs):
        return scan(lambda c, x: (c + x * x, c), 0, xs)[0]

    assert compiled(of_an_integer)(xs) == 5.8125
    np.testing.assert_array_equal(compiled(grad(of_an_integer))(xs), 2 * xs)
    total = compiled(lambda xs: scan(lambda c, x: (c + x, c), 0.0, xs)[0])(xs.astype(np.float32))
    assert total == 3.75 and total.dtype == np.float32  # a number of Python widens nothing
    assert compiled(lambda xs: scan(lambda c, x: (c | (x > 1), c), False, xs)[0])(xs)
    carry = compiled(
        lambda xs: scan(lambda c, x: ({"b": c["b"] + 1, "a": [c["a"][0] + x]}, None), {"a": (0.0,), "b": 10.0}, xs)[0]
    )(xs)
    assert [*carry] == ["a", "b"] and carry["a"] == (3.75,) and carry["b"] == 13
    nothing, squares = compiled(lambda xs: scan(lambda c, x: (c, x * x), None, xs))(xs)
    assert nothing is None
    np.testing.assert_array_equal(squares, xs * xs)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_carried_can_change_places(backend):
    def f(a, b):
        return scan(lambda pair, _: ((pair[1], pair[0] + pair[1]), pair[0]), (a, b), length=10)

    (last, _), numbers = jit(f, backend=backend)(np.array(0.0), np.array(1.0))
    np.testing.assert_array_equal(numbers, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
    assert last == 55


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_scan_in_another(backend):
    def f(x):
        def outer(total, row):
            inner, _ = scan(lambda c, y: (c * 0.5 + anp.sin(y) * x[0], c), total, row)
            return inner, inner * 2.0

        return anp.sum(scan(outer, x[1], anp.reshape(x, (2, 3)))[1])

    x = np.linspace(0.1, 1.0, 6)
    value, gradient = value_and_grad(f)(x)
    ours = jit(value_and_grad(f), backend=backend)(x)
    np.testing.assert_allclose(ours[0], value)
    np.testing.assert_allclose(ours[1], gradient, rtol=1e-12)
    check_gradients(f, x)


def test_of_many_examples():
    xs = RNG.normal(size=(3, 4, 2))
    f = grad(lambda xs: recurrent(W, U, xs, True))
    np.testing.assert_allclose(vmap(f)(xs), np.stack([f(x) for x in xs]), rtol=1e-12)


def counted(w, h, xs, scale):
    """A loop all of whose arguments may be others for each example; it carries an integer, too."""

    def step(carry, x):
        h, k = carry
        h = anp.tanh(h @ w.T + scale * anp.sum(x))
        return (h, k + 1), (h[0], h)

    (h, k), (firsts, hs) = scan(step, (h, 0), xs)
    return h * k, firsts, hs


def total(f):
    return lambda *args: sum(anp.sum(anp.sin(y)) for y in f(*args))


@settings(max_examples=8)
@given(mapped=st.lists(st.booleans(), min_size=4, max_size=4).filter(any), seed=st.integers(0, 99))
def test_examples_take_their_steps_together(mapped, seed):
    rng, axes = np.random.default_rng(seed), tuple(0 if m else None for m in mapped)
    shapes = (3, 3), (3,), (4, 2), ()
    args = [rng.normal(size=(5, *shape) if m else shape) for shape, m in zip(shapes, mapped)]

    def each(*args):
        results = [counted(*(x[i] if m else x for x, m in zip(args, mapped))) for i in range(5)]
        return [anp.stack(parts) for parts in zip(*results)]

    expected, slopes = each(*args), grad(total(each), argnum=(0, 1, 2, 3))(*args)
    for wrapped in (lambda f: f, lambda f: jit(f, backend="python")):
        many = vmap(counted, axes)
        for x, y in zip(wrapped(many)(*args), expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12)
        for x, y in zip(wrapped(grad(total(many), argnum=(0, 1, 2, 3)))(*args), slopes, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


def test_a_program_does_not_grow_with_the_number_of_examples():
    f, sizes = jit(grad(lambda h, xs: total(vmap(lambda h: counted(W, h, xs, 1.0)))(h)), backend="python"), []
    for count in (0, 2, 100):
        assert f(np.ones((count, 3)), np.ones((4, 2))).shape == (count, 3)
        sizes.append(len(f.program.steps))
    assert sizes[1] == sizes[2] >= sizes[0]


def test_nodes_of_many_examples_have_their_gradients():
    total = lambda x: anp.sum(scan(lambda c, e: (anp.tanh(c + e), c * e), 0.1, x)[1])
    xs = Tensor(RNG.normal(size=(4, 3)))
    vmap(total)(xs).sum().backward()
    np.testing.assert_allclose(xs.grad, [grad(total)(x) for x in xs.data], rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_result_that_depends_on_nothing(backend):
    last, ones = jit(lambda x: scan(lambda c, e: (c + e, np.ones(2)), 0.0, x), backend)(np.arange(3.0))
    assert last == 3.0 and ones.tolist() == [[1.0, 1.0]] * 3


@pytest.mark.parametrize("name", ["inv", "cholesky", "qr"])
def test_what_is_not_defined_for_matrices_of_zeros(name):
    def f(matrix, factors):
        def step(c, x):
            root = anp.linalg.qr(c)[1] if name == "qr" else getattr(anp.linalg, name)(c)
            return root @ root.T * x[0, 0] + anp.eye(2), anp.linalg.solve(x, c)

        last, solved = scan(step, matrix, factors)
        return anp.sum(last) + anp.sum(solved)

    args = np.array([[2.0, 0.5], [0.5, 3.0]]), 2.0 * np.eye(2) + RNG.uniform(size=(3, 2, 2))
    for derivative in (f, grad(f), grad(f, 1), hessian(f)):
        np.testing.assert_allclose(jit(derivative)(*args), derivative(*args), rtol=1e-10, atol=1e-12)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="do not say how many"):
        scan(lambda c, x: (c, c), 0.0, (np.ones(3), np.ones(4)))
    with pytest.raises(ValueError, match="do not say how many"):
        scan(lambda c, x: (c, c), 0.0)
    with pytest.raises(TypeError, match="returns a carry and a result"):
        scan(lambda c, x: c, 0.0, np.ones(3))
    for f in (lambda x: x, jit):
        with pytest.raises(ValueError, match=r"shapes \[\(2,\)\] before f and \[\(4,\)\] after"):
            f(lambda x: scan(lambda c, _: (anp.concatenate([c, c]), 0.0), x, length=2))(np.ones(2))
    rng = np.random.default_rng(0)
    with pytest.raises(TracingError, match="draw all before, and give them in xs"):
        jit(lambda x: scan(lambda c, _: (c + random.uniform(rng), c), x, length=2))(np.array(1.0))
    for f in (lambda x: x, jit):
        with pytest.raises(ValueError, match="no entries"):
            f(lambda x: scan(lambda c, x: (c, c), Tensor(1.0), x)[1])(np.ones((0, 2)))
        for carry in ((0.0, 1.0), {"a": 0.0, "c": 1.0}, {"a": 0.0}, None, 0.0):
            with pytest.raises(TypeError, match="as its carry"):
                f(lambda x, carry=carry: scan(lambda c, x: (carry, x), {"a": 0.0, "b": 1.0}, x)[1])(np.ones(3))
