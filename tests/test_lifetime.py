"""Results share no memory with arguments, threads and tasks do not meet, and nothing is left behind."""

import asyncio
import concurrent.futures
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import weakref

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import (
    AnomalyError,
    Tensor,
    Value,
    detect_anomaly,
    grad,
    gradients,
    jit,
    no_grad,
    random,
    vjp,
)
from autograd.node import kinds
from autograd.operation import OPERATIONS
from autograd.recording import hooks, inspection, ours
from autograd.tree import map_tree

from . import leaks
from .layers import CASES
from .test_numpy import EVERY
from .trainings import BACKENDS, RNG, X, Y, apart, arrays, by_hand, network, numbers, trained

every_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.mark.parametrize("call", [p.values for p in EVERY], ids=[p.id for p in EVERY])
def test_results_and_gradients_are_the_callers_alone(call):
    f, *given = call
    value, pull = vjp(lambda *x: f(anp, *x), *given)
    seeds = map_tree(lambda y: np.ones(np.shape(y))[()], value)
    apart(arrays(value, pull(seeds), pull(seeds)), *given, *arrays(seeds))
    compiled = jit(lambda *x: f(anp, *x), backend="python")
    apart(arrays(compiled(*given), compiled(*given)), *given)


def test_a_copy_is_no_view():
    x = Tensor(X)
    copies = [anp.array(x), anp.copy(x), x.copy(), anp.array(x, copy=True, ndmin=3), x.astype(float)]
    apart(arrays(copies), x.data)
    assert anp.asarray(x) is x and np.shares_memory(anp.array(x, copy=False).data, x.data)
    np.testing.assert_array_equal(gradients(anp.array(x).sum(), [x])[0], np.ones(X.shape))


MOVING = [
    lambda x: x,
    lambda x: (x.T, x[0], x[:, None]),
    lambda x: anp.reshape(x, (3, 2)),
    lambda x: anp.broadcast_to(x, (2, 2, 3)),
    lambda x: anp.split(x, 2) + [np.ones(2)],
]


@every_backend
@pytest.mark.parametrize("f", MOVING)
def test_what_a_compiled_function_moves_is_the_callers_alone(f, backend):
    compiled, x = jit(f, backend=backend), RNG.normal(size=(2, 3))
    apart(arrays(compiled(x), compiled(x)), x)
    node = Tensor(x)
    apart(arrays(compiled(node)), x, node.data)


@pytest.mark.parametrize("name", CASES)
def test_what_layers_and_optimizers_keep_is_their_own(name):
    case = CASES[name]
    layer, x = case.make(float), Tensor(RNG.normal(size=case.shape), name="x")
    before, buffers = x.data.copy(), layer.state_dict()
    out = layer.train()(x)
    (out * out).sum().backward()
    parameters = [*layer.parameters(), x]
    optimizer = nn.Adam(parameters, 0.1)
    optimizer.step()
    kept = [*(p.data for p in parameters), *(a for state in optimizer.state for a in state)]
    apart(kept, *(p.grad for p in parameters))
    apart(arrays(buffers, layer.state_dict(), optimizer.state_dict()), *kept)
    assert not np.shares_memory(before, x.data)


def test_weak_references():
    model, optimizer = network()
    x, f = Tensor(X), jit(anp.sin)
    y = model(x)
    watched = [*map(weakref.ref, (x, y, model, optimizer, f))]
    gc.disable()
    try:
        assert all(w() is not None for w in watched)
        del x, y, model, optimizer, f
        assert [w() for w in watched] == [None] * 5
    finally:
        gc.enable()


KINDS = ["eager", *BACKENDS]


@pytest.mark.parametrize("kind", KINDS)
def test_eight_trainings_at_once_are_each_what_it_is_alone(kind):
    alone = [trained(kind, seed, 20) for seed in (0, 1)]
    barrier = threading.Barrier(8)

    def work(seed):
        barrier.wait()
        return trained(kind, seed, 20)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert [*pool.map(work, [0, 1] * 4)] == alone * 4


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_other_processes(start):
    """What was compiled before a fork runs after it, and a model goes to another process and comes back."""
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start}")
    trained("python" if not leaks.has_llvm() else "llvm")
    model, optimizer = network()
    with multiprocessing.get_context(start).Pool(1) as pool:
        found = pool.apply(elsewhere, (model, optimizer))
    assert numbers(*found) == trained("eager") and numbers(model, optimizer) == trained("eager", steps=0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not leaks.has_llvm() or not hasattr(os, "fork"), reason="no llvmlite, or no fork")
