"""What is printed equals what is recorded, for every operation, on fresh inputs and by every printer."""

import gc
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, define, grad, hessian, hvp, jacobian, jit, jvp, value_and_grad, vjp
from autograd.operation import ELEMENTWISE
from autograd.tree import flatten

from . import strategies
from .test_backward import OF_ARRAYS, programs

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
every_operation = pytest.mark.parametrize("operation", strategies.OPERATIONS, ids=lambda operation: operation.name)
elementwise = pytest.mark.parametrize("operation", ELEMENTWISE, ids=lambda operation: operation.name)
EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-8, 1e300, -745.5, 710.0, 0.5, 2.0]


def assert_agree(f, *args, fresh=(), backends=BACKENDS, rtol=1e-12, atol=1e-300):
    """f, compiled by each backend, against f on nodes; also on fresh arguments of the same form."""
    programs = [jit(f, backend=backend) for backend in backends]
    for numbers in (args, *fresh):
        assert_equal(f, programs, numbers, rtol, atol)


def assert_equal(f, programs, args, rtol, atol):
    """f on nodes and its programs come to the same."""
    with np.errstate(all="ignore"):
        expected = [x.data if isinstance(x, (Value, Tensor)) else x for x in flatten(f(*wrapped(args)))]
        for program in programs:
            for ours, theirs in zip(flatten(program(*args)), expected, strict=True):
                where = f"{program.backend}\n{program.source}"
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=where)
                assert np.shape(ours) == np.shape(theirs) and np.asarray(ours).dtype == np.asarray(theirs).dtype


def wrapped(args):
    arrays = any(isinstance(x, np.ndarray) for x in flatten(args))
    return [(Tensor if arrays else Value)(x) for x in args]


def printable(operation):
    return operation.name not in "sorted_as unsorted_as solve inv det detsign logdet cofactor minors cholesky".split()


def differentiated(operation, static):
    """The values, the gradients, and the gradients of the gradients, as one function."""
    count = len(operation.pullbacks) if operation.pullbacks else 0

    def f(*args):
        return operation(*args, *static)

    def first(*args):
        return grad(
            lambda *inner: anp.sum(f(*inner)) if isinstance(f(*inner), Tensor) else f(*inner), tuple(range(count))
        )(*args)

    def both(*args):
        if not count:
            return f(*args)
        second = grad(
            lambda *inner: sum(anp.sum(g) if isinstance(g, Tensor) else g for g in first(*inner)), tuple(range(count))
        )
        return [f(*args), first(*args), second(*args)]

    return both


@every_operation
def test_every_operation_on_arrays(operation):
    @settings(
        max_examples=4 if operation in ELEMENTWISE else 8
    )  # of those only the shapes: for their numbers see below
    @given(strategies.calls(operation))
    def check(call):
        arrays, static = call
        empty = operation.name in ("max", "min", "ties", "logsumexp") and not arrays[0].size
        backends = BACKENDS if printable(operation) and not empty else ["python"]
        arrays = [np.asarray(x) for x in arrays]
        fresh = [[np.asarray(x * 0.75) for x in arrays]]
        assert_agree(differentiated(operation, static), *arrays, fresh=fresh, backends=backends, rtol=1e-9, atol=1e-12)
        if operation.name != "cast":
            single = [x.astype(np.float32) for x in arrays]
            assert_agree(lambda *x: operation(*x, *static), *single, backends=backends, rtol=1e-4, atol=1e-5)

    check()


@elementwise
def test_every_operation_on_numbers_and_at_edges(operation):
    f = differentiated(operation, ())
    programs = [jit(f, backend=backend) for backend in BACKENDS]  # for numbers, and for arrays of six

    @settings(max_examples=15)
    @given(data=st.data())
    def check(data):
        several = st.lists(st.sampled_from(EDGES), min_size=5, max_size=5)
        columns = [
            [data.draw(st.sampled_from(EDGES) | strategies.numbers_for(operation.name)), *data.draw(several)]
            for _ in operation.arguments
        ]
        for point in zip(*columns):
            assert_equal(f, programs, point, rtol=1e-11, atol=1e-290)
        assert_equal(f, programs, [np.array(column) for column in columns], rtol=1e-11, atol=1e-290)

    check()
    assert all(len(program.forms) == 2 for program in programs)


