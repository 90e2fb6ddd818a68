"""All that the page shows of a graph, as plain data: boxes, steps, numbers, and rules as mathematics."""

import linecache
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np

from ..backward import gradients
from ..drawing.calls import Followed
from ..drawing.groups import Group, by_module, fitting, single
from ..drawing.handing import Handed, as_added, handed_on
from ..drawing.items import Cluster, Item, node_items
from ..grammar import Call, Name
from ..graph import history
from ..node import Node, Tensor, Value
from ..operation import ELEMENTWISE
from .formulas import Formula, letter, mathematics, number, without_gradient
from .layout import layered

MOST = 300  # boxes
PARTS = 30  # of a large graph of which no modules are known
ROWS, COLUMNS = 12, 24  # of an array that are shown
LONGEST = 24  # letters of a name in a formula
PATH = re.compile(r".*\.(?=[^\W\d])")  # to a parameter, which is called by the rest in a formula
MOST_INSIDE = 30  # of the leaves in a collapsed box, and of gradients that go into one
KNOWN = {
    "tanh": "the same as 1 − tanh²(x), without losing digits where tanh(x) is near 1",
    "sigmoid": "the same as σ(x) · (1 − σ(x)), without losing digits where σ(x) is near 1",
}
Line = tuple[str, int]  # a file, and a line in it


