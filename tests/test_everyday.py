"""Lines that NumPy, PyTorch and micrograd accept run here too, and say the same."""

import copy
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, grad, jit
from nn.scalar import MLP, Layer, Module, Neuron

NUMBERS = st.floats(-1e6, 1e6)
SPECS = ["", ".4f", "8.3e", ">12", "+g", "%"]


@given(NUMBERS, st.sampled_from(SPECS[1:]))
def test_a_node_of_one_number_is_formatted_like_it(x, spec):
    for node in (Value(x), Tensor(x), Tensor([[x]]), Tensor(x) + 0.0):
        assert format(node, spec) == format(x, spec)
        assert format(node, "") == repr(node)


def test_an_array_is_not_formatted_like_a_number():
    with pytest.raises(TypeError, match=r"shape \(2,\) is not one number; .data is the array"):
        f"{Tensor([1.0, 2.0]):.4f}"
    assert f"{Tensor([1.0, 2.0])}" == "Tensor([1., 2.])"


@given(NUMBERS)
def test_a_number_is_read_as_python_reads_it(x):
    for node in (Value(x), Tensor(x), Tensor([x])):
        assert float(node) == node.item() == x and int(node) == int(x)
        assert [*map(int, [node])] == [int(x)] and math.isnan(node) is False
        assert float(round(node, 2)) == pytest.approx(np.round(x, 2), abs=1e-9)
    assert Tensor([[x]]).tolist() == [[x]] and Tensor([x]).any() == Tensor([x]).all() == bool(x)


def test_reading_as_an_integer_is_not_a_way_around():
    indices = np.zeros(2, int)
    for read in (lambda x: indices.__setitem__(0, x), math.floor, range):
        with pytest.raises(TypeError):
            read(Value(1.0))


def test_the_gradient_of_a_value_is_0_from_the_start():
    x, untouched = Value(2.0), Value(1.0)
    y = x * x + 1
    assert (x.grad, y.grad, Value(x).grad, x.detach().grad, copy.copy(x).grad) == (0.0,) * 5
    assert jit(lambda x: Value(3.0).grad + x)(1.0) == 1.0
    y.backward()
    x.grad += untouched.grad
    assert x.grad == 4.0 and y.grad == 1.0
    assert Tensor(1.0).grad is None


def test_a_node_of_a_node_keeps_its_history():
    assert Value(Value(3.0)).data == 3.0 and [v.data for v in map(Value, [Value(1.0), 2, np.float32(3)])] == [1, 2, 3]
    for f in (lambda x: Value(x) ** 3, lambda x: Value(Value(x, "a"), label="b") ** 3):
        assert (grad(f)(2.0), grad(grad(f))(2.0), jit(grad(f))(2.0)) == (12.0, 12.0, 12.0)
    x = np.array([1.0, 2.0])
    for f in (lambda x: (Tensor(x) ** 3).sum(), lambda x: (Tensor(x, dtype="f4") ** 3).sum()):
        np.testing.assert_allclose(grad(f)(x), 3 * x**2)
        np.testing.assert_allclose(jit(grad(f))(x), 3 * x**2)
    assert Tensor(Tensor(x), dtype="f4").dtype == np.float32 and Tensor(Tensor(x), name="w").name == "w"


def test_a_copy_has_a_number_of_its_own_and_the_same_history():
    for leaf in (Value(2.0, "a"), Tensor([1.0, 2.0], name="w")):
        (leaf * 3).sum().backward() if isinstance(leaf, Tensor) else (leaf * 3).backward()
        twin = copy.copy(leaf)
        assert twin is not leaf and twin.name == leaf.name and np.all(twin.grad == leaf.grad)
        twin.data += 1
        assert np.all(twin.data == leaf.data + 1)
        result = leaf * 2
        twin = copy.copy(result)
        twin.data += 1
        assert twin.args[0] is leaf and np.all(twin.data == result.data + 1)


@pytest.mark.parametrize("dtype", [int, "i4", np.uint8, bool, "?"])
def test_integers_and_booleans_are_plain_numbers(dtype):
    plain = Tensor([0.0, 1.5, 200.0]).astype(dtype)
    np.testing.assert_array_equal(plain, np.array([0.0, 1.5, 200.0]).astype(dtype), strict=True)
    assert type(plain) is np.ndarray and (Tensor([1.0]).astype("f4") * 2).dtype == np.float32


