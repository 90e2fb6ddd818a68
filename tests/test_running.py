"""Compiled programs in the long run: iterated, in several threads, of thousands of forms, and given what is wrong."""

import concurrent.futures
import os
import pathlib
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, grad, jit, scan, vmap
from autograd.compiler import Program, executable, record
from autograd.tree import flatten

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
RNG = np.random.default_rng(0)

# what becomes of a state a, b, c of 3 x 3 matrices, by an entry x
FOLLOWING = {
    "a": lambda x, a, b, c: a,
    "b": lambda x, a, b, c: b,
    "c": lambda x, a, b, c: c,
    "the entry": lambda x, a, b, c: x,
    "a turned": lambda x, a, b, c: a.T,
    "b reversed": lambda x, a, b, c: b[::-1],
    "a row of a": lambda x, a, b, c: anp.broadcast_to(a[1], (3, 3)),
    "c in another shape": lambda x, a, b, c: c.reshape(9)[::-1].reshape(3, 3),
    "b and the entry": lambda x, a, b, c: 0.5 * b + x,
    "a product": lambda x, a, b, c: anp.tanh(a @ c),
}


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*FOLLOWING]), min_size=4, max_size=4), st.integers(1, 4))
def test_carried_outputs_that_are_other_inputs(names, count):
    functions = [FOLLOWING[name] for name in names]
    xs, state = RNG.normal(size=(count, 3, 3)), RNG.normal(size=(3, 3, 3))
    current, shown = [*state], []
    for x in xs:
        found = [f(*map(Tensor, (x, *current))).data for f in functions]
        shown.append(found[0])
        current = found[1:]
    recording = record(lambda *nodes: [f(*nodes) for f in functions], [xs[0], *state], ["x", "a", "b", "c"])
    program = Program(recording.inputs, recording.output)
    for backend in BACKENDS:
        run = executable(program, "step", backend, [True, False, False, False], {1: 1, 2: 2, 3: 3})
        after = [x.copy() for x in state]
        (ours,) = run.iterate(count, [xs, *after])
        np.testing.assert_allclose(ours, shown, rtol=1e-12)
        np.testing.assert_allclose(after, current, rtol=1e-12)


def network(x, y):
    hidden = anp.tanh(x @ np.linspace(-1, 1, 25).reshape(5, 5))
    return anp.sum(hidden * y, 0), anp.cumsum(y), x[anp.argmax(y, axis=0)]


def trained(backend):
    """Losses and parameters after some steps."""
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(20, 8, 3)), rng.normal(size=(20, 8, 1))
    model = nn.MLP(3, [4], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), lr=0.01, momentum=0.9), backend=backend)
    return [step.run(xs, ys), step(xs[0], ys[0]), *(p.data for p in model.parameters())]


@every_backend
def test_several_threads_come_to_what_one_does(backend, monkeypatch):
    monkeypatch.setattr("autograd.compiler.llvm.ON_THE_STACK", 0)  # each thread has its own workspace
    compiled = jit(network, backend=backend)
    args = [RNG.normal(size=(2, n, 5)) for n in (3, 17) for _ in range(5)]
    calls = [lambda x: compiled(*x), lambda x: [grad(lambda a: anp.sum(compiled(a, x[1])[0]))(x[0])]]
    alone = [[call(x) for call in calls] for x in args]
    compiled.clear()
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        learned = [threads.submit(trained, backend) for _ in range(2)]
        found = [*threads.map(lambda x: [call(x) for call in calls], args * 10)]
        learned = [each.result() for each in learned]
    for ours, theirs in [*zip(found, alone * 10), *zip(learned, [trained(backend)] * 2)]:
        for a, b in zip(flatten(ours), flatten(theirs), strict=True):
            np.testing.assert_array_equal(a, b)


