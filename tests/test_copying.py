"""Copies and pickles are whole, and apart from what they were made of."""

import copy
import pickle

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, checkpoint, define, gradients, jit
from autograd.operation import OPERATIONS

from .layers import CASES
from .trainings import BACKENDS, RNG, X, Y, apart, arrays, by_hand, network, numbers, trained

every_backend = pytest.mark.parametrize("backend", BACKENDS)


def by_pickle(x):
    return pickle.loads(pickle.dumps(x))


ways = pytest.mark.parametrize("way", [copy.deepcopy, by_pickle])


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
    twins = way([out * 2, out * 3])
    assert twins[0].x is twins[1].x is not out
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
