"""The work without an engine: NumPy as one writes it by hand, NumPy into buffers, C, and the smallest scalar class."""

import ctypes
import math
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable

import numpy as np
import task


def step(sizes: tuple[int, ...], n: int) -> Callable:
    """Forward, mean of squares, backward, gradient descent; returns the loss."""
    (x, y), parameters, rate = task.batch(n), task.weights(sizes), task.RATE

    def work():
        nonlocal rate
        h, inputs = x, []
        for i in range(0, len(parameters), 2):
            h = np.maximum(h, 0) if i else x
            inputs.append(h)
            h = h @ parameters[i] + parameters[i + 1]
        e = h - y
        loss = (e * e).mean()
        g = 2 / e.size * e
        rate *= task.DECAY
        for i in range(len(parameters) - 2, -1, -2):
            h, w = inputs.pop(), parameters[i]
            parameters[i] = w - rate * (h.T @ g)
            parameters[i + 1] = parameters[i + 1] - rate * g.sum(0)
            if i:
                g = g @ w.T * (h > 0)
        return loss

    work.parameters = parameters
    return work


def step_in_buffers(sizes: tuple[int, ...], n: int) -> Callable:
    """The same with every result written into an array that is allocated once."""
    (x, y), parameters, rate, ones = task.batch(n), task.weights(sizes), task.RATE, np.ones(n)
    outs, masks, gs = ([np.empty((n, size)) for size in sizes[1:]] for _ in range(3))
    (*_, e), gradients = outs, [np.empty_like(p) for p in parameters]
    flat, pairs = e.reshape(-1), list(zip(parameters, gradients))
    forward = list(zip([x, *outs], parameters[::2], parameters[1::2], outs))
    backward = list(zip([x, *outs], parameters[::2], gradients[::2], gradients[1::2], [x, *masks], [x, *gs]))[::-1]

    def work():
        nonlocal rate
        for h, w, b, out in forward:
            if h is not x:
                np.maximum(h, 0.0, out=h)
            np.dot(h, w, out=out)
            np.add(out, b, out=out)
        np.subtract(e, y, out=e)
        loss = flat.dot(flat) / n
        np.multiply(e, 2 / n, out=e)
        g = e
        for h, w, gw, gb, mask, before in backward:
            np.dot(h.T, g, out=gw)
            np.dot(ones, g, out=gb)
            if h is not x:
                np.dot(g, w.T, out=before)
                np.sign(h, out=mask)
                g = np.multiply(before, mask, out=before)
        rate *= task.DECAY
        for p, g in pairs:
            np.multiply(g, rate, out=g)
            np.subtract(p, g, out=p)
        return loss

    work.parameters = parameters
    return work


VALUE_AND_SLOPE = {
    "exp": lambda x: (y := np.exp(x), y),
    "expm1": lambda x: (y := np.expm1(x), y + 1),
    "log": lambda x: (np.log(x), 1 / x),
    "log1p": lambda x: (np.log1p(x), 1 / (1 + x)),
    "log2": lambda x: (np.log2(x), 1 / (math.log(2) * x)),
    "sin": lambda x: (np.sin(x), np.cos(x)),
    "cos": lambda x: (np.cos(x), -np.sin(x)),
    "tan": lambda x: (y := np.tan(x), 1 + y * y),
    "arctan": lambda x: (np.arctan(x), 1 / (1 + x * x)),
    "sinh": lambda x: (np.sinh(x), np.cosh(x)),
    "cosh": lambda x: (np.cosh(x), np.sinh(x)),
    "tanh": lambda x: (y := np.tanh(x), 1 - y * y),
    "sigmoid": lambda x: (y := 1 / (1 + np.exp(-x)), y * (1 - y)),
    "softplus": lambda x: (np.logaddexp(x, 0), 1 / (1 + np.exp(-x))),
}