def test_a_fork_while_another_thread_compiles():
    done, compiled = threading.Event(), lambda i: jit(lambda x: anp.sum(x * i), backend="llvm")(X)

    def work():
        for i in itertools.count():
            if done.is_set():
                break
            compiled(i)

    compiled(-1)  # imports, which have locks of Python's own
    thread = threading.Thread(target=work)
    thread.start()
    try:
        for i in range(5):
            child = os.fork()
            if not child:
                signal.alarm(60)  # the end of one that waits for ever
                failed = True
                try:
                    failed = abs(compiled(-i) + i * X.sum()) > 1e-9
                finally:
                    os._exit(bool(failed))
            assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        thread.join()


def elsewhere(model, optimizer):
    assert trained("auto") == trained("auto")
    by_hand(model, optimizer)
    return model, optimizer


async def inside(block, work, go, done):
    """Work in a block, while another task works outside of it."""
    with block:
        done.set()
        await go.wait()
        return work()


async def outside(work, go, done):
    await done.wait()
    found = work()
    go.set()
    return found


@pytest.mark.parametrize("block", [no_grad, detect_anomaly])
def test_tasks_do_not_share_what_holds_for_one(block):
    def work():
        try:
            return (Value(1.0) * 2).operation is None, grad(np.sqrt)(0.0)
        except AnomalyError:
            return "an anomaly"

    async def both():
        go, done = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(inside(block(), work, go, done), outside(work, go, done))

    found = (True, np.inf) if block is no_grad else "an anomaly"
    assert asyncio.run(both()) == [found, (False, np.inf)]


def test_a_task_that_outlives_its_block():
    async def late():
        first = (Value(1.0) * 2).operation
        await asyncio.sleep(0)
        return first, (Value(1.0) * 2).operation

    async def main():
        with no_grad(), detect_anomaly():
            task = asyncio.create_task(late())
            await asyncio.sleep(0)
        with no_grad():  # another one: somebody's hook is open
            return await task

    assert asyncio.run(main()) == (None, OPERATIONS["mul"])


class Interrupted(BaseException):
    """What Ctrl-C is here."""


def interrupted(work, moment):
    """Whether some work was interrupted; moments at which Python looks for signals are counted in our own code."""
    moments = itertools.count()

    def look(frame, event, _):
        ours = frame.f_globals.get("__name__", "autograd").partition(".")[0] in ("autograd", "nn")
        if ours and event in ("call", "c_return") and next(moments) == moment:
            raise Interrupted

    sys.setprofile(look)
    try:
        work()
    except Interrupted:
        return True
    finally:
        sys.setprofile(None)
    return False


def engine():
    """What an interruption must not leave behind."""
    return kinds.tracing, kinds.array, ours.get(), len(hooks), inspection.around, random.source.instead, gc.isenabled()


@pytest.mark.parametrize("kind", [*KINDS, "compiling"])
def test_an_interruption_leaves_nothing_behind(kind):
    """Wherever it comes: parameters, states, buffers and generators are those of one step."""

    def begun():
        model, optimizer = network()
        step = (
            nn.TrainStep(model, nn.MSE(), optimizer, "python" if kind == "compiling" else kind)
            if kind != "eager"
            else None
        )

        def work():
            if kind == "compiling":
                step.clear()
            step(X, Y) if step else by_hand(model, optimizer, 1)

        work()
        return model, optimizer, work

    model, optimizer, work = begun()
    expected, count, clean = {1: numbers(model, optimizer)}, 0, (engine(), np.geterr())
    for _ in range(100):
        work()
        expected[optimizer.steps] = numbers(model, optimizer)
    model, optimizer, work = begun()
    moments = next(n for n in (2**k for k in range(30)) if not interrupted(work, n))
    model, optimizer, work = begun()
    for moment in np.random.default_rng(0).integers(moments, size=100):
        count += interrupted(work, moment)
        assert (engine(), np.geterr()) == clean
        if kind != "eager":  # there a layer draws, and counts, when it is called
            assert numbers(model, optimizer) == expected[optimizer.steps]
    assert count > 10


def test_nothing_is_left_of_steps_and_forms():
    """A short draw of python -m tests.leaks."""
    works = [leaks.eager_step(), *map(leaks.compiled_step, leaks.BACKENDS)]
    assert all(round(leaks.grown(run, 100)[1]) <= 0 for run in works)  # below, where what other tests left is freed
    for backend in leaks.BACKENDS:
        form = leaks.compiled_form(backend)
        form.__closure__[0].cell_contents.forms.most = 1
        assert leaks.grown(form, 10)[1] < 1, backend


def test_a_chain_of_nodes_in_bytes():
    held, most = leaks.chain(50_000)
    assert held < 160 and most < 250
