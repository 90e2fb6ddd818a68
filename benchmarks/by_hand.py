"""The work without an engine: NumPy as one writes it by hand, NumPy into buffers, and the smallest scalar class."""

import math
from collections.abc import Callable

import numpy as np
from task import DECAY, LARGE, RATE, SMALL, batch, serve, svm, weights


def step(sizes: tuple[int, ...], n: int) -> Callable:
    """Forward, mean of squares, backward, gradient descent; returns the loss."""
    x, y = batch(n)
    parameters, rate = weights(sizes), RATE

    def work():
        nonlocal rate
        w1, b1, w2, b2, w3, b3 = parameters
        z1 = x @ w1 + b1
        h1 = np.maximum(z1, 0)
        z2 = h1 @ w2 + b2
        h2 = np.maximum(z2, 0)
        e = h2 @ w3 + b3 - y
        loss = (e * e).mean()
        g = 2 / e.size * e
        gw3, gb3 = h2.T @ g, g.sum(0)
        g = g @ w3.T * (z2 > 0)
        gw2, gb2 = h1.T @ g, g.sum(0)
        g = g @ w2.T * (z1 > 0)
        gw1, gb1 = x.T @ g, g.sum(0)
        rate *= DECAY
        for i, gradient in enumerate((gw1, gb1, gw2, gb2, gw3, gb3)):
            parameters[i] = parameters[i] - rate * gradient
        return loss

    work.parameters = parameters
    return work


def step_in_buffers(sizes: tuple[int, ...], n: int) -> Callable:
    """The same with every result written into an array that is allocated once."""
    x, y = batch(n)
    (w1, b1, w2, b2, w3, b3), rate = weights(sizes), RATE
    _, n1, n2, _ = sizes
    h1, h2, e = np.empty((n, n1)), np.empty((n, n2)), np.empty((n, 1))
    m1, m2, g1, g2 = (np.empty_like(h) for h in (h1, h2, h1, h2))
    gradients = [np.empty_like(p) for p in (w1, b1, w2, b2, w3, b3)]
    gw1, gb1, gw2, gb2, gw3, gb3 = gradients
    ones, flat, xt = np.ones(n), e.reshape(-1), x.T
    pairs = list(zip((w1, b1, w2, b2, w3, b3), gradients))

    def work():
        nonlocal rate
        np.dot(x, w1, out=h1)
        np.add(h1, b1, out=h1)
        np.maximum(h1, 0.0, out=h1)
        np.dot(h1, w2, out=h2)
        np.add(h2, b2, out=h2)
        np.maximum(h2, 0.0, out=h2)
        np.dot(h2, w3, out=e)
        np.add(e, b3, out=e)
        np.subtract(e, y, out=e)
        loss = flat.dot(flat) / n
        np.multiply(e, 2 / n, out=e)
        np.dot(h2.T, e, out=gw3)
        np.dot(ones, e, out=gb3)
        np.dot(e, w3.T, out=g2)
        np.sign(h2, out=m2)
        np.multiply(g2, m2, out=g2)
        np.dot(h1.T, g2, out=gw2)
        np.dot(ones, g2, out=gb2)
        np.dot(g2, w2.T, out=g1)
        np.sign(h1, out=m1)
        np.multiply(g1, m1, out=g1)
        np.dot(xt, g1, out=gw1)
        np.dot(ones, g1, out=gb1)
        rate *= DECAY
        for p, g in pairs:
            np.multiply(g, rate, out=g)
            np.subtract(p, g, out=p)
        return loss

    work.parameters = [w1, b1, w2, b2, w3, b3]
    return work


class Scalar:
    """The smallest scalar with reverse mode: children and local derivatives, in the manner of microgpt."""

    __slots__ = ("data", "grad", "children", "slopes")

    def __init__(self, data, children=(), slopes=()):
        self.data, self.grad, self.children, self.slopes = data, 0, children, slopes

    def __add__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return Scalar(max(0.0, self.data), (self,), (float(self.data > 0),))

    def tanh(self):
        out = math.tanh(self.data)
        return Scalar(out, (self,), (1 - out * out,))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes):
                child.grad += slope * node.grad


WORKS = {
    "small": lambda: step(*SMALL), "large": lambda: step(*LARGE), "small buffers": lambda: step_in_buffers(*SMALL),
    "large buffers": lambda: step_in_buffers(*LARGE), "scalar": lambda: svm(Scalar, Scalar.relu),
}

if __name__ == "__main__":
    serve(WORKS)
