"""The sweep once more, with a note of all that each pullback hands on; nobody's `.grad` changes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import gradients
from ..graph import history
from ..node import Node, Tensor, Value
from ..recording import inspection

Handed = list[tuple[Node, Any]]  # to whom, and what


class Adding:
    """Stands for the gradients that pullbacks of Values add to."""

    def __init__(self, add: Callable[[Node, float], Any]):
        self.add = add

    def __getitem__(self, x: Node) -> float:
        return 0.0

    def __setitem__(self, x: Node, g: float) -> None:
        self.add(x, g)


class Noting:
    """Pullbacks by operation, each with a note of what it hands on."""

    def __init__(self, pulls: dict, notes: dict[Node, Handed]):
        self.pulls, self.notes = pulls, notes

    def __getitem__(self, operation: Any) -> Callable:
        def pull(node: Node, g: Any, into: Any) -> None:
            handed = self.notes[node] = []
            of_values = isinstance(into, dict)

            def note(x: Node, given: Any) -> None:
                handed.append((x, given))
                if of_values:
                    into[x] += given
                else:
                    into(x, given)

            self.pulls[operation](node, g, Adding(note) if of_values else note)

        return pull


def swept(output: Node) -> tuple[dict[Node, Any], dict[Node, Handed]]:
    """The gradient of each node below, and what each handed on, in the order of the sweep."""
    nodes, notes, before = history(output), dict[Node, Handed](), inspection.around
    inspection.around = lambda pulls: Noting(pulls, notes)
    try:
        grads = dict(zip(nodes, gradients(output, nodes)))
    finally:
        inspection.around = before
    made = [node for node in nodes if node.operation is not None]
    arrays = [node for node in made if isinstance(node, Tensor)]
    for node in arrays:
        if isinstance(node.x, Value):  # beside arrays: the sweep goes on from these itself
            notes[node] = [(node.x, float(grads[node]))]
    of_values = [node for node in made if isinstance(node, Value)]
    order = sorted(arrays, key=lambda node: isinstance(node.x, Value)) + of_values
    return grads, {node: notes.get(node, []) for node in order}


def slopes(node: Node, one: Any) -> list:
    """What the pullbacks of a node hand on for the gradient 1: its derivatives by its arguments, element by element."""
    found: list = []

    def note(x: Node, given: Any) -> None:
        found.append(given)

    with np.errstate(all="ignore"):  # as in the sweep
        type(node).reading.pull[node.operation](node, one, Adding(note) if isinstance(node, Value) else note)
    return found
