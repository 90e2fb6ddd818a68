"""Graphviz: its language for any text, and pictures by whatever of it there is."""

import contextlib
import functools
import re
import shutil
from typing import Any

INSTALL = """Graphviz draws the picture and is not installed. One of these brings it:
  every system    pip install pygraphviz
  Debian, Ubuntu  apt install graphviz
  Fedora          dnf install graphviz
  macOS           brew install graphviz
  Windows         winget install graphviz"""
FORMATS = ("svg", "png", "pdf", "jpg", "jpeg", "gif", "eps", "ps", "dot", "gv")
PIXELS = ("png", "jpg", "jpeg", "gif")
SHARP = "144"  # pixels an inch
GREY = "#6b7785"
FONT = {"fontname": "Helvetica", "fontsize": "10"}
GRAPH = {"rankdir": "LR", "nodesep": "0.15", "ranksep": "0.3", "labeljust": "l", **FONT}
NODES = {"shape": "box", "style": "filled,rounded", "color": GREY, "margin": "0.08,0.04", "height": "0.3", **FONT}
EDGES = {"color": GREY, "arrowsize": "0.5", "fontcolor": GREY, "labeldistance": "1.4", **FONT, "fontsize": "8"}
FRAME = {"style": "rounded,filled", "color": "#b4bec8", "fillcolor": "#f6f7f9", "fontcolor": "#4c5762"}


def escaped(text: str) -> str:
    """Text as a DOT label that shows just this text: no escape sequence of Graphviz, no HTML, no control character."""
    text = printable(text).replace("\\", "\\\\").replace("\n", "\\n")
    text = re.sub(r"&(?=#?\w+;)", "&\N{WORD JOINER}", text)  # invisible, and no entity of HTML any more
    # the graphviz package passes text in angle brackets on as HTML, and a final space keeps it from doing so
    return text + " " if text.startswith("<") and text.endswith(">") else text


def printable(text: str) -> str:
    """Text without control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def digraph(title: str) -> Any:
    """An empty graphviz.Digraph, which draws itself by pygraphviz where there is no dot program.

    Raises ImportError without graphviz for Python.
    """
    return _class()(printable(title), graph_attr=GRAPH, node_attr=NODES, edge_attr=EDGES)


@functools.cache
def _class() -> Any:
    try:
        import graphviz
    except ImportError:
        raise ImportError("drawing needs the graphviz package: pip install graphviz") from None

    class Drawing(graphviz.Digraph):
        """A graphviz.Digraph that needs no dot program."""

        def pipe(self, format: Any = None, *args: Any, encoding: str | None = None, **kwargs: Any) -> Any:
            if shutil.which("dot"):
                return super().pipe(format, *args, encoding=encoding, **kwargs)
            picture = _by_pygraphviz(self.source, format or self.format)
            return picture if encoding is None else picture.decode(encoding)

        def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return super()._repr_mimebundle_(*args, **kwargs)
            except FileNotFoundError:
                return {"text/plain": f"{INSTALL}\n\n{self.source}"}

    return Drawing


def _by_pygraphviz(source: str, form: str) -> bytes:
    """The picture by the Graphviz that pygraphviz carries; FileNotFoundError without."""
    try:
        import pygraphviz
    except ImportError:
        raise FileNotFoundError(INSTALL) from None
    with contextlib.closing(pygraphviz.AGraph(string=source)) as graph:
        return graph.draw(format=form, prog="dot")
