"""The work by crabgrad."""

import gc
import pathlib
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import task

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, draw, grad, hvp, jit, scan, value_and_grad
from autograd.numpy import affine, relu


def model_of(sizes: tuple[int, ...]) -> nn.MLP:
    """The network with the weights that every contender begins with."""
    model = nn.MLP(sizes[0], sizes[1:-1], sizes[-1], rng=0)
    for p, w in zip(model.parameters(), task.weights(sizes)):
        p.data = w
    return model


def descent(model: nn.Module) -> nn.SGD:
    """The demo's optimizer."""
    return nn.SGD(model.parameters(), lr=nn.ExponentialDecay(task.RATE, task.DECAY))


def eager(sizes: tuple[int, ...], n: int) -> Callable:
    """Forward and loss on Tensors, line for line as NumPy by hand; backward by the engine."""
    x, y = task.batch(n)
    parameters, rate = [Tensor(w) for w in task.weights(sizes)], task.RATE

    def work():
        nonlocal rate
        h = affine(x, parameters[0], parameters[1])
        for w, b in zip(parameters[2::2], parameters[3::2]):
            h = affine(h.relu(), w, b)
        loss = (h - y).square().mean()
        loss.backward()
        rate *= task.DECAY
        for p in parameters:
            p.data, p.grad = p.data - rate * p.grad, None
        return loss.data

    work.parameters = parameters
    return work


def by_layers(sizes: tuple[int, ...], n: int) -> Callable:
    """The same by nn's layers, loss and optimizer, as in PyTorch."""
    (x, y), model, loss_function = task.batch(n), model_of(sizes), nn.MSE()
    optimizer = descent(model)

    def work():
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    work.parameters = model.parameters()
    return work


def many(step: nn.TrainStep, xs: np.ndarray, ys: np.ndarray) -> Callable:
    """All updates in one call; a contender's time is divided by its `count`."""

    def work():
        return step.run(xs, ys)[-1]

    work.count = len(xs)
    return work


def steps(sizes: tuple[int, ...], n: int, backend: str) -> Callable:
    """The same update by nn.TrainStep."""
    model = model_of(sizes)
    xs, ys = (np.repeat(a[None], task.updates(sizes, n), 0) for a in task.batch(n))
    return many(nn.TrainStep(model, nn.MSE(), descent(model), backend), xs, ys)


def deep(sizes: tuple[int, ...], n: int) -> Callable:
    """One update by Adam."""
    (x, y), model = task.batch(n), model_of(sizes)
    step = nn.TrainStep(model, nn.MSE(), nn.Adam(model.parameters(), 1e-3), "llvm")
    return lambda: step(x, y)


def train(kind: str, backend: str = "llvm") -> Callable:
    """Updates of a classifier by Adam, each on its own batch."""
    model, arrays, xs, ys = task.network(kind)
    parameters = [Tensor(a) for a in arrays]
    step = nn.TrainStep(lambda x: model(anp, parameters, x), nn.CrossEntropy(), nn.Adam(parameters, 1e-3), backend)
    return many(step, xs, ys)


def demo() -> Callable:
    """The demo's own loop: a thousand updates in a call, each on fresh samples and their targets."""
    sys.path.append(str(pathlib.Path(__file__).parent.parent / "demos"))
    import gaussian

    run = gaussian.Run(gaussian.parse([])[1])

    def work():
        return run.train(range(run.done, run.done + gaussian.CHUNK))

    work.count = gaussian.CHUNK
    return work


def values(collector: str = "") -> Callable:
    """micrograd's demo on Values; with Python's garbage collector, or without, since graphs have no cycles."""
    if collector:
        gc.disable()
    return task.svm(Value, Value.relu)


def scalar(backend: str) -> Callable:
    """The value and gradient of micrograd's demo by jit, with all 337 numbers as arguments."""
    points, labels, layers = task.moons()
    f = jit(value_and_grad(lambda layers: task.margins(points, labels, layers, relu)), backend=backend)
    return lambda: f(layers)[0]


