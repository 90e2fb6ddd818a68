"""What is shown of a graph: a box for each node or, of a large one, for what was made by one module or at one time."""

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

from ..node import Node
from .places import Places

MOST = 300  # boxes
PARTS = 30  # of a large graph of which no modules are known


@dataclass(eq=False)
class Box:
    """A node, or several with the name of what they have in common."""

    nodes: list[Node]  # in the order of their creation
    title: str = ""
    shown: Node | None = None  # the only one that others are made of

    @property
    def made(self) -> list[Node]:
        """Those that were made by operations."""
        return [node for node in self.nodes if node.operation is not None]


def boxes(nodes: list[Node], places: Places) -> list[Box]:
    """Boxes for the nodes, which come in the order of their creation, each after all that it is made of."""
    if len(nodes) <= MOST:
        found = [Box([node]) for node in nodes]
    else:
        found = _collapsed(nodes, places)
    home = {node: box for box in found for node in box.nodes}
    needed = {x: None for node in nodes for x in node.args if isinstance(x, Node) and home[x] is not home[node]}
    needed[nodes[-1]] = None
    for box in found:
        outputs = [node for node in box.nodes if node in needed]
        box.shown = outputs[0] if len(outputs) == 1 else None
    return found


def _collapsed(nodes: list[Node], places: Places) -> list[Box]:
    """By module, as deep as there are few enough boxes; else by the order of creation alone."""
    deepest = max(map(len, places.paths.values()), default=0)
    for depth in range(deepest, 0, -1):
        keys = {node: places.paths.get(node.when, ())[:depth] for node in nodes}
        found = _runs(nodes, {node: key or node for node, key in keys.items()})
        if len(found) <= MOST:
            for box in found:
                box.title = ".".join(keys[box.made[0]][1:] or keys[box.made[0]]) if len(box.nodes) > 1 else ""
            return found
    made = [node for node in nodes if node.operation is not None]
    size = math.ceil(len(made) / PARTS)
    found = _runs(nodes, {node: i // size for i, node in enumerate(made)}, shared=True)
    for i, box in enumerate(found):
        box.title = f"part {i + 1} of {len(found)}"
    return found


def _runs(nodes: list[Node], keys: dict[Node, Hashable], shared: bool = False) -> list[Box]:
    """Boxes of what was made in succession and has the same key, so that a box leads to later ones only.

    What is made of nothing joins the box that needs it; where several do, only if it is to be `shared`.
    """
    made = [node for node in nodes if node.operation is not None]
    found = [Box([*run]) for _, run in itertools.groupby(made, keys.__getitem__)]
    users: dict[Node, dict[Box, None]] = defaultdict(dict)
    for box in found:
        for node in box.made:
            for x in node.args:
                if isinstance(x, Node):
                    users[x][box] = None
    alone = []
    for leaf in [node for node in nodes if node.operation is None]:
        first, *others = users[leaf]
        if len(first.made) > 1 and (shared or not others):
            first.nodes.insert(0, leaf)
        else:
            alone.append(Box([leaf]))
    return sorted(alone + found, key=lambda box: box.nodes[-1].when)
