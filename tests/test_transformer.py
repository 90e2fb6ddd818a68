"""A transformer on integer tokens, with masks and dropout, trains by TrainStep as it does by hand."""

import numpy as np
import pytest

import nn

from .transformer import Transformer, batches, cross_entropy, step


def by_hand(count):
    """Losses of the first updates, eagerly."""
    model = Transformer()
    optimizer, losses = nn.Adam(model.parameters(), lr=0.01), []
    for tokens, labels in zip(*batches(count)):
        loss = cross_entropy(model(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    return np.array(losses), model


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_it_trains_as_by_hand(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    losses, model = by_hand(4)
    compiled = step(backend)
    tokens, labels = batches(4)
    ours = [compiled(tokens[0], labels[0]), *compiled.run(tokens[1:], labels[1:])]
    np.testing.assert_allclose(ours, losses, rtol=1e-4)
    for p, q in zip(compiled.model.parameters(), model.parameters()):
        np.testing.assert_allclose(p.data, q.data, atol=2e-3)  # a first step of Adam is a sign


def test_it_learns():
    compiled = step()
    losses = compiled.run(*batches(300))
    assert losses[:10].mean() > 3.0 and losses[-10:].mean() < 2.3
