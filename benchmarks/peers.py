"""The work by other libraries. This file is a script, so that `autograd` is HIPS autograd and not this project."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from task import DECAY, LARGE, POINTS, RATE, SMALL, batch, k_means, nested, serve, svm, weights


def micrograd(collect: bool) -> Callable:
    """Its own demo; with Python's garbage collector, as it runs, or without."""
    from micrograd.engine import Value

    if not collect:
        gc.disable()
    return svm(Value, Value.relu)


def torch_step(compiled: bool) -> Callable:
    """PyTorch in float64 on one thread, by its layers and its SGD; forward and backward by torch.compile, or eager."""
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    sizes, n = SMALL
    x, y = map(torch.from_numpy, batch(n))
    layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    with torch.no_grad():
        for p, w in zip(model.parameters(), weights(sizes)):
            p.copy_(torch.from_numpy(w.T))
    parameters = list(model.parameters())
    model = torch.compile(model) if compiled else model
    optimizer, loss_function = torch.optim.SGD(parameters, lr=RATE), torch.nn.MSELoss()
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, DECAY)

    def work():
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss.item()

    return work


def hips() -> Any:
    """HIPS autograd."""
    import autograd

    if not hasattr(autograd, "elementwise_grad"):  # it is this project
        raise ImportError("HIPS autograd is not installed", name="HIPS autograd")
    return autograd


def hips_k_means(points: int, second: bool) -> Callable:
    """HIPS autograd's gradient, or the gradient of that along a direction."""
    grad = hips().grad
    import autograd.numpy as anp

    def derivative(f: Callable) -> Callable:
        along = grad(lambda x, y, v: anp.sum(grad(f)(x, y) * v))
        return along if second else lambda x, y, v: grad(f)(x, y)

    return k_means(anp, points, derivative)


def hips_step() -> Callable:
    """HIPS autograd's value_and_grad."""
    hips()
    import autograd.numpy as anp
    from autograd import value_and_grad

    sizes, n = SMALL
    x, y = batch(n)
    parameters, rate = weights(sizes), RATE

    def loss(ps):
        w1, b1, w2, b2, w3, b3 = ps
        h = anp.maximum(anp.dot(x, w1) + b1, 0)
        h = anp.maximum(anp.dot(h, w2) + b2, 0)
        e = anp.dot(h, w3) + b3 - y
        return anp.mean(e * e)

    f = value_and_grad(loss)

    def work():
        nonlocal rate, parameters
        value, gradients = f(parameters)
        rate *= DECAY
        parameters = [p - rate * g for p, g in zip(parameters, gradients)]
        return value

    return work


def mygrad_step() -> Callable:
    """MyGrad's tensors."""
    import mygrad as mg

    sizes, n = SMALL
    x, y = batch(n)
    parameters, rate = [mg.tensor(w) for w in weights(sizes)], RATE

    def work():
        nonlocal rate
        w1, b1, w2, b2, w3, b3 = parameters
        h = mg.maximum(mg.matmul(x, w1) + b1, 0)
        h = mg.maximum(mg.matmul(h, w2) + b2, 0)
        e = mg.matmul(h, w3) + b3 - y
        loss = (e * e).mean()
        loss.backward()
        rate *= DECAY
        for p in parameters:
            p.data = p.data - rate * np.asarray(p.grad)
        return float(loss.item())

    return work


def jax_steps(sizes: tuple[int, ...], n: int) -> Callable:
    """JAX in float64: the update in lax.fori_loop, a thousand in a call."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, y = map(jnp.asarray, batch(n))

    def loss(ps):
        w1, b1, w2, b2, w3, b3 = ps
        h = jnp.maximum(jnp.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
        return jnp.mean((h @ w3 + b3 - y) ** 2)

    def update(i, carry):
        ps, rate, _ = carry
        value, gradients = jax.value_and_grad(loss)(ps)
        rate = rate * DECAY
        return [p - rate * g for p, g in zip(ps, gradients)], rate, value

    run = jax.jit(lambda ps: jax.lax.fori_loop(0, 1000, update, (ps, RATE, 0.0)))
    parameters = [jnp.asarray(w) for w in weights(sizes)]

    def work():
        return float(run(parameters)[2])

    work.count = 1000
    work()
    return work


WORKS = {
    "small jax": lambda: jax_steps(*SMALL),
    "large jax": lambda: jax_steps(*LARGE),
    "scalar micrograd": lambda: micrograd(True),
    "scalar micrograd without collector": lambda: micrograd(False),
    "small torch": lambda: torch_step(False),
    "small torch compiled": lambda: torch_step(True),
    "small hips": hips_step,
    "nested hips": lambda: nested(hips().grad),
    **{f"k-means hips {n}": partial(hips_k_means, n, False) for n in POINTS},
    **{f"k-means hvp hips {n}": partial(hips_k_means, n, True) for n in POINTS},
    "small mygrad": mygrad_step,
}

if __name__ == "__main__":
    serve(WORKS)
