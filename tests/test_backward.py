"""The sweep: shapes of graphs, repetition, depth, memory, threads, and whole random programs."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, gradients, graph, jit, no_grad
from autograd.graph import history

from . import strategies

SAFE = {  # functions that are smooth and tame everywhere, so that any composition of them can be differenced
    1: [
        anp.sin,
        anp.tanh,
        anp.sigmoid,
        anp.softplus,
        anp.arctan,
        lambda x: -x,
        lambda x: x * 0.5 + 1,
        lambda x: 2 - x,
        lambda x: x / 2,
        lambda x: anp.sqrt(1 + x * x),
        lambda x: anp.exp(-anp.square(x)),
        lambda x: anp.log(2 + anp.cos(x)),
    ],
    2: [
        lambda x, y: (x + y) / 2,
        lambda x, y: (x - y) / 2,
        lambda x, y: anp.sin(x) * y,
        lambda x, y: x / (2 + anp.sin(y)),
        lambda x, y: (2 + anp.cos(x)) ** anp.tanh(y),
    ],
}


OF_ARRAYS = {
    **SAFE,
    1: SAFE[1]
    + [
        lambda x: x - anp.mean(x),
        lambda x: x / (1 + anp.linalg.norm(x.ravel()) ** 2),
        lambda x: x.T.T,
        lambda x: x * anp.softmax(x.ravel()).reshape(x.shape),
        lambda x: anp.sin(x).sum() * 0.1 + x,
        lambda x: anp.cumsum(x.ravel()).reshape(x.shape) / 3,
        lambda x: anp.std(x + anp.ones(x.shape)) + x,
        lambda x: anp.flip(x),
        lambda x: anp.concatenate([x.ravel(), x.ravel()])[: x.size].reshape(x.shape),
    ],
}


@st.composite
def programs(draw, inputs: int, functions: dict = SAFE):
    """A random straight-line program: each step applies a function to earlier results, which may be used many times."""
    steps = []
    for i in range(draw(st.integers(1, 30))):
        arity = draw(st.sampled_from([1, 2]))
        earlier = st.integers(0, inputs + i - 1)
        steps.append((draw(st.sampled_from(functions[arity])), [draw(earlier) for _ in range(arity)]))

    def program(*xs):
        results = list(xs)
        for function, arguments in steps:
            results.append(function(*(results[i] for i in arguments)))
        return results[-1] + 0.1 * results[len(results) // 2]

    return program


@given(program=programs(2), x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_random_programs_on_values(program, x, y):
    check_gradients(program, x, y, order=3, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered:RuntimeWarning")
@given(program=programs(3, OF_ARRAYS), shapes=strategies.broadcasting(3), seed=st.integers(0, 99))
def test_random_programs_on_broadcast_tensors(program, shapes, seed):
    rng = np.random.default_rng(seed)
    check_gradients(program, *(rng.uniform(-2, 2, shape) for shape in shapes))


def test_a_diamond_counts_both_ways():
    x = Value(3.0)
    a = x * 2
    (a * a + a).backward()
    assert x.grad == 26.0 and a.grad == 13.0


@pytest.mark.parametrize("make", [Value, lambda x: Tensor([x])])
def test_a_node_used_many_times(make):
    x = make(1.5)
    total = x * 0
    for _ in range(1000):
        total = total + x * x
    total.backward()
    np.testing.assert_allclose(x.grad, 3000.0)


@pytest.mark.parametrize("make", [Value, lambda x: Tensor([x, x + 1])])
def test_backward_adds_again_exactly(make):
    x = make(0.1)
    y = x * 0.7 + (x * 0.1).sin() + x**3 / 3
    y = y if isinstance(y, Value) else y.sum()
    y.backward()
    once, inner = x.grad, y.grad
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * once)
    np.testing.assert_array_equal(y.grad, inner)
    (y * 2).backward()
    np.testing.assert_allclose(x.grad, 4 * once)


def test_a_leaf_that_the_result_does_not_depend_on():
    x, y = Value(1.0), Value(2.0)
    (x * 0.0 + y.sign()).backward()
    assert (x.grad, y.grad) == (0.0, 0.0)
    assert gradients(x * 2, [y]) == [0.0]
    t = Tensor([1.0, 2.0])
    assert gradients(t.sum(), [Tensor(np.ones(3))])[0].tolist() == [0, 0, 0]


def test_gradients_leave_grad_untouched_and_reach_inner_nodes():
    x = Value(2.0)
    a = x * x
    b = a * 3
    assert gradients(b, [a, x, b]) == [3.0, 12.0, 1.0]
    assert x.grad == a.grad == 0.0
    (first,) = gradients(b, [x], create_graph=True)
    assert isinstance(first, Value) and gradients(first, [x]) == [6.0]


def test_leaves_do_not_share_their_gradient_array():
    x, y = Tensor([1.0]), Tensor([2.0])
    (x + y).backward()
    x.grad *= 10
    assert y.grad == 1.0


def test_seeds():
    x = Tensor([[1.0, 2.0]])
    (x * x).backward(seed=[[1.0, 10.0]])
    np.testing.assert_array_equal(x.grad, [[2.0, 40.0]])
    value = Value(3.0)
    (value * value).backward(2.0)
    assert value.grad == 12.0
    with pytest.raises(ValueError, match=r"shape \(1, 2\) needs a seed"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"seed has shape \(2,\), the Tensor has \(1, 2\)"):
        (x * x).backward([1.0, 2.0])


def test_gradients_want_nodes():
    with pytest.raises(TypeError, match="is of nodes, not float"):
        gradients(Value(1.0), [2.0])
    outside, scale = Tensor([2.0]), Value(3.0)
    found = jit(lambda x: gradients((x * outside * scale).sum(), [outside, scale]))(np.full(1, 5.0))
    assert [np.sum(part) for part in found] == [15.0, 10.0]  # inside a trace, by nodes from outside too
    with pytest.raises(TypeError, match="is of nodes, not float"):
        jit(lambda x: gradients(x.sum(), [2.0]))(np.ones(1))


@pytest.mark.parametrize("make", [Value, lambda x: Tensor(np.array(x))])
def test_a_deep_chain_and_its_release(make):
    x = make(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.0000001
    y.backward()
    np.testing.assert_allclose(x.grad, 1.0000001**100_000, rtol=1e-9)
    gone = weakref.ref(y)
    del y
    assert gone() is None


def test_a_dropped_graph_is_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        leaf = Tensor(np.ones((4, 4)))
        inner = leaf @ leaf
        watched = [weakref.ref(inner)]
        loss = (inner.relu() * 2).mean()
        watched += [weakref.ref(loss), weakref.ref(loss.x)]
        gradients(loss, [leaf], create_graph=True)
        loss.backward()
        del inner, loss
        assert [w() for w in watched] == [None] * 3
    finally:
        gc.enable()


def test_a_scalar_node_takes_at_most_200_bytes_while_it_is_swept():
    y = Value(1.0)
    tracemalloc.start()
    try:
        for _ in range(50_000):
            y = y * 1.0000001
        gc.collect()
        y.backward()
        assert tracemalloc.get_traced_memory()[1] / 50_000 <= 200
    finally:
        tracemalloc.stop()


@settings(max_examples=25)
@given(st.data())
def test_a_sweep_of_scalars_by_blocks_is_the_sweep_in_one(data):
    """Blocks of few ticks, and graphs that wait across many of them."""
    nodes = [Value(1.5), Value(-0.5), Value(0.25)]
    for _ in range(data.draw(st.integers(1, 40))):
        x, y = (nodes[data.draw(st.integers(0, len(nodes) - 1))] for _ in "xy")
        nodes.append(x * y if data.draw(st.booleans()) else x + y.tanh())
    wanted = [node for node in nodes if data.draw(st.booleans())] or nodes[:1]
    found = []
    for block in (1 << 13, data.draw(st.integers(1, 10))):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(graph, "BLOCK", block)
            for leaf in nodes[:3]:
                leaf.grad = 0.0
            nodes[-1].backward()
            found.append(([node.grad for node in nodes], gradients(nodes[-1], wanted)))
    assert found[0] == found[1]


def test_threads_differentiate_the_same_graph_and_do_not_pause_each_other():
    weights = Tensor(np.random.default_rng(0).normal(size=(8, 8)))
    expected = gradients((weights @ weights).tanh().sum(), [weights])[0]
    results, barrier = [], threading.Barrier(4)

    def work(silent):
        barrier.wait()
        for _ in range(50):
            if silent:
                with no_grad():
                    results.append((weights @ weights).operation is None)
            else:
                results.append(np.array_equal(gradients((weights @ weights).tanh().sum(), [weights])[0], expected))

    threads = [threading.Thread(target=work, args=(i % 2 == 1,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


def test_no_grad_nests_and_decorates():
    x = Value(2.0)
    with no_grad():
        with no_grad():
            pass
        assert (x * x).operation is None
    assert no_grad()(lambda: x * x)().operation is None
    assert (x * x).operation is not None


@settings(max_examples=10)
@given(st.integers(1, 30))
def test_history_is_newest_first_and_complete(n):
    x = y = Value(1.0)
    made = [x]
    for _ in range(n):
        y = y + x
        made.append(y)
    assert history(y) == made[::-1]
    assert gradients(y, [made[n // 2], x]) == [1.0 if n > 1 else n + 1.0, n + 1.0]


LARGE_PROGRAMS = [
    lambda x, y: anp.where(x > 0, anp.sqrt(x), 0.0) * y + anp.tanh(x * y) ** 2,
    lambda x, y: anp.where(y != 0, x / y, x) + anp.where(x > 0, anp.log(x), y),
    lambda x, y: anp.sqrt(anp.maximum(x, 0.0)) + anp.sigmoid(x) * x + x * x * y - x,
    lambda x, y: anp.abs(x) ** 1.5 * anp.logaddexp(x, y) + anp.hypot(x, y),
]


@pytest.mark.parametrize("program", LARGE_PROGRAMS)
def test_large_arrays_are_as_right_as_small_ones(program):
    """They are swept without guards at first, in blocks, and gradients are added in place."""
    few = [np.array([0.0, -1.0, 2.0, 0.5, 0.0]), np.array([1.0, 0.0, -2.0, 3.0, 0.0])]
    many = [np.tile(x, 20_000).reshape(10, -1) for x in few]
    with np.errstate(all="ignore"):
        small, large = ([Tensor(x) for x in arrays] for arrays in (few, many))
        inner = [program(*leaves) for leaves in (small, large)]
        for y in inner:
            y.sum().backward()
        seconds = [grad(lambda x, y: (grad(lambda x: program(x, y).sum())(x) * y).sum())(*xs) for xs in (few, many)]
    for a, b in [*zip(small, large), (inner[0], inner[1])]:
        np.testing.assert_array_equal(np.tile(a.grad, 20_000).reshape(10, -1), b.grad)
    np.testing.assert_array_equal(np.tile(seconds[0], 20_000).reshape(10, -1), seconds[1])
    assert not np.isnan(large[0].grad).any() and large[0].grad.flags.writeable


def test_gradients_of_large_arrays_are_added_where_nobody_sees_it():
    x = Tensor(np.ones(50_000))
    y = x * 2.0
    out = (y + y * 3.0 + y).sum() + y.sum()
    first = gradients(out, [x, y])
    assert [g[0] for g in first] == [12.0, 6.0] and not np.shares_memory(*first)
    out.backward()
    before = x.grad
    out.backward()
    assert before[0] == 12.0 and x.grad[0] == 24.0 and y.grad[0] == 6.0


def test_large_arrays_of_other_shapes_and_orders():
    x = np.random.default_rng(0).normal(size=(100, 300))
    np.testing.assert_array_equal(anp.sigmoid(Tensor(x.T)).data, anp.sigmoid(Tensor(x)).data.T)
    norms = np.sqrt((x * x).sum(1, keepdims=True))
    np.testing.assert_allclose(grad(lambda x: anp.linalg.norm(x, axis=1).sum())(x), x / norms, rtol=1e-12)
