"""Newton's method for a network: conjugate gradients on hessian-vector products, against gradient descent.

    python demos/newton.py

The hessian of a network with n parameters has n^2 numbers; its product with a vector costs two sweeps.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import pathlib
from collections.abc import Callable, Sequence

import numpy as np

import autograd.numpy as anp
import nn
from autograd import hvp, value_and_grad
from options import described, finish, parsed, seed, write_figure


def network(weights: list, x: np.ndarray):
    """A tanh network of nn's sizes as a function of its weights."""
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2]):
        x = anp.tanh(anp.affine(x, weight, bias))
    return anp.affine(x, weights[-2], weights[-1])


def conjugate_gradients(product: Callable, b: list, iterations: int, damping: float) -> list:
    """An approximate solution s of (H + damping) s = b, for H by its products (Hestenes and Stiefel 1952)."""
    s, r, d = [0.0 * part for part in b], b, b
    rr = dot(r, r)
    for _ in range(iterations):
        hd = [h + damping * part for h, part in zip(product(d), d)]
        curvature = dot(d, hd)
        if curvature <= 0 or rr < 1e-20:  # the model has no minimum along d, or is solved
            break
        s = move(s, rr / curvature, d)
        r = move(r, -rr / curvature, hd)
        rr, before = dot(r, r), rr
        d = move(r, rr / before, d)
    return s if any(np.any(part) for part in s) else b


def dot(a: list, b: list) -> float:
    """The inner product of two lists of arrays."""
    return float(sum(np.vdot(x, y) for x, y in zip(a, b)))


def move(a: list, rate: float, b: list) -> list:
    """a + rate * b."""
    return [x + rate * y for x, y in zip(a, b)]


def newton(loss: Callable, weights: list, steps: int) -> tuple[list[float], list]:
    """Newton-CG with a backtracking step length; the losses on the way, and the weights at its end."""
    losses, product = [], hvp(loss)
    for _ in range(steps):
        value, gradient = value_and_grad(loss)(weights)
        losses.append(value)
        direction = conjugate_gradients(lambda d, at=weights: product(at, d), [-g for g in gradient], 30, damping=1e-4)
        rate = 1.0
        while loss(move(weights, rate, direction)) > value and rate > 1e-6:
            rate /= 2
        weights = move(weights, rate, direction)
    return [*losses, float(loss(weights))], weights


def descent(loss: Callable, weights: list, steps: int, rate: float) -> tuple[list[float], list]:
    """Gradient descent; the losses on the way, and the weights at its end."""
    losses = []
    for _ in range(steps):
        value, gradient = value_and_grad(loss)(weights)
        losses.append(value)
        weights = move(weights, -rate, gradient)
    return [*losses, float(loss(weights))], weights


def draw(path: pathlib.Path, x: np.ndarray, y: np.ndarray, runs: dict[str, tuple[list[float], list]]) -> None:
    """The losses of both methods, and what they have learned at the end."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, curves = figure.subplots(1, 2)
    curves.plot(x, y, "ko", markersize=4, fillstyle="none", label="data")
    for (name, (on_way, weights)), style in zip(runs.items(), ("--", "-")):
        losses.loglog(range(1, len(on_way)), on_way[1:], style)
        curves.plot(x, network(weights, x), style, label=f"{name}, {len(on_way) - 1:,} steps")
    losses.set(xlabel="steps (of Newton-CG: up to 30 products with the hessian)", ylabel="mean squared error")
    losses.grid(True, alpha=0.3)
    curves.set(xlabel="x", ylabel="y", yticks=[-1, 0, 1])
    figure.legend(loc="outside lower center", ncols=3)
    write_figure(figure, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Both on the same regression; prints their losses."""
    parser = described("newton", "Train a network by Newton's method and by gradient descent.", "print nothing")
    parser.add_argument("--seed", type=seed, default=0, help="of the first weights")
    options = parsed(parser, arguments)
    x = np.linspace(-3, 3, 60)[:, None]
    y = np.sin(2 * x) * np.exp(-x * x / 8)
    model = nn.MLP(1, [10, 10], 1, rng=options.seed, activation=nn.Tanh, init=nn.xavier)
    weights = [p.data for p in model.parameters()]

    def loss(weights: list):
        return ((network(weights, x) - y) ** 2).mean()

    runs = {"gradient descent": descent(loss, weights, 1000, 0.05), "Newton-CG": newton(loss, weights, 40)}
    (slow, _), (fast, _) = runs.values()
    lines = [
        *(f"after {n:3} steps: gradient descent {slow[n]:.2e}   Newton-CG {fast[n]:.2e}" for n in (0, 10, 20, 40)),
        f"gradient descent after 1000 steps: {slow[-1]:.2e}",
        f"picture: {options.out / 'newton.png'}",
    ]
    return finish(options.out / "newton.png", lambda path: draw(path, x, y, runs), [] if options.quiet else lines)


if __name__ == "__main__":
    stopping.run(main)
