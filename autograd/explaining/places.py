"""Where nodes are made: the user's line, and the modules that are at work, under the path of attributes to them."""

import itertools
import sys
from types import FrameType
from typing import Any

from ..node import Node
from ..users import users_frame


class Places:
    """What is known of the nodes that were made while this looked on."""

    def __init__(self):
        self.lines: dict[int, tuple[str, int]] = {}  # of a node, by when it was made: file and line
        self.paths: dict[int, tuple[str, ...]] = {}  # the modules, outermost first
        self.names: dict[Node, str] = {}  # of parameters
        self._above = sys._getframe(1)
        self._attributes: dict[tuple[int, int], str] = {}

    def look_at(self, node: Node) -> None:
        """Note where a fresh node is made, for what it is at work, and which of its arguments are parameters."""
        line = users_frame()
        owners: list[Any] = []  # the innermost first
        self.lines[node.when] = line.f_code.co_filename, line.f_lineno
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self._above:
            owner = frame.f_locals.get("self")
            if callable(getattr(owner, "parameters", None)) and not (owners and owner is owners[-1]):
                owners.append(owner)
            frame = frame.f_back
        if owners:
            parts = [self._attribute(outer, inner) for inner, outer in itertools.pairwise(owners)]
            path = self.paths[node.when] = (type(owners[-1]).__name__, *reversed(parts))
            for arg in node.args:
                if isinstance(arg, Node) and arg.operation is None and (name := self._attribute(owners[0], arg)):
                    self.names.setdefault(arg, ".".join([*path[1:], name]))

    def _attribute(self, owner: Any, part: Any) -> str:
        key = id(owner), id(part)
        if key not in self._attributes:
            self._attributes[key] = _held(owner, part)
        return self._attributes[key]


def _held(owner: Any, part: Any) -> str:
    """The attribute that holds a part, directly or in lists, tuples and dicts: "layers.0"; empty for none."""
    places = [*vars(owner).items()]
    for name, held in places:  # which grows on the way
        if held is part:
            return name
        if isinstance(held, (list, tuple)):
            places += [(f"{name}.{i}", x) for i, x in enumerate(held)]
        elif isinstance(held, dict):
            places += [(f"{name}.{key}", x) for key, x in held.items()]
    return ""
