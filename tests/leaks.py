"""What stays in memory of training steps, of compiled forms and of graphs: python -m tests.leaks.

Each line is what a process still holds, by step, by form, or by node: of its memory as the system counts it, and of
objects of Python. The first tenth is a warm-up, and does not count.
"""

import argparse
import gc
import importlib.util
import os
import sys
import tracemalloc

import numpy as np

import autograd.numpy as anp
import nn
from autograd import Value, grad, jit


def has_llvm():
    """Whether llvmlite is installed."""
    return importlib.util.find_spec("llvmlite") is not None


BACKENDS = ["python", "llvm"] if has_llvm() else ["python"]


def resident():
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grown(run, count):
    """Bytes, and objects, that each of so many runs leaves behind."""
    for i in range(count // 10):
        run(i)
    gc.collect()
    bytes_before, objects_before = resident(), len(gc.get_objects())
    for i in range(count // 10, count // 10 + count):
        run(i)
    gc.collect()
    return (resident() - bytes_before) / count, (len(gc.get_objects()) - objects_before) / count


def network():
    """A model with dropout and buffers, its optimizer, and a batch."""
    layers = nn.Linear(2, 8, 0), nn.BatchNorm(8), nn.Tanh(), nn.Dropout(0.1, 1), nn.Linear(8, 1, 2)
    model, rng = nn.Sequential(*layers), np.random.default_rng(0)
    return model, nn.Adam(model.parameters(), 0.01), rng.normal(size=(16, 2)), rng.normal(size=(16, 1))


def eager_step():
    """An update by hand."""
    model, optimizer, x, y = network()

    def run(_):
        optimizer.zero_grad()
        nn.MSE()(model(x), y).backward()
        optimizer.step()

    return run


def compiled_step(backend):
    """An update by TrainStep."""
    model, optimizer, x, y = network()
    step = nn.TrainStep(model, nn.MSE(), optimizer, backend)
    return lambda _: step(x, y)


def compiled_form(backend):
    """A function and its gradient, compiled for one more form."""
    f = jit(grad(lambda parts: anp.tanh(sum(parts.values())).sum()), backend)
    return lambda i: f({f"x{i}": np.ones(3)})  # whose size is always the same


def chain(count):
    """Bytes by node of a chain of Values, and at most during its sweep."""
    y = x = Value(1.0)
    gc.collect()
    tracemalloc.start()
    for _ in range(count):
        y = y * 1.0000001
    held, _ = tracemalloc.get_traced_memory()
    y.backward()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(x.grad - 1.0000001**count) < 1e-6
    return held / count, most / count


def main(arguments=None):
    """Print a line for each kind of work."""
    parser = argparse.ArgumentParser(prog="python -m tests.leaks", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--forms", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    os.environ["CRABGRAD_CACHE"] = "off"
    works = {"eager steps": (eager_step, (), given.steps)}
    for backend in BACKENDS:
        works[f"TrainStep's steps, {backend}"] = compiled_step, (backend,), given.steps
    for backend in BACKENDS:
        works[f"forms of jit, {backend}"] = compiled_form, (backend,), given.forms
    for name, (make, given_to, count) in works.items():
        held, objects = grown(make(*given_to), count)
        print(f"{count:,} {name}: {held:.1f} bytes and {objects:.4f} objects each", flush=True)
    held, most = chain(given.nodes)
    print(f"{given.nodes:,} nodes in a chain: {held:.0f} bytes each, {most:.0f} with the sweep")


if __name__ == "__main__":
    sys.exit(main())
