"""Small trainings, the numbers that they end in, and whether arrays share memory."""

import itertools

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.tree import flatten

from . import leaks

RNG = np.random.default_rng(0)
BACKENDS = ["python", pytest.param("llvm", marks=pytest.mark.skipif(not leaks.has_llvm(), reason="no llvmlite"))]


def arrays(*trees):
    return [x.data if isinstance(x, Tensor) else x for x in flatten([*trees]) if isinstance(x, (np.ndarray, Tensor))]


def apart(results, *others):
    """Each result is writable, and shares its memory with nothing else."""
    for x in results:
        assert x.flags.writeable
    for x, y in [*itertools.combinations(results, 2), *itertools.product(results, others)]:
        assert not np.shares_memory(x, y)


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
