"""Newton's method for a network: conjugate gradients on hessian-vector products, against gradient descent.

The hessian of a network with n parameters has n^2 numbers; its product with a vector costs two sweeps.
"""

import sys
from collections.abc import Callable

import numpy as np

import autograd.numpy as anp
import nn
from autograd import hvp, value_and_grad


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


def newton(loss: Callable, weights: list, steps: int) -> list[float]:
    """Newton-CG with a backtracking step length; the losses on the way."""
    losses, product = [], hvp(loss)
    for _ in range(steps):
        value, gradient = value_and_grad(loss)(weights)
        losses.append(value)
        direction = conjugate_gradients(lambda d, at=weights: product(at, d), [-g for g in gradient], 30, damping=1e-4)
        rate = 1.0
        while loss(move(weights, rate, direction)) > value and rate > 1e-6:
            rate /= 2
        weights = move(weights, rate, direction)
    return [*losses, float(loss(weights))]


def descent(loss: Callable, weights: list, steps: int, rate: float) -> list[float]:
    """Gradient descent; the losses on the way."""
    losses = []
    for _ in range(steps):
        value, gradient = value_and_grad(loss)(weights)
        losses.append(value)
        weights = move(weights, -rate, gradient)
    return [*losses, float(loss(weights))]


def main() -> int:
    """Both on the same regression; prints their losses."""
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 60)[:, None]
    y = np.sin(2 * x) * np.exp(-x * x / 8)
    weights = [p.data for p in nn.MLP(1, [10, 10], 1, rng=rng, activation=nn.Tanh, init=nn.xavier).parameters()]

    def loss(weights: list):
        return ((network(weights, x) - y) ** 2).mean()

    slow, fast = descent(loss, weights, 1000, 0.05), newton(loss, weights, 40)
    for steps in (0, 10, 20, 40):
        print(f"after {steps:3} steps: gradient descent {slow[steps]:.2e}   Newton-CG {fast[steps]:.2e}")
    print(f"gradient descent after 1000 steps: {slow[-1]:.2e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