class Story:
    """What is told of what a call returned, with the lines of the user by `when` a node was made there."""

    def __init__(self, call: Followed, lines: Mapping[int, Line]):
        self.output, self.paths, self.frames, self.lines = call.output, call.names, call.frames(), lines
        self.nodes = history(self.output)[::-1]
        self.grads = dict(zip(self.nodes, gradients(self.output, self.nodes)))
        self.handed = self._sweep()
        items = node_items([self.output], self.paths, self.frames)
        for i, item in enumerate([item for item in items if not item.name], 1):
            item.name = f"v{i}"
        self.groups, self.node = _groups(items), dict(zip(items, self.nodes))
        self.names = {node: item.name for item, node in self.node.items()}
        home = {item: i for i, group in enumerate(self.groups) for item in group.items}
        self.home = {self.node[item]: i for item, i in home.items()}
        used = {items[-1]} | {x for item in items for x in item.made_of if home[x] != home[item]}
        outputs = [[self.node[item] for item in group.items if item in used] for group in self.groups]
        self.shown = [some[0] if len(some) == 1 else None for some in outputs]  # the only one that others are made of

    def _sweep(self) -> dict[Node, Handed]:
        """What each node hands on, in the order of the sweep: arrays, what made arrays of Values, Values."""
        made = [node for node in reversed(self.nodes) if node.operation is not None]
        handed, arrived = dict[Node, Handed](), {self.output}
        for node in sorted(made, key=lambda node: max(2 * isinstance(node, Value), isinstance(node.x, Value))):
            handed[node] = handed_on(node, self.grads[node]) if node in arrived else []
            arrived.update(x for x, _ in handed[node])
        return handed

    def told(self) -> dict[str, Any]:
        """All of it, for JSON."""
        index = {group: i for i, group in enumerate(self.groups)}
        below = [[index[x] for x in group.inputs] for group in self.groups]
        points, ways = layered(below)
        ends = [(j, i) for i, some in enumerate(below) for j in some]
        return {
            "boxes": [{**self._box(i), "at": point} for i, point in enumerate(points)],
            "edges": [{"from": j, "to": i, "way": way} for (j, i), way in zip(ends, ways)],
            "forward": [i for i, group in enumerate(self.groups) if group.made],
            "backward": [*dict.fromkeys(self.home[node] for node in self.handed)],
            "output": self.home[self.output],
            "nodes": len(self.nodes),
        }

    def _box(self, i: int) -> dict[str, Any]:
        if len(self.groups[i].items) > 1:
            return self._collapsed(i)
        node = self.node[self.groups[i].last]
        return self._node(node) | (self._operation(node) if node.operation is not None else {})

    def _node(self, node: Node) -> dict[str, Any]:
        data, value, (file, line) = np.asarray(node.data), cells(node.data), self.lines.get(node.when, ("", 0))
        cut = data.ndim and np.size(value) < data.size
        return {
            "name": self.names[node],
            "symbol": self._symbol(node).markup,
            "shape": f"{data.shape} {data.dtype}{', shown in part' if cut else ''}" if isinstance(node, Tensor) else "",
            "single": data.dtype == np.float32,
            "value": value,
            "line": f"{file}, line {line}\n{linecache.getline(file, line).strip()}" if file else "",
            "module": self.frames[node][-1].label if node in self.frames else "",
        }

    def _operation(self, node: Node) -> dict[str, Any]:
        operation, args = node.operation, node.args[: len(node.operation.arguments)]
        symbols = dict(zip(operation.names, map(self._symbol, node.args)))
        names = tuple(map(Name, operation.names))
        head, whole = Call(operation, names), Call(operation.name, names)  # add(x, y) and x + y
        told = {
            "operation": operation.name,
            "row": f"{mathematics(head, {}).markup}<mo>=</mo>{mathematics(operation.value, {}).markup}",
            "formula": mathematics(whole, symbols).markup,
            "known": KNOWN.get(operation.name, ""),
            "args": [
                {"name": self.names[x] if isinstance(x, Node) else "constant", "value": cells(_data(x))} for x in args
            ],
            "handed": self._handed(node, symbols | {"out": self._symbol(node)}),
        }
        if all(np.ndim(_data(x)) == 0 for x in args):
            numbers = {name: number(_data(x)) for name, x in zip(operation.names, node.args)}
            told["numbers"] = mathematics(whole, numbers).markup
        return told

    def _handed(self, node: Node, symbols: Mapping[str, Formula]) -> list[dict[str, Any]]:
        """Each gradient that was handed on, with the pullback that made it."""
        operation, handed = node.operation, self.handed[node]
        slopes: Iterable[Any] = repeat(None)
        named = zip(operation.arguments, node.args, operation.pullbacks)
        pullbacks = [(name, pullback) for name, x, pullback in named if isinstance(x, Node) and pullback is not None]
        if handed and operation in ELEMENTWISE:
            one = 1.0 if isinstance(node, Value) else np.ones_like(node.data)
            slopes = [slope for _, slope in handed_on(node, one)]
        told = []
        for (x, given), (name, pullback), slope in zip(handed, pullbacks or repeat(("", None)), slopes):
            part = {**self._added(x, given), "argument": name}
            if pullback is not None:
                part |= {"row": mathematics(pullback, {}).markup, "formula": mathematics(pullback, symbols).markup}
            if slope is not None:
                part |= {"local": mathematics(without_gradient(pullback), symbols).markup, "slope": cells(slope)}
            told.append(part)
        return told

    def _added(self, x: Node, given: Any) -> dict[str, Any]:
        """What arrives at a node, as the sweep adds it there."""
        home, before, shape = self.home[x], np.shape(given), np.shape(x.data)
        told = {"to": home, "name": self.names[x], "symbol": self._symbol(x).markup}
        told |= {"added": cells(as_added(x, given)), "inside": self.shown[home] is not x}
        return told | ({"summed": f"{before} → {shape}"} if before != shape else {})

    def _collapsed(self, i: int) -> dict[str, Any]:
        """Several nodes as one, which is shown by the only one of them that others are made of."""
        group, shown = self.groups[i], self.shown[i]
        title = group.call.label.partition(": ")[0] if group.call else ""
        made, leaves = ([self.node[x] for x in group.items if (x.operation is None) == leaf] for leaf in (False, True))
        counts = Counter(node.operation.name for node in made)
        handed = [self._added(*one) for node in made[::-1] for one in self.handed[node] if self.home[one[0]] != i]
        within = [one for one in handed if one["inside"]]
        inside = [(self.names[x], x.data, self.grads[x]) for x in leaves[:MOST_INSIDE]]
        return {
            **self._node(made[-1] if shown is None else shown),
            **({"value": None, "shape": ""} if shown is None else {}),
            "name": title,
            "symbol": letter(title).markup,
            "contents": f"{len(made)} operations: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()),
            "leaves": [{"name": name, "value": cells(x), "gradient": cells(g)} for name, x, g in inside],
            "more": max(0, len(leaves) - MOST_INSIDE),
            "handed": [one for one in handed if not one["inside"]] + within[:MOST_INSIDE],
            "more_handed": max(0, len(within) - MOST_INSIDE),
        }

    def _symbol(self, x: Any) -> Formula:
        if not isinstance(x, Node):
            return number(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x)
        name = PATH.sub("", self.names[x]) if x in self.paths else self.names[x]
        return letter(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")


def _groups(items: list[Item]) -> list[Group]:
    """Boxes for the items: by module, as deep as there are few enough; else parts by the order of creation alone."""
    groups, _ = fitting(single(items), MOST, None, shallowest=0)
    if len(groups) <= MOST:
        return groups
    made = [item for item in items if item.operation is not None]
    size = math.ceil(len(made) / PARTS)
    parts = [Cluster(f"part {i + 1} of {math.ceil(len(made) / size)}") for i in range(PARTS)]
    for i, item in enumerate(made[::-1], 1):  # what is made of nothing is in the part that needs it first
        for one in (item, *item.made_of):
            one.where = (parts[(len(made) - i) // size],)
    return by_module(single(items), 0)


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Node) else x


def cells(data: Any) -> Any:
    """A number, or the rows of an array, as many as are shown; what is not finite, by its name."""
    array = np.asarray(data)
    if array.ndim == 0:
        number = float(array)
        return number if np.isfinite(number) else {np.inf: "Infinity", -np.inf: "-Infinity"}.get(number, "NaN")
    rows = array.reshape(-1, array.shape[-1])[:ROWS] if array.size else array[:0]
    return [[cells(x) for x in row[:COLUMNS]] for row in rows]
