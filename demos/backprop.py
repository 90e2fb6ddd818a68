"""Backpropagation played step by step: micrograd's expression, and a neuron, each as a page and as a moving picture.

    python demos/backprop.py

The page (open it in a browser) shows the rule of each step with its numbers; the picture is what a README can show.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import functools
import io
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Value, explain
from autograd.files import write_whole
from autograd.graph import history
from options import complain, described, parsed, tell, write_each

SIGNS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "pow": "**", "neg": "−"}
VALUE, GRADIENT, LINE = "#0b5cad", "#b0470a", "#c2cad3"


def expression() -> Value:
    """What the README of micrograd differentiates."""
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    c.name, d.name, e.name, f.name, g.name = "cdefg"
    return g


def neuron() -> Value:
    """tanh of a weighted sum of two inputs, with round numbers for gradients."""
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2, b = Value(-3.0, name="w1"), Value(1.0, name="w2"), Value(6.8813735870195432, name="b")
    n = x1 * w1 + x2 * w2 + b
    out = n.tanh()
    n.name, out.name = "n", "out"
    return out


FUNCTIONS = {"expression": expression, "neuron": neuron}


class Frame(NamedTuple):
    """The graph after a step."""

    caption: str
    computed: set[int]  # boxes with a value
    gradients: dict[int, float]  # what has been added up, by box
    now: int | None = None
    targets: Sequence[int] = ()  # where it hands a gradient to


def frames(story: dict[str, Any]) -> Iterator[Frame]:
    """The forward pass, then the sweep."""
    boxes, order, output = story["boxes"], story["backward"], story["output"]
    computed = {i for i in range(len(boxes)) if i not in story["forward"]}
    yield Frame("the leaves are given", set(computed), {})
    for n, i in enumerate(story["forward"], 1):
        computed.add(i)
        yield Frame(
            f"forward, {n} of {len(order)}: {boxes[i]['name']} = {digits(boxes[i]['value'])}", set(computed), {}, i
        )
    gradients = {output: 1.0}
    yield Frame(f"the derivative of {boxes[output]['name']} by itself is 1", computed, dict(gradients), output)
    for n, i in enumerate(order, 1):
        parts = boxes[i]["handed"]
        for part in parts:
            gradients[part["to"]] = gradients.get(part["to"], 0.0) + part["added"]
        said = ", ".join(f"{part['name']}.grad += {digits(part['added'])}" for part in parts)
        targets = [part["to"] for part in parts]
        yield Frame(f"backward, {n} of {len(order)}: {said or 'nothing'}", computed, dict(gradients), i, targets)
    yield Frame("the gradients", computed, gradients)


def draw(path: pathlib.Path, story: dict[str, Any]) -> None:
    """The frames as a GIF."""
    from matplotlib import pyplot
    from PIL import Image

    across, along = (max(box["at"][i] for box in story["boxes"]) + 1 for i in (0, 1))
    figure, axes = pyplot.subplots(figsize=(0.88 * across + 0.4, 0.62 * along + 0.8), dpi=100)
    figure.subplots_adjust(0, 0, 1, 1)
    pictures, durations = [], []
    for frame in frames(story):
        axes.clear()
        axes.set(xlim=(-0.65, across - 0.35), ylim=(along - 0.3, -1.2))
        axes.set_axis_off()
        draw_frame(axes, story, frame)
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        pictures.append(Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE, colors=48))
        durations.append(900 if frame.now is not None else 2500)
    pyplot.close(figure)
    content = io.BytesIO()
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    write_whole(path, content.getvalue())


def draw_frame(axes: Any, story: dict[str, Any], frame: Frame) -> None:
    """Edges, boxes with value and gradient, and what is done."""
    from matplotlib.patches import FancyBboxPatch

    phase = GRADIENT if frame.gradients else VALUE
    axes.text(-0.5, -0.85, frame.caption, color=phase, fontsize=11, fontweight="bold")
    for edge in story["edges"]:
        handing = edge["to"] == frame.now and (not frame.gradients or edge["from"] in frame.targets)
        x, y = zip(*edge["way"])
        axes.plot(x, y, color=phase if handing else LINE, linewidth=2 if handing else 0.8, zorder=2 if handing else 1)
    for i, box in enumerate(story["boxes"]):
        (x, y), name = box["at"], box["name"]
        sign = SIGNS.get(box["operation"], box["operation"]) if "operation" in box else ""
        edge = phase if i == frame.now or i in frame.targets else LINE
        style = {
            "facecolor": "white" if sign else "#e9f1fb",
            "edgecolor": edge,
            "linewidth": 2 if i == frame.now else 1,
        }
        axes.add_patch(
            FancyBboxPatch((x - 0.36, y - 0.3), 0.72, 0.6, "round,pad=0,rounding_size=0.08", zorder=3, **style)
        )
        put = functools.partial(axes.text, fontsize=8, va="center", zorder=4)
        put(x - 0.31, y - 0.17, name, fontweight="bold")
        put(x + 0.31, y - 0.17, sign, ha="right", color="#5b6875")
        if i in frame.computed:
            put(x - 0.31, y + 0.02, digits(box["value"]), color=VALUE)
        if i in frame.gradients:
            put(x + 0.31, y + 0.19, f"∂ {digits(frame.gradients[i])}", ha="right", color=GRADIENT)


def digits(x: float) -> str:
    """A number with four digits."""
    return f"{x:.4g}".replace("-", "−")


def play(path: pathlib.Path) -> None:
    """The picture of the function that a file is named after, and the page beside it."""
    draw(path, explain(FUNCTIONS[path.stem], path.with_suffix(".html")).story)


def main(arguments: Sequence[str] | None = None) -> int:
    """Two pages and two pictures; prints the gradients."""
    options = parsed(described("backprop", "Play backpropagation step by step.", "print nothing"), arguments)
    missing, lines = write_each(options.out, {f"{name}.gif": play for name in FUNCTIONS}), []
    for name, function in FUNCTIONS.items():
        output = function()
        output.backward()
        leaves = sorted((x for x in history(output) if x.operation is None), key=lambda x: x.when)
        lines.append(f"{name:12}{output.data:.4f}   " + "   ".join(f"d/d{x.name} {x.grad:.4f}" for x in leaves))
        lines.append(f"{'':12}{options.out / name}.html and .gif")
    return int(complain(missing, "" if options.quiet else tell("\n".join(lines))))


if __name__ == "__main__":
    stopping.run(main)
