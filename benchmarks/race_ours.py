"""The race by crabgrad."""

from collections.abc import Callable
from functools import partial

import numpy as np
import race
import race_numpy

import autograd.numpy as anp
import nn
from autograd import Tensor, Value


def network(width: int, dtype: str) -> tuple[Callable, Callable, nn.Adam, Callable]:
    """The model, its loss, its optimizer, and what makes them as they were in the beginning."""
    arrays = race.weights(width, dtype)
    parameters = [Tensor(a) for a in arrays]
    optimizer = nn.Adam(parameters, race.rate, race.BETAS, race.TINY)

    def restart() -> None:
        optimizer.adopt([a.copy() for a in arrays], [(np.zeros_like(a), np.zeros_like(a)) for a in arrays], 0)

    return partial(race.gpt, anp, parameters), partial(race.entropy, anp), optimizer, restart


def compiled(backend: str, width: int, n: int, dtype: str) -> Callable:
    """All updates in as few calls of TrainStep.run as there are shapes in turn."""
    stretches, (model, loss, optimizer, restart) = race.stretches(n), network(width, dtype)
    step = nn.TrainStep(model, loss, optimizer, backend)

    def work() -> np.ndarray:
        restart()
        return np.concatenate([step.run(xs, ys) for xs, ys in stretches])

    work.count = race.UPDATES * n
    return work


def eager(width: int, n: int, dtype: str) -> Callable:
    """Update by update on Tensors, as in PyTorch."""
    data, (model, loss_function, optimizer, restart) = race.trimmed(n), network(width, dtype)

    def work() -> list[float]:
        restart()
        losses = []
        for x, y in data:
            loss = loss_function(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    work.count = len(data) * n
    return work


WORKS = {
    "ours race": partial(compiled, "llvm"),
    "ours race-python": partial(compiled, "python"),
    "ours race-jax": partial(compiled, "jax"),
    "ours race-eager": eager,
    "ours race-value": partial(race.on_numbers, Value),
}

if __name__ == "__main__":
    race_numpy.serve(WORKS)
