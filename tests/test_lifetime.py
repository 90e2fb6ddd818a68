"""Results share no memory with arguments; copies and pickles are whole and independent; nothing is left behind."""

import asyncio
import concurrent.futures
import copy
import gc
import itertools
import multiprocessing
import pickle
import signal
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
    checkpoint,
    define,
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
from autograd.tree import flatten, map_tree

from . import leaks
from .layers import CASES
from .test_numpy import EVERY

BACKENDS = ["python", pytest.param("llvm", marks=pytest.mark.skipif(not leaks.has_llvm(), reason="llvmlite"))]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
RNG = np.random.default_rng(0)


def by_pickle(x):
    return pickle.loads(pickle.dumps(x))


ways = pytest.mark.parametrize("way", [copy.deepcopy, by_pickle])


def arrays(*trees):
    return [x.data if isinstance(x, Tensor) else x for x in flatten([*trees]) if isinstance(x, (np.ndarray, Tensor))]


def apart(results, *others):
    """Each result is writable, and shares its memory with nothing else."""
    for x in results:
        assert x.flags.writeable
    for x, y in [*itertools.combinations(results, 2), *itertools.product(results, others)]:
        assert not np.shares_memory(x, y)


@pytest.mark.parametrize("call", [p.values for p in EVERY], ids=[p.id for p in EVERY])
def test_results_and_gradients_are_the_callers_alone(call):
    f, *given = call
    value, pull = vjp(lambda *x: f(anp, *x), *given)
    seeds = map_tree(lambda y: np.ones(np.shape(y))[()], value)
    apart(arrays(value, pull(seeds), pull(seeds)), *given, *arrays(seeds))
    compiled = jit(lambda *x: f(anp, *x), backend="python")
    apart(arrays(compiled(*given), compiled(*given)), *given)


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


def test_a_copy_has_an_array_of_its_own():
    x = Tensor(np.zeros(3))
    y, leaf, kept = x.copy(), copy.copy(x), anp.copy(x)
    x.data += 1
    assert [z.data.tolist() for z in (y, leaf, kept)] == [[0.0] * 3] * 3
    assert gradients(y.sum(), [x])[0].tolist() == [1.0] * 3 and leaf.operation is None
    product = y * 2
    assert copy.copy(product).args == product.args and copy.copy(Value(2.0, "v")).name == "v"


def graph(make):
    """A graph of each kind of argument, and what it was made of."""
    x, v = make()
    y = anp.exp(x)
    z = y[np.array([1, 0]), :] @ y.T * v
    return anp.where(z.data > 1, z, 0.5 * z).sum(axis=0), [x, y, v]


@ways
def test_a_whole_graph_is_itself_again_apart_from_the_first(way):
    make = lambda: (Tensor(np.arange(6.0).reshape(2, 3) / 9, name="x"), Value(2.0, "v"))
    out, before = graph(make)
    out.backward(np.ones(2))
    twin, inner = way((out, before))
    assert [node.name for node in inner] == ["x", "", "v"] and np.array_equal(inner[1].grad, before[1].grad)
    for node, other in zip([out, *before], [twin, *inner]):
        apart([np.asarray(other.data), np.asarray(other.grad)], np.asarray(node.data), np.asarray(node.grad))
        assert np.array_equal(node.data, other.data) and np.array_equal(node.grad, other.grad)
    for a, b in zip(gradients(out, before, seed=np.ones(2)), gradients(twin, inner, seed=np.ones(2))):
        np.testing.assert_array_equal(a, b)
    twin.backward(np.ones(2))
    assert inner[2].grad == 2 * before[2].grad and before[0].grad.tolist() != inner[0].grad.tolist()
    assert (twin * 2).when > twin.when > inner[0].when > out.when


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nodes_that_are_pickled_together_stay_together(protocol):
    x = Tensor([1.0, 2.0])
    y = x * x
    z, y_again, x_again = pickle.loads(pickle.dumps((anp.sin(y), y, x), protocol))
    assert z.args == (y_again,) and y_again.args == (x_again, x_again)
    first, second = (pickle.loads(pickle.dumps(y)) for _ in range(2))
    assert first.x is not second.x and first.x is first.y


@ways
@pytest.mark.parametrize("make", [Value, lambda x: Tensor(np.array(x))])
def test_a_deep_graph(make, way):
    x = y = make(1.0)
    for _ in range(20_000):
        y = y * 1.0000001
    z, leaf = way([y, x])
    z.backward()
    assert leaf.grad == pytest.approx(1.0000001**20_000) and (x.grad is None or x.grad == 0)


