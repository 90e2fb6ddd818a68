"""Pictures of graphs: what nodes were made of, from left to right.

Boxes are numbers and arrays, with their name, number (or shape and dtype) and gradient; the small box before one is
the operation that made it; plain text is a constant. What was asked for has a thicker border, what is NaN or infinite
a heavy one in vermilion.
"""

import html
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import write_whole
from ..graph import history
from ..node import Node
from .calls import Followed
from .dot import FORMATS, INSTALL, PIXELS, SHARP
from .groups import Group, alike, by_module, fitting, merged, single
from .items import Cluster, Clusters, Item, node_items
from .picture import Picture
from .programs import program_items

if TYPE_CHECKING:
    import graphviz

MOST, FEW = 60, 40  # boxes at most; where something is one box for many
GLANCE, NUMBERS = 60, 100_000  # nodes, and numbers in them, of which a notebook makes a picture unasked


def draw(
    *what: Any, depth: int | None = None, arrays: str = "shape", gradients: bool = False, most: int | None = None
) -> "graphviz.Digraph":
    """Draw the graph of nodes, the graph that a function records, or a compiled program, as a graphviz.Digraph.

    - draw(loss): the graph of a Value or Tensor. Of several, what depends on the first one's nodes has its own frame,
      as in draw(y, *gradients(y, [x], create_graph=True)).
    - draw(model, x), or draw(f, x, y) of any function: calls it with nodes in place of floats and arrays of floats.
      Modules are frames, named by their path as parameters are; with `depth` they are boxes at that depth.
    - draw(jit(f)): the program of the last call. draw(jit(f), x): the program of this call, beside the recorded graph.
      For a TrainStep, frames show each module's forward and backward pass and each parameter's update.

    `arrays` says what is shown of arrays: their "shape", a "summary" or a "heatmap". With `gradients`, an edge is as
    wide as the gradient that backward() sent through it, and dashed where that was 0. If there would be more than
    `most` boxes (60, or 40 of modules), parts that are alike, and modules, are drawn as one box, and the caption says
    so. Raises TypeError for what cannot be drawn, ValueError for other settings, ImportError without the Python package
    graphviz.
    """
    for name, x, least in (("depth", depth, 0), ("most", most, 1)):
        if x is not None and (not isinstance(x, int) or x < least):
            raise ValueError(f"draw: {name} is a whole number, {least} or more, not {x!r}")
    items = _items(what, gradients)
    if gradients and not any(item.swept() for item in items if item.operation is not None):
        raise ValueError("draw: no gradients went through what is drawn, of which call backward() first")
    groups, caption = _grouped(items, depth, most)
    return Picture(groups, caption, arrays).graph


def _grouped(items: list[Item], depth: int | None, most: int | None) -> tuple[list[Group], str]:
    """What becomes a box each, not more than `most`, and what there is to say about that."""
    few, has_modules = most or FEW, any(len(item.where) > 1 for item in items)
    groups = by_module(single(items), depth)
    if len(groups) <= (few if has_modules else most or MOST):
        return groups, ""
    groups, chosen = fitting(alike(single(items)), few, depth, shallowest=1)
    said = [f"modules are boxes, as with depth={chosen}"] if chosen != depth else []
    if len(groups) > few:
        groups, said = merged(groups, {group: group.kind() for group in groups}, are_alike=True), []
    if any(group.times > 1 for group in groups):
        said.append("what is made in the same way is drawn once")
    known = f"{len(items):,} numbers and arrays in {len(groups)} boxes"
    return groups, f"{known}: {', '.join(said)} (most={len(items)} draws all)"


def _items(what: tuple, gradients: bool) -> list[Item]:
    """What there is to draw of all this."""
    first, *args = what or (None,)
    if all(isinstance(x, Node) for x in what) and what:
        return node_items(what, {}, _beside(what), gradients)
    if isinstance(first, Node) or not (callable(first) or hasattr(first, "steps")):
        odd = next(x for x in what or (None,) if not isinstance(x, Node))
        known = "Values and Tensors, of a function and its arguments, or of a program"
        raise TypeError(f"draw() is of {known}, not {odd!r}")
    if hasattr(first, "steps"):
        return program_items(first)
    if not hasattr(type(first), "program"):
        return _called(first, args, gradients)
    if not args:
        return program_items(first.program)
    if not hasattr(first, "function"):
        raise TypeError(f"draw(step) is the program of the last call of {first!r}: give it alone")
    first(*args)
    recorded, before = _called(first.function, args, gradients), Cluster("1. as recorded")
    for item in recorded:
        item.where = (before, *item.where)
    return recorded + program_items(first.program, "2. the program")


def _called(function: Callable, args: Sequence, gradients: bool) -> list[Item]:
    """What a call records."""
    call = Followed(function, args)
    if not call.outputs:
        raise TypeError(f"draw: {function!r} returned no Value or Tensor, though floats and arrays of them were nodes")
    return node_items(call.outputs, call.names, call.frames() or _beside(call.outputs), gradients)


def _beside(roots: Sequence[Node]) -> dict[Node, Clusters]:
    """Frames around what the first of these was made of, and what the others made of that; none where they did not."""
    first, known = ({x for x in history(*some) if x.operation is not None} for some in (roots[:1], roots))
    if not any(isinstance(x, Node) and x in first for node in known - first for x in node.args):
        return {}
    names = [", ".join(filter(None, (root.name for root in some))) for some in (roots[:1], roots[1:])]
    one, other = Cluster(names[0] or "the first"), Cluster(names[1] or "the others")
    return {node: (one if node in first else other,) for node in known}


def beside_numbers(node: Any) -> str | None:
    """What a notebook shows of a node: its numbers, and a picture; None, for its repr, if there is none or too much."""
    found, below = [node], {node}
    for made in found:  # which grows on the way
        parts = {x for x in made.args if isinstance(x, Node)} - below
        below |= parts
        found += parts
        if len(found) > GLANCE:
            return None
    if len(found) == 1 or sum(np.size(x.data) for x in found) > NUMBERS:
        return None
    try:
        picture = draw(node).pipe("svg", encoding="utf-8")
    except (OSError, ImportError):  # no Graphviz
        return None
    return f"<pre>{html.escape(repr(node))}</pre>{picture[picture.index('<svg') :]}"


def render(*what: Any, path: str | os.PathLike[str] | None = None, **options: Any) -> pathlib.Path:
    """Write the picture to a file, render(loss, "loss.svg"): of what `draw` takes, with its options.

    The suffix is the format, .svg, .png, .pdf ...; ValueError for another one. Without Graphviz the graph is written
    beside it as .gv, and a RuntimeError says what to install.
    """
    if path is None and what and isinstance(what[-1], (str, os.PathLike)):
        what, path = what[:-1], what[-1]
    if path is None:
        raise TypeError('render: the file is the last argument, render(loss, "loss.svg"), or path=...')
    path = pathlib.Path(path)
    form = path.suffix[1:].lower()
    if form not in FORMATS:
        raise ValueError(f"render: the suffix of {path.name!r} says the format, which is one of {', '.join(FORMATS)}")
    graph = draw(*what, **options)
    if form in PIXELS:
        graph.attr(dpi=SHARP)
    try:
        picture = graph.pipe(form)
    except FileNotFoundError:
        source = path.with_suffix(".gv")
        write_whole(source, graph.source.encode())
        raise RuntimeError(f"{INSTALL}\nThe graph is in {source}, which any Graphviz turns into a picture.") from None
    write_whole(path, picture)
    return path