def graph(points: int) -> Callable:
    """The loss of micrograd's demo alone, at so many points; 304 are a graph of 200,000 operations."""
    points, labels, layers = task.moons(points)
    f = jit(lambda layers: task.margins(points, labels, layers, relu), backend="llvm")
    return lambda: f(layers)


def drawing(points: int, kind: str) -> Callable:
    """A picture of the same loss on Values, 100 points of which are a graph of 65,000; kind is the file's, "svg"."""
    xs, labels, layers = task.moons(points)
    layers = [[([Value(w) for w in ws], Value(b)) for ws, b in layer] for layer in layers]
    loss = task.margins(xs, labels, layers, Value.relu)

    def work():
        picture = draw(loss)
        assert picture.source.count("tooltip") < 100, "nobody would look at so many boxes and edges"
        return picture.pipe(kind)

    return work


def unrolled(length: int, looped: bool = False) -> Callable:
    """The gradient of a recurrent network by its weights."""
    parameters, xs = task.sequence(length)
    f = jit(grad(lambda parameters, xs: task.recurrent(anp, scan if looped else None, parameters, xs)), backend="llvm")
    return lambda: f(parameters, xs)


def elementwise(name: str) -> Callable:
    """A function of many numbers, and its gradient."""
    x, f = task.numbers(name), jit(value_and_grad(lambda x: getattr(anp, name)(x).sum()))
    return lambda: f(x)


def product(n: int, dtype: str) -> Callable:
    """A product of matrices."""
    f, (a, b) = jit(lambda a, b: a @ b), task.square_matrices(n, dtype)
    return lambda: f(a, b)


def call(kind: str) -> Callable:
    """A call of a jitted function that does next to nothing, of two numbers or of two small arrays."""
    f = jit(lambda x, y: x * y + 1.0, backend="llvm")
    x, y = (np.ones(4), np.full(4, 2.0)) if kind == "arrays" else (1.0, 2.0)
    return lambda: f(x, y)


def call_step() -> Callable:
    """step(x, y) of the small network, whose work takes less than a microsecond."""
    (x, y), model = task.batch(16), model_of((2, 8, 8, 1))
    step = nn.TrainStep(model, nn.MSE(), descent(model))
    return lambda: step(x, y)


def chained(length: int) -> Value:
    """A chain of scalars."""
    y = Value(1.0)
    for _ in range(length):
        y = y * 1.0000001
    return y


def chain(length: int) -> Callable:
    """Make, sweep and drop a chain; what is freed is freed without the collector."""
    gc.disable()

    def work():
        chained(length).backward()

    work.count = length
    return work


def memory(length: int) -> float:
    """The bytes a node of a chain, at most, while it is made and swept."""
    tracemalloc.start()
    chained(length).backward()
    return tracemalloc.get_traced_memory()[1] / length


def imports(module: str) -> Callable:
    """A fresh process that imports it."""
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


WORKS = {
    "ours scalar": values,
    "ours jit": scalar,
    "ours graph": graph,
    "ours drawing": drawing,
    "ours eager": eager,
    "ours layers": by_layers,
    "ours step": steps,
    "ours deep": deep,
    "ours train": train,
    "ours demo": demo,
    "ours unrolled": unrolled,
    "ours scan": partial(unrolled, looped=True),
    "ours elementwise": elementwise,
    "ours product": product,
    "ours nested": lambda: task.nested(grad),
    "ours k-means": partial(task.k_means, anp, lambda f: lambda x, y, v: grad(f)(x, y)),
    "ours hvp": partial(task.k_means, anp, hvp),
    "ours call": call,
    "ours call-step": call_step,
    "ours chain": chain,
    "ours memory": memory,
    "ours imports": imports,
}

if __name__ == "__main__":
    task.serve(WORKS)