GROWTH = """
import gc, os, pathlib
import numpy as np, autograd.numpy as anp
from autograd import jit

def memory():
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

f = jit(lambda x, y: anp.sum(x * y, 0), backend={backend!r})
f.forms.most = 8
taken = []
for n in range(1, 221):
    f(np.ones((n, 3)), np.ones(3))
    if n % 20 == 0:
        taken.append(memory())
assert len(f.forms) == 8
print(np.median(np.diff(taken)) / 20)  # an allocator takes some megabytes now and then: a leak grows all the time
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="tells nothing of memory")
@pytest.mark.parametrize("backend, cache", [("python", "off"), ("llvm", "off"), ("llvm", "on")])
def test_forms_leave_no_memory_behind(backend, cache, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", GROWTH.format(backend=backend)],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parent.parent,
        env={"CRABGRAD_CACHE": cache if cache == "off" else str(tmp_path / "kept")},
    )
    assert not run.stderr
    assert float(run.stdout) < 40_000  # bytes a form; it was 97,000 before LLVM's passes were disposed of


INDEXED = {
    "rows": lambda x, i: x[i],
    "columns": lambda x, i: x[:, i],
    "elements": lambda x, i: x[i, i],
    "take": lambda x, i: anp.take(x, i, axis=0),
    "along an axis": lambda x, i: anp.take_along_axis(x, i[:, None] + np.zeros((1, 4), int), axis=0),
    "of what is computed": lambda x, i: anp.sum(anp.exp(x)[i]),
    "gradient": lambda x, i: grad(lambda x: anp.sum(x[i] ** 2))(x),
    "in a loop": lambda x, i: scan(lambda carry, k: (carry + x[k], carry), np.zeros(4), i)[0],
    "by example": lambda x, i: vmap(lambda row, k: row[k])(x, i),
}


@every_backend
@pytest.mark.parametrize("name", INDEXED)
def test_an_index_out_of_range_raises(backend, name):
    f = jit(INDEXED[name], backend=backend)
    x, good = RNG.normal(size=(4, 4)), np.array([0, -1, 3, -4])
    expected = f(x, good)
    for wrong in (4, -5, 2**31, 2**62, -(2**63), 2**63 - 1):
        for place in (0, 3):
            bad = good.copy()
            bad[place] = wrong
            with pytest.raises(IndexError, match="out of bounds for an axis"):
                f(x, bad)
    np.testing.assert_array_equal(f(x, good), expected)


@every_backend
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_integers_at_their_limits(backend, dtype):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    edges = np.array([least, least + 1, -7, -1, 0, 1, 7, most], dtype)
    shifts = np.array([0, 1, 31, 32, 63, 64, 65, 1000], dtype)

    def f(x, shift):
        y = x[:, None]
        by = shift[:, None]
        return x // y, x % y, -x, abs(x), x * y, x - y, x // -1, x % -1, x // 0, x << by, x >> by, x << 70, anp.sign(x)

    with np.errstate(all="ignore"):
        expected = f(edges, shifts)
    for ours, theirs in zip(jit(f, backend=backend)(edges, shifts), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_what_machine_code_has_of_integers_and_of_nothing():
    i = np.array([[3, -4], [0, 7]])

    def f(i):
        return i**2, anp.min(i, 0), anp.max(i), anp.min(i > 0), i * np.array([0.5, 2.0]) + np.array([1, 200], np.uint8)

    for ours, theirs in zip(jit(f, "llvm")(i), f(i), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    for g, x, message in (
        (lambda i: i**3, i, "pow of integers is not printed, but for squares"),
        (lambda i: i @ i, i, "matmul of integers is not printed"),
        (lambda i: abs(i > 0), i, "abs of masks is not printed"),
        (lambda x: anp.max(x, 0), np.ones((3, 0)), "an extreme of nothing is not printed"),
        (lambda x: anp.argmax(x, 0), np.ones((3, 0)), "an extreme of nothing is not printed"),
        (lambda i: anp.take(np.ones((0, 2)), i, 0), np.ones(0, int), "an index into nothing is not printed"),
    ):
        with pytest.raises(TypeError, match=message):
            jit(g, "llvm")(x)
        np.testing.assert_array_equal(jit(g)(x), g(x))


def test_machine_code_is_given_no_array_that_it_would_write_beyond():
    recording = record(lambda x, y: [x + y], [np.ones(3), np.ones(3)], ["x", "y"])
    run = executable(Program(recording.inputs, recording.output), "f", "llvm", carried={0: 0})
    x = np.ones(3)
    assert run.iterate(2, [x, np.ones(3)]) == [] and x.tolist() == [3.0] * 3
    with pytest.raises(ValueError, match=r"shape \(3,\) was given one of shape \(2,\)"):
        run.iterate(1, [x, np.ones(2)])
    for bad in (np.ones(6)[::2], np.ones(3, np.float32), np.broadcast_to(1.0, 3)):
        with pytest.raises(ValueError, match="it must be a contiguous, writable array"):
            run.iterate(1, [bad, np.ones(3)])


@every_backend
@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, bool])
def test_floats_that_are_no_integers_become_some(backend, given, dtype):
    x = np.array([1.9, -1.9, 0.0, np.nan, np.inf, -np.inf, 1e30, -1e30], given)
    found = jit(lambda x: x.astype(dtype), backend=backend)(x)  # which ones, NumPy leaves to the processor
    np.testing.assert_array_equal(found[:3], x[:3].astype(dtype))
    assert found.shape == x.shape and found.dtype == dtype


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_freed_memory_is_used_again():
    script = """
import resource, numpy as np, autograd
x = np.ones(32768)
def step():
    kept = [x]
    for _ in range(12):
        kept.append(kept[-1] * 1.5)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
before = faults()
for _ in range(20):
    step()
print(faults() - before)
"""

    def pages(**variables):
        environment = {**os.environ, "PYTHONPATH": os.getcwd(), **variables}
        return int(subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True).stdout)

    assert pages() < 100 < 5000 < pages(MALLOC_TOP_PAD_="0")  # what the user says goes before