@ways
def test_second_derivatives_of_a_copy(way):
    x = Tensor([0.3, 0.7])
    (g,) = gradients((x**3).sum(), [x], create_graph=True)
    again, leaf = way((g, x))
    np.testing.assert_allclose(gradients(again.sum(), [leaf])[0], 6 * x.data)


def test_operations_are_pickled_by_their_names():
    for name in ("mul", "sum", "eigh"):
        assert by_pickle(OPERATIONS[name]) is copy.deepcopy(OPERATIONS[name]) is OPERATIONS[name]
    define("of_a_pickle(x) = x ** 3 | g * (3 * x ** 2)")
    node = OPERATIONS["of_a_pickle"](Value(2.0))
    kept = pickle.dumps(node)
    assert gradients(pickle.loads(kept), [node])[0] == 0.0 and pickle.loads(kept).operation is node.operation
    define("of_a_pickle(x) = x ** 2 | g * (2 * x)")
    with pytest.raises(ValueError, match=r"made by\nof_a_pickle\(x\) = x \*\* 3\n[^$]*define\(\) it before loading"):
        pickle.loads(kept)
    with pytest.raises(TypeError, match="what of_a_pickle made cannot be pickled"):
        pickle.dumps(node)
    del OPERATIONS["of_a_pickle"]
    with pytest.raises(ValueError, match="here is none of that name"):
        pickle.loads(kept)


def test_rows_of_scipy_are_pickled_too():
    special = pytest.importorskip("autograd.scipy").special
    x = Value(0.5)
    again, leaf = by_pickle((special.erf(x), x))
    assert gradients(again, [leaf]) == gradients(special.erf(x), [x])


def test_what_a_program_made_can_be_copied_and_is_not_pickled():
    x = Tensor([1.0, 2.0])
    y = jit(lambda x: (x * x).sum(), backend="python")(x) * 3
    twin, leaf = copy.deepcopy((y, x))
    (g,) = gradients(twin, [leaf], create_graph=True)
    assert g.data.tolist() == [6.0, 12.0] and gradients(g.sum(), [leaf, x])[0].tolist() == [6.0, 6.0]
    with pytest.raises(TypeError, match="what jit made cannot be pickled"):
        pickle.dumps(y)
    rerun = checkpoint(anp.sin)(x)
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="what checkpoint made cannot be"):
            way(rerun)
    assert copy.deepcopy(x.detach()).data.tolist() == [1.0, 2.0]


def square(x):
    return (x * x).sum()


fast = jit(square, backend="python")
named = jit(backend="python")(lambda x: (x * x).sum())


@jit(backend="python")
def decorated(x):
    """A function of this module, compiled."""
    return (x * x).sum()


@ways
def test_jitted_functions(way):
    assert decorated(np.ones(3)) == 3.0 and way(decorated) is decorated  # as a function is
    assert fast(np.ones(3)) == 3.0
    again = way(fast)
    assert again is not fast and not again.forms and again.wanted == "python" and again.function is square
    assert again(np.full(2, 2.0)) == 8.0 and len(again.forms) == len(fast.forms) == 1
    layer = nn.Linear(2, 1, 0)
    model = jit(layer, backend="python")
    again = way(model)
    again.function.weight.data += 1.0
    assert np.array_equal(model(np.ones((1, 2))).data, layer(np.ones((1, 2))).data)
    assert not np.array_equal(again(np.ones((1, 2))).data, model(np.ones((1, 2))).data)


def test_a_jitted_lambda_is_no_more_pickled_than_the_lambda():
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(named)


X, Y = RNG.normal(size=(16, 2)), RNG.normal(size=(16, 1))


def network(seed=0):
    layers = nn.Linear(2, 4, seed), nn.BatchNorm(4), nn.Tanh(), nn.Dropout(0.2, seed), nn.Linear(4, 1, seed + 1)
    model = nn.Sequential(*layers)
    weights = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return model, nn.AdamW([{"params": weights, "lr": 0.1}, *others], nn.ExponentialDecay(0.1, 0.9))


def by_hand(model, optimizer, steps=3):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.MSE()(model(X), Y).backward()
        optimizer.step()


def trained(kind, seed=0, steps=3):
    """The numbers of a training."""
    model, optimizer = network(seed)
    if kind == "eager":
        by_hand(model, optimizer, steps)
    else:
        step = nn.TrainStep(model, nn.MSE(), optimizer, kind)
        for _ in range(steps):
            step(X, Y)
    return numbers(model, optimizer)


