"""The work by crabgrad."""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable

from task import DECAY, LARGE, RATE, SMALL, batch, serve, svm, weights

import nn
from autograd import Tensor, Value
from autograd.numpy import affine


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


WORKS = {"scalar": lambda: svm(Value, Value.relu), "small": lambda: written_out(*SMALL),
         "small by nn": lambda: by_layers(*SMALL), "large": lambda: written_out(*LARGE)}

if __name__ == "__main__":
    if sys.argv[1] == "chain":
        print(json.dumps(chain(int(sys.argv[2]))))
    else:
        serve(WORKS)
