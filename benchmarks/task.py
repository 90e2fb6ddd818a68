"""What every contender computes, and how it is timed: in its own process, on request, so that contenders take turns."""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SMALL, LARGE = ((2, 8, 8, 1), 16), ((2, 64, 64, 1), 256)  # sizes of the layers, batch
RATE, DECAY = 1e-4, 0.99999


def target(x: np.ndarray) -> np.ndarray:
    """The demo's density at points (..., 2)."""
    return 5 * np.exp(-0.5 * (x * x).sum(-1, keepdims=True))


def batch(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in the demo's square and their targets."""
    x = np.random.default_rng(0).uniform(-3, 3, (n, 2))
    return x, target(x)


def weights(sizes: tuple[int, ...]) -> list[np.ndarray]:
    """Weight, bias, weight, bias ... of the layers."""
    rng = np.random.default_rng(1)
    return [
        array for a, b in zip(sizes, sizes[1:]) for array in (rng.uniform(-1, 1, (a, b)) / a**0.5, rng.uniform(0, 1, b))
    ]


def moons() -> tuple[list, list, list]:
    """100 points, their labels, and a 2-16-16-1 network's 337 numbers: lists of neurons (weights, bias)."""
    rng = np.random.default_rng(0)
    angle, upper = rng.uniform(0, np.pi, 100), np.arange(100) % 2 == 0
    x = np.stack(
        [np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], 1
    )
    layers = [[(rng.uniform(-1, 1, a).tolist(), 0.0) for _ in range(b)] for a, b in ((2, 16), (16, 16), (16, 1))]
    return (x + rng.normal(0, 0.1, x.shape)).tolist(), np.where(upper, -1, 1).tolist(), layers


POINTS = (200, 20_000, 200_000)  # 10 thousand, a million and ten million distances of coordinates


def k_means(names: Any, points: int, derivative: Callable) -> Callable:
    """A derivative of the k-means objective of GradBench by 10 means of 5 coordinates, as an engine's module has it.

    `derivative(cost)` is a function of means, points and a direction.
    """
    rng = np.random.default_rng(0)
    data, means, direction = (rng.normal(size=(n, 5)) for n in (points, 10, 10))

    def cost(means: Any, data: Any) -> Any:
        return names.sum(names.min(names.sum((data[:, None, :] - means[None, :, :]) ** 2, axis=-1), axis=1))

    f = derivative(cost)
    return lambda: f(means, data, direction)


def nested(grad: Callable) -> Callable:
    """The derivative of 400 steps of descent, each by the derivative of what it descends on."""

    def descend(w):
        x = 1.0
        for _ in range(400):
            x = x - 0.001 * grad(lambda z: w * z * z / 2)(x)
        return x

    slope = grad(descend)
    return lambda: slope(1.5)


def svm(value: Callable, relu: Callable) -> Callable:
    """micrograd's own demo on any scalar class: forward, max-margin loss with L2, backward; returns the loss."""
    points, labels, numbers = moons()
    layers = [[([value(w) for w in ws], value(b)) for ws, b in layer] for layer in numbers]
    parameters = [p for layer in layers for ws, b in layer for p in (*ws, b)]

    def score(x):
        for i, layer in enumerate(layers):
            sums = [sum((wi * xi for wi, xi in zip(ws, x)), b) for ws, b in layer]
            x = [relu(s) for s in sums] if i < len(layers) - 1 else sums
        return x[0]

    def work():
        losses = [relu(1 + -label * score([value(c) for c in point])) for point, label in zip(points, labels)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0
        loss.backward()
        return loss.data

    return work


def text(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def serve(works: dict[str, Callable]) -> None:
    """Build the work that the command line names; then answer each line that comes in with seconds a call."""
    try:
        work = works[sys.argv[1]]()
    except ImportError as error:
        sys.exit(f"{error.name} is not installed")
    for _ in range(2):  # what is compiled, is compiled now
        work()
    repeat, seconds, count = 1, 0.0, getattr(work, "count", 1)
    while seconds < 0.1:
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        seconds = time.perf_counter() - start
        repeat = max(1, round(repeat * min(10.0, 0.15 / max(seconds, 1e-9)))) if seconds < 0.1 else repeat
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        print((time.perf_counter() - start) / repeat / count, flush=True)
