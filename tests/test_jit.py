"""jit: what a call reads, what it leaves alone, and what cannot be traced says so."""

import gc
import linecache
import math
import threading

import numpy as np
import pytest

import autograd.numpy as anp
import nn.scalar
from autograd import Tensor, TracingError, Value, grad, jit, no_grad, value_and_grad

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_masks_are_computed_again(backend):
    f = jit(grad(lambda x: anp.sum(anp.where(x > 0, x**2, anp.relu(-x) * 3))), backend=backend)
    for x in (np.array([1.0, -1.0, 2.0]), np.array([-1.0, 1.0, 0.0])):
        np.testing.assert_array_equal(f(x), np.where(x > 0, 2 * x, np.where(x < 0, -3.0, 0.0)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_derivative_of_a_jitted_function_that_was_called_has_programs_of_its_own(backend):
    f = jit(lambda x: anp.sum(x * x), backend=backend)
    assert f(np.ones(2)) == 2 and jit(grad(f), backend=backend)(np.ones(2)).tolist() == [2, 2]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_function_closes_over_is_read_at_each_call(backend):
    weight, constant = Tensor([2.0, 3.0], name="weight"), np.array([1.0, 1.0])
    f = jit(lambda x: (x * weight * constant + weight * weight).sum(), backend=backend)
    x = np.array([1.0, 2.0])
    assert f(x) == 21.0
    weight.data = np.array([0.0, 1.0])
    assert f(x) == 3.0
    before = weight * 2
    with pytest.raises(TracingError, match=r"test_jit.py, line \d+: a Tensor that was computed before \(by mul\)"):
        jit(lambda x: (x * before).sum(), backend=backend)(x)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_with_its_own_values_runs_on_the_elements_of_arrays(backend):
    model = nn.scalar.MLP(2, [3, 1], rng=0)

    def one(x, y):
        return model([x, y]) ** 2 + 0.5

    f, slopes = (jit(g, backend=backend) for g in (one, value_and_grad(one, (0, 1))))
    xs, ys = RNG.normal(size=(4, 1)), RNG.normal(size=3)
    for _ in range(2):
        pairs = [[value_and_grad(one, (0, 1))(float(x), float(y)) for y in ys] for x in xs[:, 0]]
        expected = np.array([[[x.data for x in (value, *slope)] for value, slope in row] for row in pairs])
        np.testing.assert_allclose(f(xs, ys).data, expected[..., 0], rtol=1e-12)
        value, (gx, gy) = slopes(xs, ys)
        np.testing.assert_allclose(anp.stack([value, gx, gy], -1).data, expected, rtol=1e-12)
        model.parameters()[0].data += 1.0  # the program reads it anew
    assert f(0.5, 1.0).data == pytest.approx(one(Value(0.5), Value(1.0)).data) and len(f.forms) == 2
    assert f(xs.astype(np.float32), ys.astype(np.float32)).dtype == np.float32
    constant = jit(lambda x: [model([0.0, 1.0]) + 0 * x, grad(lambda x: 2 * x + model([1.0, 1.0]))(x)], backend=backend)
    assert [np.shape(part) for part in constant(xs)] == [(4, 1), (4, 1)]


def test_a_function_is_recorded_once_for_each_form():
    calls, scale, weight = [], Value(2.0), Tensor([1.0, 2.0])

    def of_values(x):
        calls.append(x)
        return x * scale

    def of_tensors(x):
        calls.append(x)
        return x * weight

    for f, given in ((of_values, (1.0, np.ones(3), np.ones((2, 2)))), (of_tensors, (np.ones(2), np.ones((3, 2))))):
        calls.clear()
        compiled = jit(f)
        for x in given * 2:
            compiled(x)
        assert len(calls) == len(compiled.forms) == len(given)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_the_caller_never_change(backend):
    f = jit(lambda x: (x, x.T, x * 2, x.reshape(-1)), backend=backend)
    x = np.ones((2, 2))
    first = f(x)
    copies = [np.array(part) for part in first]
    f(np.zeros((2, 2)))
    for result in first:
        result[...] = 5.0
    assert (x == 1).all() and all((copy == (1 if i != 2 else 2)).all() for i, copy in enumerate(copies))
    assert (f(x)[0] == 1).all()


@pytest.mark.parametrize(
    "read",
    [
        lambda x: float(x.sum()),
        lambda x: x.data.sum(),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: math.exp(x.sum()),
        lambda x: np.asarray(x),
        lambda x: x[int(x[0])],
        lambda x: x.item(),
        lambda x: list(range(x[0])),
        lambda x: x.sum().backward(),
        lambda x: max(x[0], x[1]),
    ],
)
def test_reading_a_number_while_tracing_names_the_line(read):
    with pytest.raises(TracingError, match=r"test_jit\.py, line \d+: .*inside jit"):
        jit(read)(np.ones(3))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: jit(anp.sin)(1j), TypeError, "not complex"),
        (lambda: jit(anp.sin)(np.array(["a"])), TypeError, "not <U1"),
        (lambda: jit(anp.sin, backend="c"), ValueError, "auto, llvm, python and jax, not 'c'"),
        (lambda: jit(lambda x: anp.sort(x), backend="llvm")(np.ones(2)), TypeError, "sorted_as is not printed"),
        (lambda: jit(anp.sin).source, RuntimeError, "has not been called yet"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_program_for_each_form_of_arguments():
    f = jit(lambda x, *rest, mode="a": anp.sin(x) if mode == "a" else anp.cos(x))
    for args in ((1.0,), (2.0,), (3,)):
        assert f(*args) == math.sin(args[0])
    assert len(f.forms) == 1
    f(np.ones(2)), f(np.ones(3)), f(np.ones(3, np.float32)), f([np.ones(3)][0])
    assert f(1.0, mode="b") == math.cos(1.0) and len(f.forms) == 5
    f.clear()
    assert repr(f).endswith("0 programs>")


def test_a_traceback_through_one_of_two_lambdas_shows_its_own_line():
    first, second = jit(lambda x: anp.sin(x) @ x, backend="python"), jit(lambda x: anp.cos(x), backend="python")
    first(np.ones(2)), second(np.ones(2))
    codes = [f._last.run._code.co_filename for f in (first, second)]
    assert codes[0] != codes[1] and "sin" in "".join(linecache.getlines(codes[0]))
    del first
    gc.collect()
    assert not linecache.getlines(codes[0]) and "cos" in "".join(linecache.getlines(codes[1]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_call_the_same_function(backend):
    f = jit(lambda x: anp.tanh(x @ x.T) * 2, backend=backend)
    inputs = [RNG.normal(size=(20, 20)) for _ in range(4)]
    expected, wrong = [np.tanh(x @ x.T) * 2 for x in inputs], []

    def work(x, y):
        for _ in range(100):
            if not np.allclose(f(x), y, rtol=1e-10):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs, expected)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_grad_elsewhere_does_not_disturb_a_trace():
    with no_grad():
        assert jit(lambda x: x * 2)(3.0) == 6.0
    entered, traced = threading.Event(), threading.Event()

    def elsewhere():
        with no_grad():
            entered.set()
            traced.wait(10)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    entered.wait(10)
    assert jit(grad(lambda x: x * x))(3.0) == 6.0
    traced.set()
    thread.join()


def test_the_garbage_collector_rests_while_a_program_is_made_and_then_is_as_it_was():
    def f(x):
        seen.append(gc.isenabled())
        return x * 2.0 if x.ndim == 1 else float(x)

    seen = []
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            assert np.array_equal(jit(f)(np.ones(2)), [2.0, 2.0])
            assert gc.isenabled() is enabled
            with pytest.raises(TracingError):
                jit(f)(np.ones((1, 1)))
            assert gc.isenabled() is enabled
        finally:
            gc.enable()
    assert seen and not any(seen)
