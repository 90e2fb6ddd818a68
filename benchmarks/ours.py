"""The work by crabgrad."""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from task import DECAY, LARGE, POINTS, RATE, SMALL, batch, k_means, moons, nested, serve, svm, target, weights

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, grad, hvp, jit, value_and_grad
from autograd.numpy import affine, relu


def model_of(sizes: tuple[int, ...]) -> nn.MLP:
    """The network with the weights that every contender begins with."""
    model = nn.MLP(sizes[0], sizes[1:-1], sizes[-1], rng=0)
    for p, w in zip(model.parameters(), weights(sizes)):
        p.data = w
    return model


def written_out(sizes: tuple[int, ...], n: int) -> Callable:
    """Forward and loss on Tensors, line for line as NumPy by hand; backward by the engine."""
    x, y = batch(n)
    parameters, rate = [Tensor(w) for w in weights(sizes)], RATE

    def work():
        nonlocal rate
        w1, b1, w2, b2, w3, b3 = parameters
        h = affine(x, w1, b1).relu()
        h = affine(h, w2, b2).relu()
        loss = (affine(h, w3, b3) - y).square().mean()
        loss.backward()
        rate *= DECAY
        for p in parameters:
            p.data, p.grad = p.data - rate * p.grad, None
        return loss.data

    work.parameters = parameters
    return work


def by_layers(sizes: tuple[int, ...], n: int) -> Callable:
    """The same by nn's layers, loss and optimizer, as in PyTorch."""
    x, y = batch(n)
    model, loss_function = model_of(sizes), nn.MSE()
    optimizer = nn.SGD(model.parameters(), lr=nn.ExponentialDecay(RATE, DECAY))

    def work():
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    work.parameters = model.parameters()
    return work


def compiled_steps(sizes: tuple[int, ...], n: int, backend: str) -> Callable:
    """The same update by nn.TrainStep, a thousand in a call; each contender's time is divided by its `count`."""
    x, y = batch(n)
    model = model_of(sizes)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), lr=nn.ExponentialDecay(RATE, DECAY)), backend)
    xs, ys = np.repeat(x[None], 1000, 0), np.repeat(y[None], 1000, 0)
    step.run(xs[:1], ys[:1])

    def work():
        return step.run(xs, ys)[-1]

    work.count = 1000
    return work


def demo_steps() -> Callable:
    """The demo's loop: ten thousand updates in a call, each on fresh samples and their targets."""
    sizes, n = SMALL
    model, rng = model_of(sizes), np.random.default_rng(0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), lr=nn.ExponentialDecay(RATE, DECAY)))

    def work():
        x = rng.uniform(-3, 3, (10_000, n, 2))
        return step.run(x, target(x))[-1]

    work.count = 10_000
    work()
    return work


def compiled_scalar(backend: str) -> Callable:
    """The value and gradient of micrograd's demo by jit, with all 337 numbers as arguments."""
    points, labels, numbers = moons()

    def loss(layers):
        def score(x):
            for i, layer in enumerate(layers):
                sums = [sum((wi * xi for wi, xi in zip(ws, x)), b) for ws, b in layer]
                x = [relu(v) for v in sums] if i < len(layers) - 1 else sums
            return x[0]

        losses = [relu(1 + -label * score(point)) for point, label in zip(points, labels)]
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(
            p * p for layer in layers for ws, b in layer for p in (*ws, b)
        )

    f = jit(value_and_grad(loss), backend=backend)
    f(numbers)
    return lambda: f(numbers)[0]


def call(arrays: bool) -> Callable:
    """A call of a jitted function that does next to nothing, of two numbers or of two small arrays."""
    f = jit(lambda x, y: x * y + 1.0, backend="llvm")
    x, y = (np.ones(4), np.full(4, 2.0)) if arrays else (1.0, 2.0)
    return lambda: f(x, y)


def step_call() -> Callable:
    """step(x, y) of the small network, whose work takes less than a microsecond."""
    (_, n), model = SMALL, model_of(SMALL[0])
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), lr=nn.ExponentialDecay(RATE, DECAY)))
    x, y = batch(n)
    return lambda: step(x, y)


def chain(length: int) -> dict[str, float]:
    """Seconds a node to make, to sweep and to free a chain of scalars, and its bytes a node."""
    tracemalloc.start()
    x = y = Value(1.0)
    for _ in range(length):
        y = y * 1.0000001
    size = tracemalloc.get_traced_memory()[0] / length
    tracemalloc.stop()
    gc.disable()  # what is freed is freed without it
    times = [time.perf_counter()]
    x = y = Value(1.0)
    for _ in range(length):
        y = y * 1.0000001
    times.append(time.perf_counter())
    y.backward()
    times.append(time.perf_counter())
    del x, y
    times.append(time.perf_counter())
    make, sweep, free = ((b - a) / length for a, b in zip(times, times[1:]))
    return {"make": make, "sweep": sweep, "free": free, "bytes": size}


WORKS = {
    "scalar": lambda: svm(Value, Value.relu),
    "small": lambda: written_out(*SMALL),
    "small by nn": lambda: by_layers(*SMALL),
    "large": lambda: written_out(*LARGE),
    "scalar python": lambda: compiled_scalar("python"),
    "scalar llvm": lambda: compiled_scalar("llvm"),
    "demo": demo_steps,
    "small python": lambda: compiled_steps(*SMALL, "python"),
    "nested": lambda: nested(grad),
    **{f"k-means {n}": partial(k_means, anp, n, lambda f: lambda x, y, v: grad(f)(x, y)) for n in POINTS},
    **{f"k-means hvp {n}": partial(k_means, anp, n, hvp) for n in POINTS},
    "call numbers": lambda: call(arrays=False),
    "call arrays": lambda: call(arrays=True),
    "call step": step_call,
    "small llvm": lambda: compiled_steps(*SMALL, "llvm"),
    "large python": lambda: compiled_steps(*LARGE, "python"),
    "large llvm": lambda: compiled_steps(*LARGE, "llvm"),
}

if __name__ == "__main__":
    if sys.argv[1] == "chain":
        print(json.dumps(chain(int(sys.argv[2]))))
    else:
        serve(WORKS)