@settings(max_examples=15)
@given(program=programs(2), x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_random_programs_on_numbers(program, x, y):
    assert_agree(program, x, y, fresh=[(y, x)], rtol=1e-9, atol=1e-12)
    assert_agree(grad(program, (0, 1)), x, y, fresh=[(y, x)], rtol=1e-8, atol=1e-11)


@settings(max_examples=15)
@given(program=programs(3, OF_ARRAYS), shapes=strategies.broadcasting(3), seed=st.integers(0, 99))
def test_random_programs_on_arrays(program, shapes, seed):
    rng = np.random.default_rng(seed)
    args, fresh = ([rng.uniform(-2, 2, shape) for shape in shapes] for _ in range(2))
    assert_agree(program, *args, fresh=[fresh], rtol=1e-9, atol=1e-11)
    assert_agree(grad(lambda *x: anp.sum(program(*x)), (0, 1, 2)), *args, fresh=[fresh], rtol=1e-8, atol=1e-10)


def model(x, params):
    hidden = anp.tanh(anp.affine(x, params["w"], params["b"]))
    return anp.sum(anp.square(hidden @ params["v"]))


RNG = np.random.default_rng(0)
PARAMS = {"w": RNG.normal(size=(3, 4)), "b": RNG.normal(size=4), "v": RNG.normal(size=(4, 2))}
X = RNG.normal(size=(5, 3))


def assert_same(ours, theirs):
    for a, b in zip(flatten(ours), flatten(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_jit_composes_with_the_transformations_in_any_order(backend):
    def compiled(f):
        return jit(f, backend=backend)

    def f(x):
        return model(x, PARAMS)

    assert_same(compiled(grad(model, 1))(X, PARAMS), grad(model, 1)(X, PARAMS))
    assert_same(grad(compiled(model), 1)(X, PARAMS), grad(model, 1)(X, PARAMS))
    assert_same(compiled(compiled(f))(X), f(X))
    assert_same(compiled(grad(compiled(f)))(X), grad(f)(X))
    assert_same(compiled(hessian(f))(X), hessian(f)(X))
    assert_same(hessian(compiled(f))(X), hessian(f)(X))
    assert_same(
        compiled(jacobian(lambda x: anp.tanh(x) @ PARAMS["w"]))(X), jacobian(lambda x: anp.tanh(x) @ PARAMS["w"])(X)
    )
    assert_same(compiled(hvp(f))(X, X), hvp(f)(X, X))
    assert_same(compiled(lambda x, t: jvp(f, (x,), (t,)))(X, X), jvp(f, (X,), (X,)))
    assert_same(compiled(lambda x: vjp(anp.tanh, x)[1](x))(X), vjp(anp.tanh, X)[1](X))
    assert_same(
        compiled(value_and_grad(lambda x: x**3 + grad(anp.sin)(x)))(2.0),
        value_and_grad(lambda x: x**3 + grad(anp.sin)(x))(2.0),
    )


def places(rising, x):
    return anp.searchsorted(rising, x), anp.searchsorted(rising, x, "right")


PLACES = jit(places, backend="llvm")


@given(st.sampled_from([0, 1, 4, 7]), st.integers(0, 999), st.booleans())
def test_places_among_numbers_with_ties_and_nan(n, seed, narrow):
    rng, numbers = np.random.default_rng(seed), np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan])
    rising, x = np.sort(rng.choice(numbers, n)), rng.choice(numbers, (2, 4)).astype("f4" if narrow else "f8")
    for ours, theirs in zip(PLACES(rising, x), places(rising, x), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_interpolation_is_machine_code():
    x, xp, fp = np.linspace(-1, 4, 11), np.array([0.0, 1.0, 3.0]), np.array([1.0, -1.0, 2.0])
    assert_agree(value_and_grad(lambda *args: anp.sum(anp.interp(*args) ** 2), argnum=(0, 1, 2)), x, xp, fp)


def test_what_llvm_cannot_print_runs_as_python():
    f = jit(lambda x: anp.sort(x)[::-1])
    assert f(np.array([2.0, 3.0, 1.0])).tolist() == [3.0, 2.0, 1.0] and f.backend == "python (sorted_as is not printed)"
    double = define("doubled_by_function", forward=lambda x: 2 * x, pullbacks=[lambda g, out, x: 2 * g])
    g = jit(grad(lambda x: double(x) * x))
    assert g(3.0) == 12.0 and g.backend.startswith("python")
    power = define("fourth_power(x) = x ** 4 | g * (4 * x ** 3)")
    h = jit(grad(power))
    assert h(2.0) == 32.0 and h.backend.startswith("llvm")


@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 35]), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.sampled_from([(), (2,), (1, 3)]),
)
def test_matrix_products_of_every_size_and_order_in_memory(sizes, flips, lead):
    n, k, m = sizes
    x, y = RNG.normal(size=(*lead[:1], k, n) if flips[0] else (*lead[:1], n, k)), RNG.normal(size=(*lead, m, k))
    y = y if flips[1] else np.ascontiguousarray(y.mT)
    x, y = (a.astype(np.float32 if flips[2] else np.float64) for a in (x, y))
    f = jit(lambda x, y: (x.mT if flips[0] else x) @ (y.mT if flips[1] else y), backend="llvm")
    expected = (x.mT if flips[0] else x) @ (y.mT if flips[1] else y)
    np.testing.assert_allclose(f(x, y), expected, rtol=1e-5, atol=1e-5 if flips[2] else 1e-13)
    assert f(x, y).dtype == x.dtype


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_may_be_read_only_empty_in_any_order_and_anywhere_in_memory(backend):
    x, odd = np.arange(6.0).reshape(2, 3), np.zeros(49, np.uint8)[1:].view(float).reshape(2, 3)
    odd[:], weight = x, Tensor(1.0)
    f = jit(lambda x: (anp.sin(x) * 2 + anp.sum(x)) * weight, backend=backend)
    forms = np.broadcast_to(x[:1], (2, 3)), x[:0], x[:, ::-1], np.asfortranarray(x), x.T, odd, x.view(Subclass)
    for form in forms:
        np.testing.assert_allclose(f(form).data, np.sin(form) * 2 + np.sum(form), rtol=1e-12)
    weight = Tensor(x)
    for weight.data in (form for form in forms if form.shape == x.shape):
        np.testing.assert_allclose(f(x).data, (np.sin(x) * 2 + 15) * weight.data, rtol=1e-12)


