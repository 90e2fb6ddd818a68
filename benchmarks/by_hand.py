"""The work without an engine: NumPy as one writes it by hand, NumPy into buffers, C, and the smallest scalar class."""

import ctypes
import math
import pathlib
import shutil
import subprocess
import tempfile
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


C_SOURCE = """
void run(long steps, const double *x, const double *y, double *w1, double *b1, double *w2, double *b2,
         double *w3, double *b3, double rate, double decay, double *losses) {
    for (long s = 0; s < steps; s++) {
        double h1[B][H], h2[B][H], e[B], g1[B][H], g2[B][H], loss = 0;
        double gw1[I][H] = {{0}}, gb1[H] = {0}, gw2[H][H] = {{0}}, gb2[H] = {0}, gw3[H] = {0}, gb3 = 0;
        for (int n = 0; n < B; n++) {
            for (int j = 0; j < H; j++) h1[n][j] = b1[j];
            for (int i = 0; i < I; i++) for (int j = 0; j < H; j++) h1[n][j] += x[n * I + i] * w1[i * H + j];
            for (int j = 0; j < H; j++) h1[n][j] = h1[n][j] > 0 ? h1[n][j] : 0;
            for (int j = 0; j < H; j++) h2[n][j] = b2[j];
            for (int i = 0; i < H; i++) for (int j = 0; j < H; j++) h2[n][j] += h1[n][i] * w2[i * H + j];
            for (int j = 0; j < H; j++) h2[n][j] = h2[n][j] > 0 ? h2[n][j] : 0;
            double out = b3[0];
            for (int j = 0; j < H; j++) out += h2[n][j] * w3[j];
            e[n] = out - y[n];
            loss += e[n] * e[n];
        }
        losses[s] = loss / B;
        for (int n = 0; n < B; n++) {
            double g = 2.0 / B * e[n];
            gb3 += g;
            for (int j = 0; j < H; j++) {
                gw3[j] += h2[n][j] * g;
                g2[n][j] = h2[n][j] > 0 ? g * w3[j] : 0;
                gb2[j] += g2[n][j];
            }
            for (int i = 0; i < H; i++) for (int j = 0; j < H; j++) gw2[i][j] += h1[n][i] * g2[n][j];
            for (int i = 0; i < H; i++) {
                double sum = 0;
                for (int j = 0; j < H; j++) sum += g2[n][j] * w2[i * H + j];
                g1[n][i] = h1[n][i] > 0 ? sum : 0;
                gb1[i] += g1[n][i];
            }
            for (int i = 0; i < I; i++) for (int j = 0; j < H; j++) gw1[i][j] += x[n * I + i] * g1[n][j];
        }
        rate *= decay;
        for (int i = 0; i < I; i++) for (int j = 0; j < H; j++) w1[i * H + j] -= rate * gw1[i][j];
        for (int i = 0; i < H; i++) for (int j = 0; j < H; j++) w2[i * H + j] -= rate * gw2[i][j];
        for (int j = 0; j < H; j++) { b1[j] -= rate * gb1[j]; b2[j] -= rate * gb2[j]; w3[j] -= rate * gw3[j]; }
        b3[0] -= rate * gb3;
    }
}
"""


def step_in_c(sizes: tuple[int, ...], n: int) -> Callable:
    """The plain loops of it in C, compiled on the spot with -O3 -march=native -ffast-math; 1000 updates a call."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise ImportError("no C compiler", name="a C compiler")
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "step.c").write_text(C_SOURCE)
    shapes = [f"-DB={n}", f"-DI={sizes[0]}", f"-DH={sizes[1]}"]
    options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", *shapes]
    subprocess.run([compiler, *options, "-o", folder / "step.so", folder / "step.c"], check=True)
    run = ctypes.CDLL(str(folder / "step.so")).run
    pointer, number = ctypes.c_void_p, ctypes.c_double
    run.argtypes, run.restype = [ctypes.c_long, *[pointer] * 8, number, number, pointer], None
    x, y = batch(n)
    parameters, losses = weights(sizes), np.empty(1000)

    def work():
        run(1000, *(a.ctypes.data for a in (x, y, *parameters)), RATE, DECAY, losses.ctypes.data)
        return losses[-1]

    work.count, work.parameters, work.losses = 1000, parameters, losses
    return work


WORKS = {
    "small C": lambda: step_in_c(*SMALL),
    "large C": lambda: step_in_c(*LARGE),
    "small": lambda: step(*SMALL),
    "large": lambda: step(*LARGE),
    "small buffers": lambda: step_in_buffers(*SMALL),
    "large buffers": lambda: step_in_buffers(*LARGE),
    "scalar": lambda: svm(Scalar, Scalar.relu),
}

if __name__ == "__main__":
    serve(WORKS)
