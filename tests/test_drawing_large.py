"""Drawings of what is large: by module, and what is made in the same way as one box."""

import pytest

import nn
import nn.scalar
from autograd import Tensor, Value, draw
from autograd.graph import history

from .test_drawing import BATCH, as_read, dropped, frames, parsed

__all__ = ["dropped"]  # a fixture, for here as well


def test_what_is_too_large_is_drawn_by_module():
    model = nn.Sequential(*[nn.MLP(2, [n], 2, rng=0) for n in range(1, 31)])
    graph = as_read(model, BATCH)
    assert len(graph.nodes()) == 31 and "modules are boxes, as with depth=1" in graph.graph_attr["label"]
    assert "depth=1" in as_read(model, BATCH, depth=2).graph_attr["label"] and len(as_read(model, BATCH, depth=1)) == 31
    assert len(as_read(model, BATCH, most=1000).nodes()) > 200


class Block(nn.Module):
    """Adds to its input what a layer makes of it."""

    def __init__(self):
        self.layer, self.gain = nn.Linear(2, 2, rng=0), Tensor(1.0)

    def forward(self, x):
        return x + self.gain * self.layer(x).tanh()


def test_modules_that_do_the_same_are_drawn_once():
    graph = as_read(nn.Sequential(*[Block() for _ in range(12)], nn.Linear(2, 1, rng=0)), BATCH)
    found = frames(graph)
    block, linear = "layers.*: Block, 7 parameters, 12 times", "layers.*.layer: Linear(2 -> 2), 6 parameters, 12 times"
    assert {*found} == {(), (block,), (block, linear), ("layers.12: Linear(2 -> 1), 3 parameters",)}
    made = [f"{name}\\n(5, 2)\\n12 times" for name in ("tanh", "×", "+")]
    assert found[(block,)] == sorted([*made, "layers.*.gain\\n12 times"])
    labels = {(a.attr["label"][:2], b.attr["label"][:2]) for a, b in graph.edges()}
    assert {("+\\", "x "), ("x\\", "x ")} < labels  # what one block gives, the next is given
    assert "numbers and arrays in 11 boxes: what is made in the same way is drawn once" in graph.graph_attr["label"]


def test_what_is_too_large_is_drawn_once_where_it_is_alike():
    model = nn.scalar.MLP(2, [8, 8, 1])
    loss = sum((model([float(a), float(b)]) - 1) ** 2 for a, b in BATCH)
    labels, edges = parsed(loss)
    assert "×\\n80 times" in labels and "+\\nof 3 terms\\n40 times" in labels and "+\\nof 9 terms\\n40 times" in labels
    assert "leaf\\n105 times" in labels and "+\\nof 6 terms" in labels
    assert ("+\\nof 9 terms\\n40 times", "relu\\n40 times") in edges
    said = as_read(loss).graph_attr["label"]
    count = len(history(loss))
    assert said.startswith(
        f"{count:,} numbers and arrays in {len(labels)} boxes: what is made in the same way is drawn"
    )
    assert f"most={count}" in said and len(as_read(loss, most=count).nodes()) > count


def test_a_long_chain_and_many_modules_are_loops():
    y = Value(1.0, name="x")
    for _ in range(1500):
        y = y * 0.5 + 1
    labels, edges = parsed(y)
    assert labels == ["+\\n1,500 times", "x\\n1", "×\\n1,500 times"] and len(edges) == 3
    assert "3,001 numbers and arrays in 3 boxes" in as_read(y).graph_attr["label"]
    layers = nn.Sequential(*[part for i in range(100) for part in (nn.Linear(2, 2, rng=i), nn.Tanh())])
    labels, edges = parsed(layers, BATCH)
    linear, tanh = (f"{x}\\n(5, 2)\\n100 times" for x in ("x @ y + b", "tanh"))
    assert {linear, tanh, "layers.*.bias\\n(2,)\\n100 times"} < {*labels} and len(labels) == 5
    assert {(tanh, linear), (linear, tanh)} < {*edges}


def test_a_model_that_is_called_often_is_drawn_once_with_what_it_shares_beside_it():
    model = nn.scalar.MLP(2, [4, 1])
    graph = as_read(lambda: sum((model([a, b]) - 1) ** 2 for a, b in BATCH.tolist()))
    found = frames(graph)
    assert {path[0] for path in found if path} == {"shared parameters", "MLP, 17 parameters, 5 times"}
    assert found["shared parameters",] == ["layers.*.neurons.*.b\\n5 times", "layers.*.neurons.*.w.*\\n12 times"]
    assert any("layers.*.neurons.*: Neuron" in line for path, labels in found.items() for line in (*path, *labels))


def test_the_number_of_boxes_and_the_depth_are_what_was_asked_for():
    model = nn.Sequential(*[nn.Sequential(*[nn.Linear(2, 2, rng=0), nn.Tanh()] * 3) for _ in range(9)])
    counts = {most: len(as_read(model, BATCH, most=most)) for most in (1, 5, 10, 1000)}
    assert counts[1] <= counts[5] <= counts[10] <= 10 < counts[1000] > 100
    assert (
        len(as_read(model, BATCH, depth=1)) == 10 and "depth" not in as_read(model, BATCH, depth=1).graph_attr["label"]
    )
    for most in (0, -1, 1.5, "all"):
        with pytest.raises(ValueError, match="most is a whole number, 1 or more, not"):
            draw(model, BATCH, most=most)
