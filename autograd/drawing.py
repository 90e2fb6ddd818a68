"""Pictures of graphs: what a node was made of, from left to right.

Boxes are nodes with their name, number (or shape and dtype) and gradient; the small circle before a box is the
operation that made it; plain text is a constant.
"""

import os
import pathlib
import re
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from .files import write_whole
from .graph import history
from .node import Node

if TYPE_CHECKING:
    import graphviz

SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "pow": "**", "neg": "−", "matmul": "@"}
MOST_NODES = 2000
INSTALL = """Graphviz draws the picture and is not installed. One of these brings it:
  every system    pip install pygraphviz
  Debian, Ubuntu  apt install graphviz
  Fedora          dnf install graphviz
  macOS           brew install graphviz
  Windows         winget install graphviz"""


def draw(*nodes: Node) -> "graphviz.Digraph":
    """The graph that these nodes were made by, as a graphviz.Digraph.

    Raises ValueError for more than 2000 nodes, which nobody could look at, and ImportError without graphviz for Python.
    """
    for node in nodes:
        if not isinstance(node, Node):
            raise TypeError(f"draw() is of Values and Tensors, not {type(node).__name__}")
    found = {node: None for root in nodes for node in reversed(history(root))}
    if len(found) > MOST_NODES:
        raise ValueError(
            f"a graph of {len(found)} nodes is too large to look at (at most {MOST_NODES}): draw a smaller batch"
        )
    graph = _digraph()
    swept = any(node.grad is not None and np.any(node.grad) for node in found)  # or they are as they began
    ids = {node: f"n{i}" for i, node in enumerate(found)}
    for node, identity in ids.items():
        graph.node(identity, _label(node, swept), **({"fillcolor": "#e8f0fa"} if node.operation is None else {}))
        if node.operation is not None:
            _draw_operation(graph, node, ids)
    return graph


def _digraph() -> "graphviz.Digraph":
    try:
        import graphviz
    except ImportError:
        raise ImportError("drawing needs the graphviz package: pip install graphviz") from None
    return graphviz.Digraph(
        graph_attr={"rankdir": "LR", "nodesep": "0.15", "ranksep": "0.3"},
        node_attr={
            "shape": "box",
            "style": "filled,rounded",
            "fillcolor": "white",
            "color": "#8899aa",
            "fontname": "Helvetica",
            "fontsize": "10",
            "margin": "0.08,0.04",
            "height": "0.3",
        },
        edge_attr={"color": "#8899aa", "arrowsize": "0.5"},
    )


def _draw_operation(graph: "graphviz.Digraph", node: Node, ids: dict[Node, str]) -> None:
    circle = f"{ids[node]}op"
    operation = node.operation
    arguments, static = node.args[: len(operation.arguments)], node.args[len(operation.arguments) :]
    text = " ".join(
        [SYMBOLS.get(operation.name, operation.name), *(f"{k}={v}" for k, v in zip(operation.static, static))]
    )
    graph.node(
        circle,
        escaped(text),
        shape="circle" if len(text) == 1 else "box",
        fillcolor="#fdf0d5",
        width="0.3",
        height="0.25",
        margin="0.05,0.02",
    )
    graph.edge(circle, ids[node])
    for i, arg in enumerate(arguments):
        if isinstance(arg, Node):
            graph.edge(ids[arg], circle)
        else:
            graph.node(f"{circle}{i}", escaped(_text(arg)), shape="plaintext", style="", height="0.2")
            graph.edge(f"{circle}{i}", circle)


def _label(node: Node, with_gradient: bool) -> str:
    lines = [node.name] if node.name else []
    lines.append(_text(node.data))
    if with_gradient and node.grad is not None:
        lines.append(f"grad {_range(np.asarray(node.grad))}")
    return escaped("\n".join(lines))


def _text(data: Any) -> str:
    """A number with four digits, or the shape and dtype of an array."""
    return f"{float(data):.4g}" if np.ndim(data) == 0 else f"{np.shape(data)} {np.asarray(data).dtype}"


def _range(array: np.ndarray) -> str:
    if array.size <= 1:
        return _text(array.item()) if array.size else "empty"
    return f"{array.min():.3g} … {array.max():.3g}"


def escaped(text: str) -> str:
    """Text as a DOT label that shows just this text: no escape sequence of Graphviz, no HTML, no control character."""
    text = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    text = re.sub(r"&(?=#?\w+;)", "&\N{WORD JOINER}", text)  # invisible, and no entity of HTML any more
    # the graphviz package passes text in angle brackets on as HTML, and a final space keeps it from doing so
    return text + " " if text.startswith("<") and text.endswith(">") else text


def svg(*nodes: Node) -> str:
    """The picture as SVG text, for a notebook."""
    return _pictured(draw(*nodes), "svg").decode()


def render(*nodes: Node, path: str | os.PathLike[str]) -> pathlib.Path:
    """Write the picture to a file; the suffix of its name (.svg, .png, .pdf) is the format.

    Without Graphviz the graph is written beside it as .gv, and a RuntimeError says what to install.
    """
    path = pathlib.Path(path)
    if not path.suffix:
        raise ValueError(f"render: {path} needs a suffix that says the format, such as .svg or .png")
    graph = draw(*nodes)
    try:
        picture = _pictured(graph, path.suffix[1:])
    except FileNotFoundError:
        source = path.with_suffix(".gv")
        write_whole(source, graph.source.encode())
        raise RuntimeError(f"{INSTALL}\nThe graph is in {source}, which any Graphviz turns into a picture.") from None
    write_whole(path, picture)
    return path


def _pictured(graph: "graphviz.Digraph", form: str) -> bytes:
    """The picture by `dot`, or by the Graphviz that pygraphviz carries; FileNotFoundError without either."""
    if shutil.which("dot"):
        return graph.pipe(form)
    try:
        import pygraphviz
    except ImportError:
        raise FileNotFoundError(INSTALL) from None
    laid_out = pygraphviz.AGraph(string=graph.source)
    try:
        return laid_out.draw(format=form, prog="dot")
    finally:
        laid_out.close()
