"""All that the page shows of a graph, as plain data: boxes, steps, numbers, and rules as mathematics."""

import linecache
import re
from collections import Counter
from typing import Any

import numpy as np

from ..grammar import Call, Name
from ..graph import history
from ..node import Node, Tensor
from ..on_arrays import sum_to
from ..operation import ELEMENTWISE
from .boxes import Box, boxes
from .formulas import Formula, letter, mathematics, number, without_gradient
from .layout import layered
from .places import Places
from .sweeping import Handed, slopes, swept

ROWS, COLUMNS = 12, 24  # of an array that are shown
LONGEST = 24  # letters of a name in a formula
PATH = re.compile(r".*\.(?=[^\W\d])")  # to a parameter, which is called by the rest in a formula
MOST_INSIDE = 30  # of the leaves in a collapsed box, and of gradients that go into one
KNOWN = {
    "tanh": "the same as 1 − tanh²(x), without losing digits where tanh(x) is near 1",
    "sigmoid": "the same as σ(x) · (1 − σ(x)), without losing digits where σ(x) is near 1",
}


class Story:
    """What is told of a graph below a node."""

    def __init__(self, output: Node, places: Places):
        self.nodes, self.places, self.output = history(output)[::-1], places, output
        self.grads, self.handed = swept(output)
        self.boxes = boxes(self.nodes, places)
        self.home = {node: i for i, box in enumerate(self.boxes) for node in box.nodes}
        unnamed = [node for node in self.nodes if not (node.name or node in places.names)]
        self.names = {node: f"v{i}" for i, node in enumerate(unnamed, 1)}
        self.names |= {node: places.names.get(node, node.name) for node in self.nodes if node not in self.names}

    def told(self) -> dict[str, Any]:
        """All of it, for JSON."""
        below = [
            list(dict.fromkeys(j for node in box.nodes for j in self._below(node) if j != i))
            for i, box in enumerate(self.boxes)
        ]
        points, ways = layered(below)
        order = dict.fromkeys(self.home[node] for node in self.handed)
        return {
            "boxes": [{**self._box(box), "at": point} for box, point in zip(self.boxes, points)],
            "edges": [
                {"from": j, "to": i, "way": way}
                for (i, j), way in zip([(i, j) for i, boxes in enumerate(below) for j in boxes], ways)
            ],
            "forward": [i for i, box in enumerate(self.boxes) if box.made],
            "backward": list(order),
            "output": self.home[self.output],
            "nodes": len(self.nodes),
        }

    def _below(self, node: Node) -> list[int]:
        return [self.home[x] for x in node.args if isinstance(x, Node)]

    def _box(self, box: Box) -> dict[str, Any]:
        if len(box.nodes) > 1:
            return self._collapsed(box)
        (node,) = box.nodes
        told = self._node(node)
        return told if node.operation is None else {**told, **self._operation(node)}

    def _node(self, node: Node) -> dict[str, Any]:
        data, value = np.asarray(node.data), cells(node.data)
        cut = data.ndim and np.size(value) < data.size
        return {
            "name": self.names[node],
            "symbol": self._symbol(node).markup,
            "shape": f"{data.shape} {data.dtype}{', shown in part' if cut else ''}" if isinstance(node, Tensor) else "",
            "single": data.dtype == np.float32,
            "value": value,
            "line": self._line(node),
            "module": ".".join(self.places.paths.get(node.when, ())),
        }

    def _operation(self, node: Node) -> dict[str, Any]:
        operation = node.operation
        named = dict(zip(operation.names, map(self._symbol, node.args)))
        names = tuple(map(Name, operation.names))
        head, whole = Call(operation, names), Call(operation.name, names)  # add(x, y) and x + y
        told = {
            "operation": operation.name,
            "row": f"{mathematics(head, {}).markup}<mo>=</mo>{mathematics(operation.value, {}).markup}",
            "formula": mathematics(whole, named).markup,
            "known": KNOWN.get(operation.name, ""),
            "args": [self._argument(x) for x in node.args[: len(operation.arguments)]],
            "handed": self._handed(node, self.handed[node], named),
        }
        if all(np.ndim(x.data if isinstance(x, Node) else x) == 0 for x in node.args[: len(operation.arguments)]):
            told["numbers"] = mathematics(whole, dict(zip(operation.names, map(_number, node.args)))).markup
        return told

    def _argument(self, x: Any) -> dict[str, Any]:
        if isinstance(x, Node):
            return {"box": self.home[x], "name": self.names[x], "value": cells(x.data)}
        return {"name": "constant", "value": cells(x), "shape": str(np.shape(x))}

    def _handed(self, node: Node, handed: Handed, named: dict[str, Formula]) -> list[dict[str, Any]]:
        """Each gradient that was handed on, with the pullback that made it."""
        operation = node.operation
        pulled = [
            (name, pullback)
            for name, x, pullback in zip(operation.arguments, node.args, operation.pullbacks)
            if isinstance(x, Node) and pullback is not None
        ] or [("", None)] * len(handed)
        elementwise = handed and operation in ELEMENTWISE
        local = slopes(node, 1.0 if isinstance(node.data, float) else np.ones_like(node.data)) if elementwise else []
        told = []
        for i, ((x, given), (name, pullback)) in enumerate(zip(handed, pulled)):
            one: dict[str, Any] = {**self._added(x, given), "argument": name}
            if pullback is not None:
                one["row"] = mathematics(pullback, {}).markup
                one["formula"] = mathematics(pullback, {**named, "out": self._symbol(node)}).markup
            if local:
                tree = without_gradient(pullback)
                one["local"] = mathematics(tree, {**named, "out": self._symbol(node)}).markup
                one["slope"] = cells(local[i])
            told.append(one)
        return told

    def _added(self, x: Node, given: Any) -> dict[str, Any]:
        """What arrives at a node, as the sweep adds it there."""
        data, given_shape = np.asarray(x.data), np.shape(given)
        added = np.asarray(sum_to(given, data.shape) if given_shape != data.shape else given, data.dtype)
        told = {"to": self.home[x], "name": self.names[x], "symbol": self._symbol(x).markup, "added": cells(added)}
        if given_shape != data.shape:
            told["summed"] = f"{given_shape} → {data.shape}"
        if self.boxes[self.home[x]].shown is not x:
            told["inside"] = True
        return told

    def _collapsed(self, box: Box) -> dict[str, Any]:
        """Several nodes as one, which is shown by the only one of them that others are made of."""
        here = self.home[box.nodes[0]]
        counts = Counter(node.operation.name for node in box.made)
        leaves = [node for node in box.nodes if node.operation is None]
        told = self._node(box.made[-1] if box.shown is None else box.shown)
        handed = [
            self._added(*one) for node in reversed(box.made) for one in self.handed[node] if self.home[one[0]] != here
        ]
        within = [one for one in handed if "inside" in one]
        return {
            **told,
            **({"value": None, "shape": ""} if box.shown is None else {}),
            "name": box.title,
            "symbol": letter(box.title).markup,
            "contents": f"{len(box.made)} operations: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()),
            "leaves": [
                {"name": self.names[x], "value": cells(x.data), "gradient": cells(self.grads[x])}
                for x in leaves[:MOST_INSIDE]
            ],
            "more": max(0, len(leaves) - MOST_INSIDE),
            "handed": [one for one in handed if "inside" not in one] + within[:MOST_INSIDE],
            "more_handed": max(0, len(within) - MOST_INSIDE),
        }

    def _symbol(self, x: Any) -> Formula:
        if not isinstance(x, Node):
            return number(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x)
        name = self.names[x]
        if x in self.places.names:
            name = PATH.sub("", name)
        return letter(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")

    def _line(self, node: Node) -> str:
        file, line = self.places.lines.get(node.when, ("", 0))
        return f"{file}, line {line}\n{linecache.getline(file, line).strip()}" if file else ""


def _number(x: Any) -> Formula:
    return number(x.data if isinstance(x, Node) else x)


def cells(data: Any) -> Any:
    """A number, or the rows of an array, as many as are shown; what is not finite, by its name."""
    array = np.asarray(data)
    if array.ndim == 0:
        number = float(array)
        return number if np.isfinite(number) else {np.inf: "Infinity", -np.inf: "-Infinity"}.get(number, "NaN")
    rows = array.reshape(-1, array.shape[-1])[:ROWS] if array.size else array[:0]
    return [[cells(x) for x in row[:COLUMNS]] for row in rows]
