"""explain: a page that plays a graph's forward pass and backward sweep."""

import html
import json
import os
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..drawing.calls import Followed
from ..files import write_whole
from ..node import Node
from .story import Story

HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Explanation(os.PathLike):
    """The page that was written; a notebook shows it."""

    path: pathlib.Path
    story: dict[str, Any]  # what it tells

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def page(self) -> str:
        """The whole file: HTML, style and program, with all that is told as JSON."""
        data = json.dumps(self.story, allow_nan=False)
        for letter in "<>&":  # no text in it ends the script, or begins a comment
            data = data.replace(letter, f"\\u{ord(letter):04x}")
        page = (HERE / "page.html").read_text("utf-8")
        for mark, text in {"STYLE": "page.css", "PROGRAM": "page.js"}.items():
            page = page.replace(f"/*{mark}*/", (HERE / text).read_text("utf-8"))
        return page.replace("/*STORY*/", data)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page)}" style="width: 100%; height: 640px; border: 0"></iframe>'


def explain(node: Node | Callable[[], Node], path: str | os.PathLike[str] = "explain.html") -> Explanation:
    """Write a page that plays how a node was computed, and how backward() finds its gradients, step by step.

    Given a function without arguments that makes the node, `explain(lambda: loss(model(x), y))`, the page also says at
    which line each node was made and for which module, and a graph of more than 300 nodes is collapsed by module. A
    Tensor must have one element. Nobody's `.grad` changes.
    """
    if not (isinstance(node, Node) or callable(node)):
        raise TypeError(f"explain() is of a Value, a Tensor or a function that makes one, not {type(node).__name__}")
    explanation = Explanation(pathlib.Path(path), told_of(node if callable(node) else lambda: node))
    write_whole(explanation.path, explanation.page.encode())
    return explanation


def told_of(function: Callable[[], Node]) -> dict[str, Any]:
    """The story of what a function returns."""
    call = Followed(function)
    if not isinstance(call.output, Node):
        kind = type(call.output).__name__
        raise TypeError(f"explain() is of a function that returns a Value or a Tensor, not {kind}")
    return Story(call).told()
