"""The work by other libraries. This file is a script, so that `autograd` is HIPS autograd and not this project."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import task


def micrograd(collector: str = "") -> Callable:
    """Its own demo; with Python's garbage collector, as it runs, or without."""
    from micrograd.engine import Value

    if collector:
        gc.disable()
    return task.svm(Value, Value.relu)


def torch_on_one_thread() -> Any:
    """PyTorch."""
    import torch

    torch.set_num_threads(1)
    return torch


def torch_step(compiled: bool, sizes: tuple[int, ...], n: int) -> Callable:
    """PyTorch in float64, by its layers and its SGD; forward and backward by torch.compile, or eager."""
    torch = torch_on_one_thread()
    torch.set_default_dtype(torch.float64)
    x, y = map(torch.from_numpy, task.batch(n))
    layers = [part for a, b in zip(sizes, sizes[1:]) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for p, w in zip(model.parameters(), task.weights(sizes)):
            p.copy_(torch.from_numpy(w.T))
    optimizer, loss_function = torch.optim.SGD(model.parameters(), lr=task.RATE), torch.nn.MSELoss()
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, task.DECAY)
    model = torch.compile(model) if compiled else model

    def work():
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss.item()

    return work


def torch_train(compiled: bool, kind: str) -> Callable:
    """PyTorch in float32: a classifier by its layers, its own convolutions and its Adam."""
    torch = torch_on_one_thread()
    parts, (_, _, xs, ys) = torch.nn, task.network(kind)
    xs, ys = torch.from_numpy(xs), torch.from_numpy(ys)
    layers = {
        "digits": lambda: [parts.Linear(64, 128), parts.ReLU(), parts.Linear(128, 10)],
        "convolutional": lambda: [
            *(parts.Unflatten(1, (1, 8, 8)), parts.Conv2d(1, 8, 3), parts.ReLU(), parts.Conv2d(8, 16, 3), parts.ReLU()),
            *(parts.AvgPool2d(2), parts.Flatten(), parts.Linear(64, 10)),
        ],
    }[kind]()
    model, loss_function = parts.Sequential(*layers), parts.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    model = torch.compile(model) if compiled else model

    def work():
        for x, y in zip(xs, ys):
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
        return loss.item()

    work.count = len(xs)
    return work


def hips() -> Any:
    """HIPS autograd."""
    import autograd

    if hasattr(autograd, "Tensor"):  # it is this project
        raise ImportError("HIPS autograd is not installed", name="HIPS autograd")
    return autograd


def hips_k_means(second: bool, points: int) -> Callable:
    """HIPS autograd's gradient, or the gradient of that along a direction."""
    grad = hips().grad
    import autograd.numpy as anp

    def derivative(f: Callable) -> Callable:
        along = grad(lambda x, y, v: anp.sum(grad(f)(x, y) * v))
        return along if second else lambda x, y, v: grad(f)(x, y)

    return task.k_means(anp, derivative, points)


def hips_step(sizes: tuple[int, ...], n: int) -> Callable:
    """HIPS autograd's value_and_grad."""
    hips()
    import autograd.numpy as anp
    from autograd import value_and_grad

    x, y = task.batch(n)
    parameters, rate = task.weights(sizes), task.RATE
    f = value_and_grad(lambda parameters: task.squares(anp, parameters, x, y))

    def work():
        nonlocal rate, parameters
        value, gradients = f(parameters)
        rate *= task.DECAY
        parameters = [p - rate * g for p, g in zip(parameters, gradients)]
        return value

    return work


def mygrad_step(sizes: tuple[int, ...], n: int) -> Callable:
    """MyGrad's tensors."""
    import mygrad

    x, y = task.batch(n)
    parameters, rate = [mygrad.tensor(w) for w in task.weights(sizes)], task.RATE

    def work():
        nonlocal rate
        loss = task.squares(mygrad, parameters, x, y)
        loss.backward()
        rate *= task.DECAY
        for p in parameters:
            p.data = p.data - rate * np.asarray(p.grad)
        return float(loss.item())

    return work


class Jax:
    """JAX in float64, and NumPy's names by it."""

    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.scan = jax, jax.lax.scan

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jax.numpy, name, None) or getattr(self.jax.nn, name)

    def compiled(self, f: Callable, *args: Any) -> Callable:
        """A call of the function as a program, until its results are there."""
        program = self.jax.jit(f)
        return lambda: self.jax.block_until_ready(program(*args))


def jax_step(sizes: tuple[int, ...], n: int) -> Callable:
    """The update in lax.fori_loop."""
    names, count = Jax(), task.updates(sizes, n)
    (x, y), parameters = task.batch(n), task.weights(sizes)

    def update(i, carry):
        parameters, rate, _ = carry
        loss, gradients = names.jax.value_and_grad(lambda parameters: task.squares(names, parameters, x, y))(parameters)
        return [p - rate * task.DECAY * g for p, g in zip(parameters, gradients)], rate * task.DECAY, loss

    work = names.compiled(lambda ps: names.jax.lax.fori_loop(0, count, update, (ps, task.RATE, 0.0)), parameters)
    work.count = count
    return work


def jax_train(kind: str) -> Callable:
    """Updates of a classifier by Adam in lax.scan, each on its own batch."""
    names, (model, parameters, xs, ys) = Jax(), task.network(kind)
    tree = names.jax.tree.map

    def loss(parameters, x, y):
        return -names.take_along_axis(names.log_softmax(model(names, parameters, x), 1), y[:, None], 1).mean()

    def update(carry, batch):
        parameters, means, squares, count = carry
        value, gradients = names.jax.value_and_grad(loss)(parameters, *batch)
        means = tree(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
        squares = tree(lambda s, g: 0.999 * s + 0.001 * g * g, squares, gradients)
        rate, root = 1e-3 / (1 - 0.9**count), (1 - 0.999**count) ** 0.5
        moved = tree(lambda p, m, s: p - rate * m / (names.sqrt(s) / root + 1e-8), parameters, means, squares)
        return (tree(lambda p, q: q.astype(p.dtype), parameters, moved), means, squares, count + 1), value

    zeros = tree(np.zeros_like, parameters)
    work = names.compiled(partial(names.scan, update), (parameters, zeros, zeros, np.float32(1)), (xs, ys))
    work.count = len(xs)
    return work


def jax_recurrent(looped: bool, length: int) -> Callable:
    """The gradient of a recurrent network by its weights."""
    names, (parameters, xs) = Jax(), task.sequence(length)
    loss = partial(task.recurrent, names, names.scan if looped else None)
    return names.compiled(names.jax.grad(loss), parameters, xs)


def jax_elementwise(name: str) -> Callable:
    """The sum of a function of many numbers, and its gradient."""
    names = Jax()
    f = names.jax.value_and_grad(lambda x: getattr(names, name)(x).sum())
    return names.compiled(f, names.array(task.numbers(name)))


WORKS = {
    "micrograd scalar": micrograd,
    "torch step": partial(torch_step, False),
    "torch.compile step": partial(torch_step, True),
    "torch train": partial(torch_train, False),
    "torch.compile train": partial(torch_train, True),
    "hips step": hips_step,
    "hips nested": lambda: task.nested(hips().grad),
    "hips k-means": partial(hips_k_means, False),
    "hips hvp": partial(hips_k_means, True),
    "mygrad step": mygrad_step,
    "jax step": jax_step,
    "jax train": jax_train,
    "jax unrolled": partial(jax_recurrent, False),
    "jax scan": partial(jax_recurrent, True),
    "jax elementwise": jax_elementwise,
}

if __name__ == "__main__":
    task.serve(WORKS)