def traced(root):
    """As the lectures draw: a line for each node, with its label, numbers and operation, and one for each edge."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    lines = {f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }} {n._op}" for n in nodes}
    return lines | {f"{a.label} -> {b.label}" for a, b in edges}


def test_a_graph_is_read_as_the_lectures_read_it():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    e = a * b
    e.label = "e"
    d = e + 10.0
    d.label = "d"
    edges = {"a -> e", "b -> e", "e -> d"}
    assert traced(d) == edges | {
        "{ a | data 2.0000 | grad 0.0000 } ",
        "{ b | data -3.0000 | grad 0.0000 } ",
        "{ e | data -6.0000 | grad 0.0000 } mul",
        "{ d | data 4.0000 | grad 0.0000 } add",
    }
    d.backward()
    assert "{ a | data 2.0000 | grad -3.0000 } " in traced(d) and a.name == "a"


class Plain:
    """microgpt's way: children and local derivatives."""

    def __init__(self, data, children=(), slopes=()):
        self.data, self.grad, self.children, self.slopes = data, 0, children, slopes

    def __add__(self, other):
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        return Plain(self.data**k, (self,), (k * self.data ** (k - 1),))

    def log(self):
        return Plain(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Plain(math.exp(self.data), (self,), (math.exp(self.data),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    visit(child)
                order.append(v)

        visit(self)
        self.grad = 1
        for v in reversed(order):
            for child, slope in zip(v.children, v.slopes):
                child.grad += slope * v.grad


def losses_of_a_bigram(kind):
    """Adam by hand on a model most of whose weights a step does not reach."""
    draw = random.Random(0)
    table = [[kind(draw.gauss(0, 0.1)) for _ in range(5)] for _ in range(5)]
    weights = [w for row in table for w in row]
    mean, square, losses = [0.0] * 25, [0.0] * 25, []
    for step, (token, target) in enumerate([(0, 1), (1, 4), (0, 3), (4, 4)] * 2, 1):
        most = max(w.data for w in table[token])
        exps = [(w - most).exp() for w in table[token]]
        norm = sum(w * w for w in exps) / len(exps)
        probs = [e / sum(exps) * (norm + 1e-5) ** -0.5 for e in exps]
        loss = (1 / 2) * sum([-probs[target].log(), probs[0]])
        loss.backward()
        for i, w in enumerate(weights):
            mean[i] = 0.85 * mean[i] + 0.15 * w.grad
            square[i] = 0.99 * square[i] + 0.01 * w.grad**2
            w.data -= 0.1 * mean[i] / (1 - 0.85**step) / ((square[i] / (1 - 0.99**step)) ** 0.5 + 1e-8)
            w.grad = 0
        losses.append(loss.data)
    return losses


def test_a_loop_in_the_manner_of_microgpt_says_the_same():
    np.testing.assert_allclose(losses_of_a_bigram(Value), losses_of_a_bigram(Plain), rtol=1e-12)


def test_neurons_are_different_unless_they_are_told():
    first, second = Neuron(2), Neuron(2)
    assert first.w[0].data != second.w[0].data and Neuron(2, rng=1).w[0].data == Neuron(2, rng=1).w[0].data
    assert len({w.data for w in Layer(2, 3).parameters()}) == 7  # six weights, and the biases
    assert isinstance(MLP(2, [2, 1]), Module) and Module().parameters() == []
    model = MLP(np.int64(2), np.array([3, 1]))
    model([1, 2]).backward()
    model.zero_grad()
    assert {p.grad for p in model.parameters()} == {0.0}


def test_a_training_loop_of_pytorch_needs_a_new_import_alone():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(2, 8, rng=0)
            self.out = nn.Linear(8, 1, rng=1)

        def forward(self, x):
            return self.out(self.hidden(x).tanh())

    model, criterion = Net(), nn.MSE()
    optimizer = nn.Adam(model.parameters(), lr=0.05)
    x = np.random.default_rng(0).normal(size=(20, 2))
    y, shown = x[:, :1] * x[:, 1:], []
    model.train()
    for _ in range(30):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shown.append(f"{loss:.4f}")
    model.eval()
    assert float(shown[-1]) < 0.5 * float(shown[0])
