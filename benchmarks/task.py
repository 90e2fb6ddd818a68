"""What every contender computes, and how it is timed: in its own process, on request, so that contenders take turns.

Functions of `names` are written once for all modules that have NumPy's names.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

RATE, DECAY = 1e-4, 0.99999


def target(x: np.ndarray) -> np.ndarray:
    """The demo's density at points (..., 2)."""
    squares = x * x
    return 5 * np.exp(-0.5 * (squares[..., :1] + squares[..., 1:]))


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


def updates(sizes: tuple[int, ...], n: int) -> int:
    """How many updates a call does of what loops by itself: many, where one is short."""
    return min(1000, max(10, 10**8 // (n * sum(a * b for a, b in zip(sizes, sizes[1:])))))


def mlp(names: Any, parameters: list, x: Any) -> Any:
    """Layers with relu between them."""
    for i in range(0, len(parameters), 2):
        x = (names.maximum(x, 0) if i else x) @ parameters[i] + parameters[i + 1]
    return x


def squares(names: Any, parameters: list, x: Any, y: Any) -> Any:
    """The mean of squared errors of these layers."""
    e = mlp(names, parameters, x) - y
    return names.mean(e * e)


def convolutional(names: Any, parameters: list, x: Any) -> Any:
    """Two convolutions of 3 x 3 over images (batch, 64), a mean over 2 x 2, a layer.

    A convolution is a product with the windows, which JAX does several times faster than its own convolution.
    """
    w1, b1, w2, b2, w3, b3 = parameters
    x = x.reshape(-1, 8, 8, 1)
    for w, b in ((w1, b1), (w2, b2)):
        size = x.shape[1] - 2
        windows = [x[:, i : i + size, j : j + size] for i in range(3) for j in range(3)]
        x = names.maximum(names.concatenate(windows, -1) @ w + b, 0)
    return x.reshape(-1, 2, 2, 2, 2, 16).mean((2, 4)).reshape(-1, 64) @ w3 + b3


def transformer(names: Any, parameters: list, tokens: Any) -> Any:
    """A GPT of one layer and four heads, of microgpt's kind: logits (batch * time, 27) for tokens (batch, time)."""
    embedding, places, wq, wk, wv, wo, w1, w2, out = parameters
    (n, time), heads = tokens.shape, 4
    causal = np.tril(np.ones((time, time), bool))

    def normed(x: Any) -> Any:
        return x / names.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)

    x = normed(embedding[tokens] + places)
    h = normed(x)
    q, k, v = ((h @ w).reshape(n, time, heads, -1).transpose(0, 2, 1, 3) for w in (wq, wk, wv))
    scores = names.where(causal, q @ k.transpose(0, 1, 3, 2) * (x.shape[-1] / heads) ** -0.5, -1e9)
    x = x + (names.softmax(scores, -1) @ v).transpose(0, 2, 1, 3).reshape(n, time, -1) @ wo
    x = x + names.maximum(normed(x) @ w1, 0) @ w2
    return (x @ out).reshape(n * time, -1)


def network(kind: str) -> tuple[Callable, list[np.ndarray], np.ndarray, np.ndarray]:
    """A classifier, its weights, and batches of what looks like digits of 8 x 8, or like names; all float32."""
    rng = np.random.default_rng(0)
    model, shapes = {
        "digits": (mlp, [(64, 128), (128,), (128, 10), (10,)]),
        "convolutional": (convolutional, [(9, 8), (8,), (72, 16), (16,), (64, 10), (10,)]),
        "transformer": (transformer, [(27, 16), (16, 16), *[(16, 16)] * 4, (16, 64), (64, 16), (16, 27)]),
    }[kind]
    parameters = [rng.normal(0, shape[0] ** -0.5, shape).astype(np.float32) for shape in shapes]
    if kind == "transformer":
        tokens = rng.integers(0, 27, (10, 16, 17))
        return model, parameters, tokens[:, :, :-1], tokens[:, :, 1:].reshape(10, -1)
    labels = rng.integers(0, 10, (100, 64))
    images = rng.uniform(0, 1, (10, 64))[labels] + rng.normal(0, 0.3, (100, 64, 64))
    return model, parameters, images.astype(np.float32), labels


def recurrent(names: Any, scan: Callable | None, parameters: list, xs: Any) -> Any:
    """A loss of a recurrent network of 32 tanh over inputs (steps, 8, 32), by a loop of Python or by scan."""
    w, u, b = parameters

    def follow(h: Any, x: Any) -> tuple[Any, Any]:
        h = names.tanh(x @ w + h @ u + b)
        return h, (h * h).mean()

    h = np.zeros((8, 32))
    if scan:
        return scan(follow, h, xs)[1].sum()
    total = 0.0
    for x in xs:
        h, loss = follow(h, x)
        total = total + loss
    return total


def sequence(steps: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Weights of the recurrent network, and its inputs."""
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, shape) for shape in ((32, 32), (32, 32), (32,))], rng.normal(size=(steps, 8, 32))


def numbers(function: str) -> np.ndarray:
    """200,000 numbers at which a function of one number is not special."""
    x = np.random.default_rng(0).uniform(-3, 3, 200_000)
    return np.abs(x) if function.startswith("log") else x


def square_matrices(n: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Two factors."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, n)).astype(dtype), rng.normal(size=(n, n)).astype(dtype)


def moons(n: int = 100) -> tuple[list, list, list]:
    """Points, their labels, and a 2-16-16-1 network's 337 numbers: lists of neurons (weights, bias)."""
    rng = np.random.default_rng(0)
    angle, upper = rng.uniform(0, np.pi, n), np.arange(n) % 2 == 0
    x = np.stack(
        [np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], 1
    )
    layers = [[(rng.uniform(-1, 1, a).tolist(), 0.0) for _ in range(b)] for a, b in ((2, 16), (16, 16), (16, 1))]
    return (x + rng.normal(0, 0.1, x.shape)).tolist(), np.where(upper, -1, 1).tolist(), layers


def margins(points: list, labels: list, layers: list, relu: Callable) -> Any:
    """The loss of micrograd's own demo, max-margin with L2, on any scalar class."""

    def score(x: list) -> Any:
        for i, layer in enumerate(layers):
            sums = [sum((wi * xi for wi, xi in zip(ws, x)), b) for ws, b in layer]
            x = [relu(s) for s in sums] if i < len(layers) - 1 else sums
        return x[0]

    losses = [relu(1 + -label * score(point)) for point, label in zip(points, labels)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(
        p * p for layer in layers for ws, b in layer for p in (*ws, b)
    )


def svm(value: Callable, relu: Callable) -> Callable:
    """micrograd's own demo on any scalar class: forward, loss, backward; returns the loss."""
    points, labels, layers = moons()
    layers = [[([value(w) for w in ws], value(b)) for ws, b in layer] for layer in layers]
    parameters = [p for layer in layers for ws, b in layer for p in (*ws, b)]

    def work():
        loss = margins([[value(c) for c in point] for point in points], labels, layers, relu)
        for p in parameters:
            p.grad = 0
        loss.backward()
        return loss.data

    return work


def k_means(names: Any, derivative: Callable, points: int) -> Callable:
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


def text(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def argument(word: str) -> Any:
    """What stands in a contender's name: 2-8-8-1 is sizes of layers, 16 a number, exp a word."""
    sizes = tuple(int(part) for part in word.split("-") if part.isdigit())
    return (sizes if "-" in word else sizes[0]) if sizes else word


def seconds(work: Callable, repeat: int) -> float:
    """The time of so many calls."""
    start = time.perf_counter()
    for _ in range(repeat):
        work()
    return time.perf_counter() - start


def enough(work: Callable) -> int:
    """How many calls take a tenth of a second."""
    seconds(work, 2)  # what is compiled, is compiled now
    repeat = 1
    while (took := seconds(work, repeat)) < 0.1:
        repeat = round(repeat * min(10.0, 0.15 / took)) + 1
    return repeat


def serve(works: dict[str, Callable]) -> None:
    """Build the work that the command line names and say so; then answer each line that comes in with seconds a call.

    Of `first` work each answer is the time to build it and to call it once, compilation included; of work that is a
    number the answer is that number.
    """
    who, *words = sys.argv[1].split()
    first = words[0] == "first"
    kind, *args = words[first:]

    def build() -> Any:
        return works[f"{who} {kind}"](*map(argument, args))

    try:
        work = (lambda: build()()) if first else build()
        repeat = enough(work) if callable(work) and not first else 1
        print("ready", flush=True)
        for _ in sys.stdin:
            taken = seconds(work, repeat) / repeat / getattr(work, "count", 1) if callable(work) else work
            print(taken, flush=True)
    except ImportError as error:
        sys.exit(f"{error.name} is not installed" if error.name else str(error))
