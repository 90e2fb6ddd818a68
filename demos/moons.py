"""micrograd's demonstration: two moons told apart by a network of Values, every weight a number in the graph.

    python demos/moons.py
    python demos/moons.py --data spirals
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
from options import described, finish, parsed, positive_int, progress, seed, write_figure


def moons(rng: np.random.Generator, n: int = 100, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) on two interleaved half circles, with noise, and their labels -1 and 1."""
    angle = rng.uniform(0, np.pi, n)
    upper = np.arange(n) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], 1) + rng.normal(0, noise, (n, 2)), np.where(upper, -1, 1)


def spirals(rng: np.random.Generator, n: int = 100, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) on two spirals around the origin, of one turn, with noise, and their labels -1 and 1."""
    labels = np.where(np.arange(n) % 2 == 0, -1, 1)
    radius = np.linspace(0.1, 1, n // 2).repeat(2)
    angle = 2 * np.pi * radius
    points = 1.5 * labels * radius * np.stack([np.cos(angle), np.sin(angle)])
    return points.T + rng.normal(0, noise, (n, 2)), labels


DATA = {"moons": moons, "spirals": spirals}
PANELS = 6


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


def train(
    measure: Callable, scores: Callable[[], np.ndarray], model: nn.scalar.MLP, steps: int, quiet: bool
) -> dict[int, np.ndarray]:
    """Descend, the rate falling from 1 to 0.1, to the end or to an interruption.

    The scores at the end and before, by the number of steps, which a logarithmic axis would show equally spaced.
    """
    shown, frames = np.geomspace(1, steps, PANELS).round(), {}
    with stopping.deferred() as stopped:
        for step, say in progress(0, steps, 1, quiet):
            loss, accuracy = measure()
            descend(model, loss, rate=1.0 - 0.9 * step.start / steps)
            say(f"loss {loss.data:.4f}  accuracy {accuracy:.0%}")
            if stopped or step.stop in shown:
                frames[step.stop] = scores()
            if stopped:
                break
    return frames


def plane(points: np.ndarray) -> list[np.ndarray]:
    """x and y of a square grid (60, 60) with the points in its middle."""
    low, high = points.min(0), points.max(0)
    span = np.linspace(-1, 1, 60) * (np.max(high - low) / 2 + 0.4)
    return np.meshgrid(*((low + high)[:, None] / 2 + span))


def draw(path: pathlib.Path, frames: dict[int, np.ndarray], points: np.ndarray, labels: np.ndarray) -> None:
    """The score over the plane at some steps, its zero line, and the points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.4), layout="constrained")
    panels = figure.subplots(2, PANELS // 2, sharex=True, sharey=True)
    for axes, (step, scores) in zip(panels.flat, frames.items()):
        axes.contourf(*plane(points), scores.clip(-3, 3), np.linspace(-3, 3, 13), cmap="PuOr", vmin=-8, vmax=8)
        if scores.min() < 0 < scores.max():
            axes.contour(*plane(points), scores, [0.0], colors="black", linewidths=1.5)
        for label, color, marker in ((-1, "#b35806", "o"), (1, "#542788", "^")):  # of the same palette, but darker
            axes.scatter(*points[labels == label].T, c=color, marker=marker, edgecolors="white", linewidths=0.7, s=32)
        axes.set(title=f"{step:,} step{'s' if step > 1 else ''}", aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    for axes in panels.flat[len(frames) :]:
        axes.set_axis_off()
    write_figure(figure, path)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; a value that makes no sense is one line and status 2."""
    parser = described("moons", "Tell two moons, or two spirals, apart with a network of single numbers.")
    parser.add_argument("--data", choices=DATA, default="moons", help="what the points are drawn on")
    parser.add_argument("--steps", type=positive_int, default=100, help="of gradient descent, on all points")
    parser.add_argument("--eager", action="store_true", help="compile nothing: a graph of Values in each step")
    parser.add_argument("--seed", type=seed, default=0, help="of the points and the weights")
    return parsed(parser, arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    rng = np.random.default_rng(options.seed)
    points, labels = DATA[options.data](rng)
    model = nn.scalar.MLP(2, [16, 16, 1], rng=rng)
    measure = partial(loss_and_accuracy, each(model, options.eager), model, points, labels)
    score = jit(lambda x, y: model([x, y]))
    gc.disable()  # it looks for cycles, which graphs do not have, and would take a third of the time of --eager
    started = time.perf_counter()
    frames = train(measure, lambda: score(*plane(points)).data, model, options.steps, options.quiet)
    seconds, done, picture = time.perf_counter() - started, max(frames), options.out / "boundary.png"
    with no_grad():
        loss, accuracy = measure()
    lines = [
        f"steps     {done:,}{' (stopped)' if done < options.steps else ''}",
        f"time      {seconds:.2f} s",
        f"loss      {loss.data:.4f}",
        f"accuracy  {accuracy:.0%}",
        f"picture   {picture}",
    ]
    return finish(picture, lambda path: draw(path, frames, points, labels), lines) or 130 * (done < options.steps)


if __name__ == "__main__":
    stopping.run(main)