def elementwise(name: str) -> Callable:
    """The sum of a function of many numbers, and its gradient."""
    x, f = task.numbers(name), VALUE_AND_SLOPE[name]

    def work():
        value, gradient = f(x)
        return value.sum(), gradient

    return work


def product(n: int, dtype: str) -> Callable:
    """A product of matrices by the BLAS of NumPy."""
    a, b = task.square_matrices(n, dtype)
    return lambda: a @ b


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

    def exp(self):
        out = math.exp(self.data)
        return Scalar(out, (self,), (out,))

    def log(self):
        return Scalar(math.log(self.data), (self,), (1 / self.data,))

    def __pow__(self, power):
        return Scalar(self.data**power, (self,), (power * self.data ** (power - 1),))

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


def compiled(source: str, *options: str) -> ctypes.CDLL:
    """C, compiled on the spot with -O3 -march=native -ffast-math."""
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        raise ImportError("no C compiler", name="a C compiler")
    library = str(pathlib.Path(tempfile.mkdtemp()) / "library.so")
    options = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", *options)
    subprocess.run([compiler, *options, "-o", library, "-x", "c", "-", "-lm"], input=source.encode(), check=True)
    return ctypes.CDLL(library)


PEAK_SOURCE = """
#ifdef __AVX512F__
typedef REAL V __attribute__((vector_size(64)));
#else
typedef REAL V __attribute__((vector_size(32)));
#endif
long run(long n, REAL a, REAL b, REAL *result) {
    V x[12];
    _Pragma("GCC unroll 12") for (int j = 0; j < 12; j++) x[j] = (V){0} + (REAL)j;
    for (long i = 0; i < n; i++) _Pragma("GCC unroll 12") for (int j = 0; j < 12; j++) x[j] = x[j] * a + b;
    _Pragma("GCC unroll 12") for (int j = 0; j < 12; j++) *result += x[j][0];
    return n * 24 * sizeof(V) / sizeof(REAL);
}
"""


def peak(dtype: str) -> Callable:
    """Multiply-adds in registers, of which nobody does more on this core; its count is of operations, two each."""
    real, result = {"float32": "float", "float64": "double"}[dtype], np.empty(1)
    kind = getattr(ctypes, f"c_{real}")
    run = compiled(PEAK_SOURCE, f"-DREAL={real}").run
    run.argtypes, run.restype = [ctypes.c_long, kind, kind, ctypes.c_void_p], ctypes.c_long

    def work():
        return run(10**6, 0.999, 0.001, result.ctypes.data)

    work.count = work()
    return work


def step_in_c(sizes: tuple[int, ...], n: int) -> Callable:
    """The plain loops of it in C; many updates a call."""
    run = compiled(C_SOURCE, f"-DB={n}", f"-DI={sizes[0]}", f"-DH={sizes[1]}").run
    pointer, number = ctypes.c_void_p, ctypes.c_double
    run.argtypes, run.restype = [ctypes.c_long, *[pointer] * 8, number, number, pointer], None
    (x, y), parameters, losses = task.batch(n), task.weights(sizes), np.empty(task.updates(sizes, n))

    def work():
        run(len(losses), *(a.ctypes.data for a in (x, y, *parameters)), task.RATE, task.DECAY, losses.ctypes.data)
        return losses[-1]

    work.count, work.parameters, work.losses = len(losses), parameters, losses
    return work


# seconds, where they were measured: crabnn's an iteration of the demo in Rust's release build, sampling included;
# those of xad, a tape in C++, for micrograd's demo
DOCUMENTED = {"crabnn": 7.5e-6, "xad": 0.125}

WORKS = {
    "numpy step": step,
    "buffers step": step_in_buffers,
    "C step": step_in_c,
    "C peak": peak,
    "microgpt scalar": lambda: task.svm(Scalar, Scalar.relu),
    "numpy elementwise": elementwise,
    "numpy product": product,
    **{f"documented {name}": lambda seconds=seconds: seconds for name, seconds in DOCUMENTED.items()},
}

if __name__ == "__main__":
    task.serve(WORKS)
