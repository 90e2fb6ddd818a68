"""The pictures of the book, as SVG files.

python docs/book/pictures.py          beside the pages
python docs/book/pictures.py FOLDER   elsewhere
"""

import pathlib
import sys
from collections.abc import Callable

import numpy
from matplotlib import pyplot, rc_context

import autograd.numpy as np
from autograd import Tensor, Value, elementwise_grad, gradients, jacobian, render

BLUE, ORANGE, GRAY = "#0072b2", "#d55e00", "#8899aa"  # told apart by the colour-blind, and on paper
STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "book",  # the same file each time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
}


def tangents(panels: list) -> None:
    """One step, put into itself: its curve and its tangent at 0.3."""
    step, x = lambda x: 3.8 * x * (1 - x), np.linspace(0, 1, 400)

    def rounds(count: int) -> Callable:
        return (lambda x: rounds(count - 1)(step(x))) if count else lambda x: x

    for axes, count in zip(panels, (1, 2, 5)):
        f = rounds(count)
        slope = elementwise_grad(f)(0.3)
        half = min(0.2, 0.4 / abs(slope))
        near = 0.3 + np.array([-half, half])
        axes.plot(x, f(x), color=BLUE)
        axes.plot(near, f(0.3) + slope * (near - 0.3), color=ORANGE, linewidth=2)
        axes.plot(0.3, f(0.3), "o", color=ORANGE)
        axes.set(title=f"{count} round{'s' * (count > 1)}: slope {slope:.3g}", xlabel="x", ylim=(-0.1, 1.1))


def tanh(panels: list) -> None:
    """The derivative of tanh, by two formulas."""
    x = np.linspace(0, 25, 400)
    (axes,) = panels
    axes.semilogy(x, elementwise_grad(np.tanh)(x), color=BLUE, label="4 * bell(2 * x)")
    by_book = 1 - numpy.tanh(x) ** 2
    axes.semilogy(x[by_book > 0], by_book[by_book > 0], color=ORANGE, linestyle="--", label="1 - tanh(x) ** 2")
    axes.annotate("0 from here on", (x[by_book > 0][-1], 2e-16), (20.5, 1e-11), arrowprops={"arrowstyle": "->"})
    axes.set(xlabel="x", ylabel="derivative of tanh")
    axes.legend()


def differences(panels: list) -> None:
    """The error of finite differences by the size of the turn."""
    f, turns = lambda x: x * x * x, 10.0 ** np.arange(-16, -0.9, 0.1)
    forward = (f(1.3 + turns) - f(1.3)) / turns
    central = (f(1.3 + turns) - f(1.3 - turns)) / (2 * turns)
    (axes,) = panels
    for ratio, colour, name in ((forward, BLUE, "to one side"), (central, ORANGE, "to both sides")):
        axes.loglog(turns, abs(ratio - 5.07), color=colour, label=name)
    axes.text(1e-13, 3e-8, "rounding", ha="center")
    axes.text(2e-3, 1e-9, "bend", ha="center")
    axes.set(xlabel="turn", ylabel="error of the derivative", xlim=(1e-16, 0.1))
    axes.legend()


def broadcast(panels: list) -> None:
    """A column and a row copied to a table, and the gradients of the table summed to them."""
    table = numpy.arange(1, 7).reshape(2, 3)
    sums = {(0, -1.6): table.sum(0)[None], (-1.6, 0): table.sum(1)[:, None]}
    copied = {(0, -1.6): numpy.array([[1, 2, 3]]), (-1.6, 0): numpy.array([[10], [20]])}
    forward, backward = panels
    _grid(forward, (0, 0), numpy.array([[11, 12, 13], [21, 22, 23]]), "white")
    _grid(backward, (0, 0), table, "white")
    for axes, parts, start, end in ((forward, copied, 0.0, 1.0), (backward, sums, 1.0, 0.0)):
        for place, numbers in parts.items():
            _grid(axes, place, numbers, "#fdf0d5")
        for j in range(3):
            _arrow(axes, (j + 0.5, -0.55), (j + 0.5, -0.05), start, end)
        for i in range(2):
            _arrow(axes, (-0.55, i + 0.5), (-0.05, i + 0.5), start, end)
        axes.set(xlim=(-1.7, 3.1), ylim=(2.1, -1.7), aspect="equal")
        axes.axis("off")
    forward.set_title("forward: copied")
    backward.set_title("backward: summed")


def _grid(axes: pyplot.Axes, place: tuple, numbers: numpy.ndarray, colour: str) -> None:
    for (i, j), number in numpy.ndenumerate(numbers):
        corner = place[0] + j, place[1] + i
        axes.add_patch(pyplot.Rectangle(corner, 1, 1, facecolor=colour, edgecolor=GRAY))
        axes.text(corner[0] + 0.5, corner[1] + 0.5, str(number), ha="center", va="center")


def _arrow(axes: pyplot.Axes, a: tuple, b: tuple, start: float, end: float) -> None:
    a, b = (a, b) if start < end else (b, a)
    axes.annotate("", b, a, arrowprops={"arrowstyle": "->", "color": BLUE})


