"""All that the page shows of a graph, as plain data: boxes, steps, numbers, and rules as mathematics."""

import linecache
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np

from ..backward import gradients
from ..drawing.calls import Followed
from ..drawing.groups import Group, fitting, merged, single
from ..drawing.items import Cluster, Handed, Item, as_added, handed_on, node_items
from ..grammar import Call, Name
from ..node import Node, Value
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


class Story:
    """What is told of what a call returned."""

    def __init__(self, call: Followed):
        self.output, self.paths, self.lines = call.output, call.names, call.lines
        self.items = {item.node: item for item in node_items([call.output], call.names, call.frames())}
        self.grads = dict(zip(self.items, gradients(call.output, [*self.items])))
        self.handed = self._sweep()
        for i, item in enumerate([item for item in self.items.values() if not item.name], 1):
            item.name = f"v{i}"
        self.groups = _groups([*self.items.values()])
        self.home = home = {item.node: i for i, group in enumerate(self.groups) for item in group.items}
        made_of = [(node, x.node) for node, item in self.items.items() for x in item.made_of]
        used = {self.output, *(x for node, x in made_of if home[x] != home[node])}
        outputs = [[item.node for item in group.items if item.node in used] for group in self.groups]
        self.shown = [some[0] if len(some) == 1 else None for some in outputs]  # the only one that others are made of

    def _sweep(self) -> dict[Node, Handed]:
        """What each node hands on, in the order of the sweep: arrays, what made arrays of Values, Values."""
        made = [node for node in reversed(self.items) if node.operation is not None]
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
            "nodes": len(self.items),
        }

    def _box(self, i: int) -> dict[str, Any]:
        item = self.groups[i].last
        if len(self.groups[i].items) > 1:
            return self._collapsed(i)
        return self._item(item) | (self._operation(item.node) if item.operation is not None else {})

    def _item(self, item: Item) -> dict[str, Any]:
        value, (file, line) = cells(item.data), self.lines.get(item.node, ("", 0))
        cut = ", shown in part" if item.shape and np.size(value) < np.size(item.data) else ""
        return {
            "name": item.name,
            "symbol": self._symbol(item.node).markup,
            "shape": "" if item.shape is None else f"{item.shape} {item.dtype}{cut}",
            "single": item.dtype == np.float32,
            "value": value,
            "line": f"{file}, line {line}\n{linecache.getline(file, line).strip()}" if file else "",
            "module": item.where[-1].label if item.where else "",
        }

    def _operation(self, node: Node) -> dict[str, Any]:
        operation, args = node.operation, node.args[: len(node.operation.arguments)]
        symbols = dict(zip(operation.names, map(self._symbol, node.args)))
        names = tuple(map(Name, operation.names))
        head, whole = Call(operation, names), Call(operation.name, names)  # add(x, y) and x + y
        named = [(self.items[x].name if isinstance(x, Node) else "constant", _data(x)) for x in args]
        told = {
            "operation": operation.name,
            "row": "<mo>=</mo>".join(dict.fromkeys(mathematics(side, {}).markup for side in (head, operation.value))),
            "formula": mathematics(whole, symbols).markup,
            "known": KNOWN.get(operation.name, ""),
            "args": [{"name": name, "value": cells(data)} for name, data in named],
            "handed": self._handed(node, symbols | {"out": self._symbol(node)}),
        }
        if not any(np.ndim(data) for _, data in named):
            numbers = {name: number(_data(x)) for name, x in zip(operation.names, node.args)}
            told["numbers"] = mathematics(whole, numbers).markup
        return told

    def _handed(self, node: Node, symbols: Mapping[str, Formula]) -> list[dict[str, Any]]:
        """Each gradient that was handed on, with the pullback that made it."""
        operation, handed, told = node.operation, self.handed[node], list[dict[str, Any]]()
        pullbacks = [pull for x, pull in zip(node.args, operation.pullbacks) if isinstance(x, Node) and pull]
        slopes: Iterable[Any] = repeat(None)
        if handed and operation in ELEMENTWISE:
            one = 1.0 if isinstance(node, Value) else np.ones_like(node.data)
            slopes = [slope for _, slope in handed_on(node, one)]
        for (x, given), pullback, slope in zip(handed, pullbacks or repeat(None), slopes):
            part = self._added(x, given)
            if pullback is not None:
                part |= {"row": mathematics(pullback, {}).markup, "formula": mathematics(pullback, symbols).markup}
            if slope is not None:
                part |= {"local": mathematics(without_gradient(pullback), symbols).markup, "slope": cells(slope)}
            told.append(part)
        return told

    def _added(self, x: Node, given: Any) -> dict[str, Any]:
        """What arrives at a node, as the sweep adds it there."""
        home, before, shape = self.home[x], np.shape(given), np.shape(x.data)
        told = {"to": home, "name": self.items[x].name, "symbol": self._symbol(x).markup}
        told |= {"added": cells(as_added(x, given)), "inside": self.shown[home] is not x}
        return told | ({"summed": f"{before} → {shape}"} if before != shape else {})

    def _collapsed(self, i: int) -> dict[str, Any]:
        """Several nodes as one, which is shown by the only one of them that others are made of."""
        group, shown = self.groups[i], self.shown[i]
        title = group.call.label.partition(": ")[0] if group.call else ""
        made, leaves = group.made, [x for x in group.items if x.operation is None]
        counts = Counter(x.symbol for x in made).most_common()
        contents = f"{len(made)} operations: " + ", ".join(f"{n} {name}" for name, n in counts)
        given = [one for item in made[::-1] for one in self.handed[item.node] if self.home[one[0]] != i]
        handed = [self._added(*one) for one in given]
        within = [one for one in handed if one["inside"]]
        inside = [(x.name, x.data, self.grads[x.node]) for x in leaves[:MOST_INSIDE]]
        return {
            **self._item(group.last if shown is None else self.items[shown]),
            **({"value": None, "shape": ""} if shown is None else {}),
            "name": title,
            "symbol": letter(title).markup,
            "contents": contents if made else f"{len(leaves)} leaves",
            "leaves": [{"name": name, "value": cells(x), "gradient": cells(g)} for name, x, g in inside],
            "more": max(0, len(leaves) - MOST_INSIDE),
            "handed": [one for one in handed if not one["inside"]] + within[:MOST_INSIDE],
            "more_handed": max(0, len(within) - MOST_INSIDE),
        }

    def _symbol(self, x: Any) -> Formula:
        if not isinstance(x, Node):
            return number(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x)
        name = self.items[x].name
        name = PATH.sub("", name) if x in self.paths else name
        return letter(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")


def _groups(items: list[Item]) -> list[Group]:
    """Boxes for the items: by module, as deep as there are few enough; else parts by the order of creation alone."""
    groups, _ = fitting(single(items), MOST, None, shallowest=0)
    if len(groups) <= MOST:
        return groups
    made, part = [item for item in items if item.operation is not None], dict[Item, int]()
    for i, item in reversed([*enumerate(made)]):  # what is made of nothing is in the part that needs it first
        part |= dict.fromkeys((item, *item.made_of), i * PARTS // len(made))
    groups = single(items)
    groups = merged(groups, {group: part[group.last] for group in groups}, are_alike=False)
    for i, group in enumerate(groups, 1):
        group.call = Cluster(f"part {i} of {len(groups)}")
    return groups


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
