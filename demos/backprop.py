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

from autograd import Value, explain
from autograd.files import write_whole
from autograd.graph import history
from options import complain, described, parsed, tell, write_each

SIGNS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "pow": "**", "neg": "−"}
VALUE, GRADIENT, LINE, LEAF, DIM = "#0b5cad", "#b0470a", "#b5bec8", "#e9f1fb", "#5b6875"
SHARPER = 2  # the pictures are drawn larger than they are shown
CELL = 188, 128  # pixels from box to box


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
    pictures = [picture_of(story, frame).reduce(SHARPER) for frame in frames(story)]
    colors = pictures[-2].quantize(128)  # of the last step backward, which has them all
    pictures = [picture.quantize(palette=colors, dither=0) for picture in pictures]
    content = io.BytesIO()
    durations = [2500, *(900 for _ in pictures[2:]), 4000]
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    write_whole(path, content.getvalue())


def picture_of(story: dict[str, Any], frame: Frame) -> Any:
    """Edges, boxes with value and gradient, and what is done, SHARPER times as large as it is shown."""
    from PIL import Image, ImageDraw

    boxes, phase = story["boxes"], GRADIENT if frame.gradients else VALUE
    across, along = (max(box["at"][i] for box in boxes) + 1 for i in (0, 1))
    picture = Image.new("RGB", (round(across * CELL[0] + 10), round(along * CELL[1] + 40)), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((24, 20), frame.caption, phase, font(26, bold=True))
    for edge in story["edges"]:
        handing = edge["to"] == frame.now and (not frame.gradients or edge["from"] in frame.targets)
        way = [(x + CELL[0] * 0.46, y + CELL[1] * 0.36) for x, y in map(corner, edge["way"])]
        pen.line(way, phase if handing else LINE, 5 if handing else 2, joint="curve")
    for i, box in enumerate(boxes):
        active = i == frame.now or i in frame.targets
        (x, y), (w, h) = corner(box["at"]), (CELL[0] * 0.84, CELL[1] * 0.72)
        fill = "white" if "operation" in box else LEAF
        pen.rounded_rectangle((x, y, x + w, y + h), 12, fill, phase if active else LINE, 5 if i == frame.now else 2)
        sign = SIGNS.get(box["operation"], box["operation"]) if "operation" in box else ""
        pen.text((x + 10, y + 6), box["name"], "black", font(22, bold=True))
        pen.text((x + w - 10, y + 6), sign, DIM, font(22), "ra")
        if i in frame.computed:
            pen.text((x + 10, y + 30), digits(box["value"]), VALUE, font(22))
        if i in frame.gradients:
            pen.text((x + w - 10, y + 57), f"∂ {digits(frame.gradients[i])}", GRADIENT, font(22), "ra")
    return picture


def corner(at: Sequence[float]) -> tuple[float, float]:
    """Where a box in this layer, at this place, begins."""
    return 20 + at[0] * CELL[0], 70 + at[1] * CELL[1]


@functools.cache
def font(size: int, bold: bool = False) -> Any:
    """The letters that matplotlib brings."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}", size)


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