def training(panels: list) -> None:
    """What page 10 has learned, from random and from equal weights."""
    x = numpy.linspace(-2, 2, 40)[:, None]
    y, rng = numpy.sin(2 * x), numpy.random.default_rng(0)
    random = [rng.normal(size=(1, 8)), numpy.zeros(8), rng.normal(size=(8, 1)), numpy.zeros(1)]
    equal = [numpy.full((1, 8), 0.5), numpy.zeros(8), numpy.full((8, 1), 0.5), numpy.zeros(1)]

    def network(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        return (x @ w1 + b1).tanh() @ w2 + b2

    for axes, start, title in zip(panels, (random, equal), ("from random weights", "from equal weights")):
        axes.plot(x, y, ".", color=GRAY, label="the points")
        weights = [Tensor(w) for w in start]
        for step in range(1001):
            if step in (0, 20, 100, 1000):
                look = {"color": BLUE, "alpha": {0: 0.3, 20: 0.5, 100: 0.75, 1000: 1.0}[step]}
                axes.plot(x, network(*weights).data, label=f"after {step:,} steps", **look)
            loss = ((network(*weights) - y) ** 2).mean()
            for w, g in zip(weights, gradients(loss, weights)):
                w.data = w.data - 0.1 * g
        axes.set(title=title, xlabel="x", ylim=(-2.2, 3))
    panels[1].legend(fontsize=8, loc="upper left")


def influence(panels: list) -> None:
    """How much each output of attention depends on each input, without a mask and with a causal one."""
    rng = numpy.random.default_rng(0)
    x, (query, key, value) = rng.normal(size=(5, 4)), rng.normal(size=(3, 4, 4))

    def attention(x: Tensor, seen: numpy.ndarray) -> Tensor:
        scores = (x @ query) @ (x @ key).T / np.sqrt(x.shape[1])
        return np.softmax(np.where(seen, scores, -numpy.inf), axis=1) @ (x @ value)

    full = numpy.ones((5, 5), bool)
    for axes, seen, title in zip(panels, (full, numpy.tril(full)), ("without a mask", "with a mask")):
        table = abs(jacobian(attention)(x, seen)).max(axis=(1, 3))
        axes.pcolormesh(table, cmap="Blues", vmin=0, vmax=2.5, edgecolor="white")
        for (i, j), number in numpy.ndenumerate(table):
            text = f"{number:.2f}" if number else "0"
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color="white" if number > 1.5 else "black")
        axes.set(title=title, xlabel="input at place", ylabel="output at place", aspect="equal", ylim=(5, 0))
        axes.set_xticks(numpy.arange(5) + 0.5, range(5))
        axes.set_yticks(numpy.arange(5) + 0.5, range(5))


def graph() -> list:
    """Page 2's expression."""
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    return [_named("c", (a * b + 10).tanh() / b)]


def sweep() -> list:
    """Page 3's two sums, with the gradients of a sweep."""
    b = _named("b", (a := Value(1.0, name="a")) + a)
    c = _named("c", b + b)
    c.backward()
    return [c]


def arrays() -> list:
    """A product of a matrix by a vector, of numbers and of arrays."""
    w = [[Value(i + 2.0 * j, name=f"W[{i}, {j}]") for j in range(2)] for i in range(2)]
    x = [Value(0.5, name="x[0]"), Value(-1.0, name="x[1]")]
    numbers = [_named(f"y[{i}]", row[0] * x[0] + row[1] * x[1]) for i, row in enumerate(w)]
    return [*numbers, _named("y", Tensor([[0.0, 2.0], [1.0, 3.0]], name="W") @ Tensor([[0.5], [-1.0]], name="x"))]


def slope() -> list:
    """Page 8's function, and its derivative."""
    x = Value(2.0, name="x")
    y = _named("y", x.sin() * x)
    return [y, _named("slope", gradients(y, [x], create_graph=True)[0])]


def program() -> list:
    """What page 9 records: a function and its gradient."""
    x = Tensor([0.5, 1.0], name="x")
    y = _named("f", (np.sin(x) * np.exp(np.sin(x))).sum())
    return [y, _named("slope", gradients(y, [x], create_graph=True)[0])]


def _named(name: str, node: Value | Tensor) -> Value | Tensor:
    node.name = name
    return node


GRAPHS = (graph, sweep, arrays, slope, program)
FIGURES = {  # how many panels, and inches
    tangents: (3, 9, 2.8),
    tanh: (1, 6, 3.2),
    differences: (1, 6, 3.2),
    broadcast: (2, 7, 2.8),
    training: (2, 9, 3.2),
    influence: (2, 7, 4.0),
}


def main(folder: pathlib.Path) -> None:
    """Draw all of them."""
    for picture in GRAPHS:
        render(*picture(), path=folder / f"{picture.__name__}.svg")
    for picture, (count, *size) in FIGURES.items():
        with rc_context(STYLE):
            figure, panels = pyplot.subplots(1, count, figsize=size, layout="constrained", squeeze=False)
            picture(panels[0])
            figure.savefig(folder / f"{picture.__name__}.svg", metadata={"Date": None})
            pyplot.close(figure)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).parent)
