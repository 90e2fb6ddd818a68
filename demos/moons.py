"""micrograd's demonstration: two moons told apart by a network of Values, every weight a number in the graph.

    python demos/moons.py
    python demos/moons.py --eager

The loss of one point is compiled, and runs on all of them at once: 1 s, then 5 ms a step. With --eager each step makes
a graph of 65,000 Values, which takes 70 ms; micrograd takes 1 s.

Ctrl-C ends the run after the step it is in, with the picture of what was learned so far and exit status 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import argparse
import gc
import pathlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd.numpy as anp
import nn
from autograd import Value, jit, no_grad
from options import Parser, complain, positive_int, progress, require_extras, seed, tell, write_each, write_figure


def moons(rng: np.random.Generator, n: int = 100, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) on two interleaved half circles, with noise, and their labels -1 and 1."""
    angle = rng.uniform(0, np.pi, n)
    upper = np.arange(n) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], 1) + rng.normal(0, noise, (n, 2)), np.where(upper, -1, 1)


def each(model: nn.scalar.MLP, eager: bool) -> Callable:
    """What gives, for columns of x, y and label, max(0, 1 - label * score), and whether the sign is right."""

    def one(x: float, y: float, label: int) -> tuple[Value, bool]:
        margin = label * model([x, y])
        return (1 - margin).relu(), margin > 0

    return (lambda *columns: zip(*map(one, *(column.tolist() for column in columns)))) if eager else jit(one)


def loss_and_accuracy(of_each: Callable, model: nn.scalar.MLP, points: Any, labels: Any) -> tuple[Any, float]:
    """The mean of the points' losses plus 1e-4 times the squared weights; the share of right signs."""
    losses, right = of_each(*points.T, labels)
    return anp.mean(losses) + 1e-4 * sum(p * p for p in model.parameters()), float(np.mean(right))


def descend(model: nn.scalar.MLP, loss: Value, rate: float) -> None:
    """One step of gradient descent."""
    model.zero_grad()
    loss.backward()
    for parameter in model.parameters():
        parameter.data -= rate * parameter.grad


def train(measure: Callable, model: nn.scalar.MLP, steps: int, quiet: bool) -> int:
    """Descend, the rate falling from 1 to 0.1, to the end or to an interruption; the number of steps taken."""
    with stopping.deferred() as stopped:
        for step, say in progress(0, steps, 1, quiet):
            loss, accuracy = measure()
            descend(model, loss, rate=1.0 - 0.9 * step.start / steps)
            say(f"loss {loss.data:.4f}  accuracy {accuracy:.0%}")
            if stopped:
                break
    return step.stop


def draw(path: pathlib.Path, model: nn.scalar.MLP, points: np.ndarray, labels: np.ndarray) -> None:
    """The score over the plane, its zero line, and the points."""
    from matplotlib import pyplot

    x, y = (np.linspace(points[:, i].min() - 0.5, points[:, i].max() + 0.5, 50) for i in (0, 1))
    with no_grad():
        scores = np.array([[model([a, b]).data for a in x.tolist()] for b in y.tolist()])
    bound = float(np.abs(scores).max())
    figure, axes = pyplot.subplots(figsize=(5, 4), layout="constrained")
    image = axes.contourf(x, y, scores, np.linspace(-bound, bound, 21), cmap="RdBu_r", alpha=0.8)
    axes.contour(x, y, scores, [0.0], colors="black", linewidths=1)
    axes.scatter(*points.T, c=labels, cmap="RdBu_r", edgecolors="black", s=25)
    axes.set(title="score of the network; black: the boundary", xlabel="x", ylabel="y", aspect="equal")
    figure.colorbar(image, shrink=0.7)
    write_figure(figure, path)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, and the directory that it names; a value that makes no sense is one line and status 2."""
    parser = Parser(
        prog="moons.py",
        description="Tell two moons apart with a network of single numbers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=positive_int, default=100, help="of gradient descent, on all points")
    parser.add_argument("--eager", action="store_true", help="compile nothing: a graph of Values in each step")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("runs/moons"), metavar="DIR", help="where the picture goes"
    )
    parser.add_argument("--quiet", action="store_true", help="print the summary only")
    options = parser.parse_args(arguments)
    require_extras(parser)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    rng = np.random.default_rng(options.seed)
    points, labels = moons(rng)
    model = nn.scalar.MLP(2, [16, 16, 1], rng=rng)
    measure = partial(loss_and_accuracy, each(model, options.eager), model, points, labels)
    gc.disable()  # it looks for cycles, which graphs do not have, and would take a third of the time of --eager
    started = time.perf_counter()
    done = train(measure, model, options.steps, options.quiet)
    seconds = time.perf_counter() - started
    with no_grad():
        loss, accuracy = measure()
    missing = write_each(options.out, {"boundary.png": lambda path: draw(path, model, points, labels)})
    untold = tell(
        f"steps     {done:,}{' (stopped)' if done < options.steps else ''}\n"
        f"time      {seconds:.2f} s\nloss      {loss.data:.4f}\naccuracy  {accuracy:.0%}\n"
        f"picture   {options.out / 'boundary.png'}"
    )
    if complain(missing, untold):
        return 1
    return 0 if done == options.steps else 130


if __name__ == "__main__":
    stopping.run(main)