def numbers(model, optimizer):
    generator = model.layers[3].rng.bit_generator.state["state"]
    return *map(np.ndarray.tolist, [*model.state_dict().values(), *optimizer.state_dict().values()]), generator


@ways
def test_a_training_goes_on_from_a_copy_and_the_first_is_as_it_was(way):
    model, optimizer = network()
    by_hand(model, optimizer)
    before = numbers(model, optimizer)
    again, its_optimizer = way((model, optimizer))
    assert {*its_optimizer.parameters} == {*again.parameters()} and len(its_optimizer.groups) == 1
    by_hand(again, its_optimizer)
    assert numbers(model, optimizer) == before and optimizer.steps == 3
    assert numbers(again, its_optimizer) == trained("eager", steps=6)


@every_backend
@ways
def test_a_train_step_goes_on_from_a_copy(way, backend):
    model, optimizer = network()
    step = nn.TrainStep(model, nn.MSE(), optimizer, backend)
    for _ in range(3):
        step(X, Y)
    before, again = numbers(model, optimizer), way(step)
    assert not again.forms and "0 programs" in repr(again)
    for _ in range(3):
        again(X, Y)
    assert numbers(model, optimizer) == before
    assert numbers(again.model, again.optimizer) == trained(backend, steps=6)


@pytest.mark.parametrize("name", CASES)
@ways
def test_layers(name, way):
    case = CASES[name]
    layer, x = case.make(float), RNG.normal(size=case.shape)
    twin = way(layer)
    np.testing.assert_array_equal(layer(Tensor(x)).data, twin(Tensor(x)).data)
    apart(arrays(twin.state_dict(), *twin.parameters()), *arrays(*layer.parameters()))


def test_weak_references():
    model, optimizer = network()
    x = Tensor(X)
    y = model(x)
    watched = [*map(weakref.ref, (x, y, model, optimizer, square, fast))]
    assert all(w() is not None for w in watched)
    gc.disable()
    try:
        del x, y, model, optimizer
        assert [w() is None for w in watched] == [True] * 4 + [False] * 2
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
    """What the timer raises."""


def engine():
    """What an interruption must not leave behind."""
    return kinds.tracing, kinds.array, ours.get(), len(hooks), inspection.around, random.source.instead, gc.isenabled()


@pytest.mark.parametrize("kind", [*KINDS, "compiling"])
def test_an_interruption_leaves_nothing_behind(kind):
    """A timer interrupts anywhere: parameters, states, buffers and generators are those of one step."""
    backend = kind if kind != "compiling" else "python"
    model, optimizer = network()
    expected = [numbers(model, optimizer)]
    step = None if kind == "eager" else nn.TrainStep(model, nn.MSE(), optimizer, backend)
    for _ in range(60):
        step(X, Y) if step else by_hand(model, optimizer, 1)
        expected.append(numbers(model, optimizer))
    model, optimizer = network()
    step = None if kind == "eager" else nn.TrainStep(model, nn.MSE(), optimizer, backend)
    rng, clean, stopped, longest = np.random.default_rng(0), (engine(), np.geterr()), 0, 3e-3

    def interrupt(*_):
        raise Interrupted

    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        while optimizer.steps < 60 and stopped < 60:
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, longest))
                while optimizer.steps < 60:
                    if kind == "compiling":
                        step.clear()
                    step(X, Y) if step else by_hand(model, optimizer, 1)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupted:
                stopped, longest = stopped + 1, longest * 1.05
            assert (engine(), np.geterr()) == clean
            if kind != "eager":  # there a layer draws, and counts, when it is called
                assert numbers(model, optimizer) == expected[optimizer.steps]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert stopped > 10


def test_nothing_is_left_of_steps_and_forms():
    """A short draw of python -m tests.leaks."""
    works = [leaks.eager_step(), *map(leaks.compiled_step, leaks.BACKENDS)]
    assert [round(leaks.grown(run, 100)[1]) for run in works] == [0] * len(works)
    for backend in leaks.BACKENDS:
        form = leaks.compiled_form(backend)
        form.__closure__[0].cell_contents.forms.most = 1
        assert leaks.grown(form, 10)[1] < 1, backend


def test_a_chain_of_nodes_in_bytes():
    held, most = leaks.chain(50_000)
    assert held < 160 and most < 250
