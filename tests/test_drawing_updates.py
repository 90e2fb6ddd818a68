"""The drawing of a TrainStep's program: by module, forward and backward, and by parameter."""

import numpy as np
import pytest

import nn
from autograd import Tensor

from .test_drawing import BATCH, as_read, dropped, frames

__all__ = ["dropped"]  # a fixture, for here as well


class Residual(nn.Module):
    """Two layers beside each other, and what is dropped of their sum."""

    def __init__(self):
        self.left, self.right, self.norm = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1), nn.BatchNorm(2)
        self.dropout = nn.Dropout(0.5, 0)

    def forward(self, x):
        return self.dropout(self.norm(self.left(x) + self.right(self.left(x)))) + x


def an_update(model, optimizer, **options):
    step = nn.TrainStep(model, nn.MSE(), optimizer(model.parameters(), 0.1), **options)
    x = np.repeat(BATCH, 2, 0)
    step(x, x[:, : model(x).shape[-1]])
    return step


def test_an_update_is_grouped_by_module_and_by_parameter():
    found = frames(as_read(an_update(nn.MLP(2, [3], 1, rng=0), nn.SGD)))
    forward, backward = ("layers.0: forward, 9 parameters",), ("layers.0: backward",)
    assert {forward, backward, ("layers.2: forward, 4 parameters",), ("layers.2: backward",), ("loss: forward",)} < {
        *found
    }
    assert {"layers.0.weight\\n(2, 3) float64", "maximum"} < {*found[forward]} and "x\\n(10, 2) float64" in found[()]
    assert {"y\\n(10, 1) float64", "mean"} < {*found["loss: forward",]}
    update = found[*backward, "layers.0.weight: update"]
    assert update.count("@") == 1 and "layers.0.weight\\n(2, 3) float64" in update
    assert "lr\\n()" in found[()] and sum(label == "where" for labels in found.values() for label in labels) == 1


@pytest.mark.parametrize("optimizer", [nn.Adam, nn.RMSprop, nn.Adagrad])
def test_an_update_that_is_too_large_has_a_box_for_each_module_forward_and_backward(optimizer):
    graph = as_read(an_update(nn.MLP(2, [3, 3, 3], 1, rng=0), optimizer), depth=1)
    boxes = [node.attr["label"].split("\\n") for node in graph.nodes()]
    named = [lines[0] for lines in boxes if len(lines) == 3]
    modules = [f"layers.{i}: {way}" for i in (0, 2, 4, 6) for way in ("forward", "backward")]
    assert {*modules, "loss: forward"} <= {*named} <= {*modules, "loss: forward", "step and rate"}
    assert ("step and rate" in named) == (optimizer is nn.Adam)
    update = as_read(an_update(nn.MLP(2, [3], 1, rng=0), optimizer), depth=2)
    assert sum(": update\\n" in node.attr["label"] for node in update.nodes()) == 4


@pytest.mark.parametrize("options", [{}, {"clip_norm": 1.0}, {"accumulate": 5}])
def test_no_part_of_an_update_needs_a_later_one(options):
    graph = as_read(an_update(Residual(), nn.Adam, **options), depth=1)
    labels = {node: node.attr["label"].split("\\n")[0] for node in graph.nodes()}
    below = {node: set() for node in graph.nodes()}
    for a, b in graph.edges():
        below[b].add(a)
    done = set()
    while ready := [node for node in below if node not in done and below[node] <= done]:
        done.update(ready)
    assert done == {*below}  # no cycle
    assert {"left: forward", "right: forward", "norm: backward", "left: backward"} < {*labels.values()}


def test_an_update_of_no_module_is_grouped_by_parameter_alone():
    w, b = Tensor([[1.0], [2.0]], name="w"), Tensor(0.5, name="b")
    step = nn.TrainStep(lambda x: x @ w + b, nn.MSE(), nn.SGD([w, b], 0.1, momentum=0.9))
    step(BATCH, BATCH[:, :1])
    assert {*frames(as_read(step))} == {(), ("loss: forward",), ("w: update",), ("b: update",)}


class Tied(nn.Module):
    """Reads its first layer's parameter again at the end."""

    def __init__(self):
        self.tokens, self.linear = nn.Embedding(5, 4, 0), nn.Linear(4, 4, rng=0)

    def forward(self, i):
        return self.linear(self.tokens(i)) @ self.tokens.weight.T


@pytest.mark.parametrize("most", [5, 100, 10_000])
def test_parameters_that_are_used_twice_and_loops(most):
    tied, cell = Tied(), nn.LSTM(2, 3, rng=0)
    i, x = np.arange(6).reshape(3, 2) % 5, np.ones((2, 4, 2))
    first = nn.TrainStep(tied, nn.CrossEntropy(), nn.Adam(tied.parameters(), 0.1))
    first(i, i)
    second = nn.TrainStep(lambda x: cell(x)[0], nn.MSE(), nn.Adam(cell.parameters(), 0.1))
    second(x, np.ones((2, 4, 3)))
    assert {"tokens: forward", "linear: backward"} < {
        node.attr["label"].split("\\n")[0] for node in as_read(first, depth=1).nodes()
    }
    for step in (first, second):
        assert 3 < len(as_read(step, most=most).nodes()) < max(50, 2 * most)