class Subclass(np.ndarray):
    """An array of another class."""


def test_dtypes_mix_as_in_numpy():
    x, w, b = RNG.normal(size=(5, 3)).astype(np.float32), RNG.normal(size=(3, 4)), RNG.normal(size=4).astype(np.float32)

    def f(x, w, b):
        return anp.affine(x, w, b), x @ w, anp.sum(x * w.T[:1], 0), x * 2.0, x + b[:3], anp.where(x > 0, x, w[0, 0])

    assert_agree(f, x, w, b, rtol=1e-5)
    assert_agree(grad(lambda *args: sum(anp.sum(part) for part in f(*args)), (0, 1, 2)), x, w, b, rtol=1e-4)
    assert_agree(lambda i, x: i * x, np.arange(3), np.ones(3, np.float32), rtol=1e-6, backends=["python"])


def test_without_llvmlite_auto_is_python_and_llvm_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "llvmlite", None)
    for name in [name for name in sys.modules if name.startswith("autograd.compiler.llvm")]:
        monkeypatch.delitem(sys.modules, name)
    f = jit(anp.sin)
    assert f(1.0) == math.sin(1.0) and f.backend.startswith("python (llvmlite is not installed: pip")
    with pytest.raises(ImportError, match=r'pip install "crabgrad\[jit\]"'):
        jit(anp.sin, backend="llvm")(1.0)


@pytest.mark.parametrize(
    "name", ['x"; import os #', "def", "buffers", "exp", "a b", "ünï", "", "__class__", "x\ny", "constants"]
)
def test_hostile_names_stay_names(name):
    weight = Tensor([2.0], name=name)
    for backend in BACKENDS:
        f = jit(lambda x, k=name: (x * weight).sum(), backend=backend)
        assert f(np.array([3.0])) == 6.0
    assert "import os" not in f.source


def test_equal_expressions_are_computed_once_and_unused_ones_never():
    def wasteful(x):
        anp.exp(x) * 7
        return anp.sin(x) + anp.sin(x) * 1 - 0.0

    f = jit(wasteful, backend="python")
    f(1.0)
    assert f.source.count("sin(") == 1 and "exp" not in f.source and len(f.program.steps) == 2
    g = jit(lambda x: (x.T.T @ np.ones((2, 2))).reshape(4).reshape(2, 2) + 2 * np.ones(2) * 3.0, backend="python")
    g(np.ones((2, 2)))
    assert [v.word for v in g.program.steps] == ["matmul", "add"]
    assert "2 operations on 8 numbers (64 bytes in buffers of 64), 8 multiply-adds" in repr(g.program)


def test_the_power_of_one_half_is_numpys():
    x = np.array([-np.inf, -0.0, 4.0, -1.0])
    with np.errstate(all="ignore"):
        expected = x**0.5, x.astype(np.float32) ** 0.5, x ** np.full(4, 0.5)
    for backend in BACKENDS:
        f = jit(lambda x, y: (x**0.5, y**0.5, x ** np.full(4, 0.5)), backend=backend)
        for ours, theirs in zip(f(x, x.astype(np.float32)), expected):
            np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_array_equal(np.signbit(ours[1:3]), np.signbit(theirs[1:3]))


def test_a_large_graph_of_numbers_compiles_and_frees():
    def f(x, y):
        for i in range(5000):
            x, y = x * 0.999 + y * 0.001, anp.sin(y) + x * (1 / (i + 1))
        return x + y

    assert_agree(f, 0.5, 0.25, fresh=[(1.0, 2.0)], rtol=1e-9)
    gc.collect()


def test_a_function_that_is_called_often_is_not_copied_to_each_call():
    def steps(w, n):
        for _ in range(n):
            w = w - 0.01 * grad(lambda w: (anp.tanh(x @ w) ** 2).sum())(w)
        return w

    x, w = np.linspace(-1, 1, 120).reshape(30, 4), np.ones((4, 3))
    for n, where in ((2, "alwaysinline"), (20, "noinline")):
        f = jit(lambda w, n=n: steps(w, n), backend="llvm")
        np.testing.assert_allclose(f(w), steps(w, n), rtol=1e-12)
        assert f'#2 = {{ nounwind {where} "' in f.source
