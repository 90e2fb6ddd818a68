"""A function is called to be drawn: which module made which node, and by which path each parameter is held.

A module is whatever has a method `parameters`. It is found as the first argument of a function that runs while a node
is made, so nothing is asked of it, and modules of nn, of nn.scalar and of the user are alike.
"""

import inspect
import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

import numpy as np

from ..graph import history
from ..node import Node, Tensor, Value
from ..recording import hooked
from ..tree import flatten, map_tree
from ..users import users_frame
from .items import Cluster, Clusters


class Followed:
    """A call with nodes in place of floats and arrays of them: what it returned, and the paths of parameters.

    What it assigns to attributes of modules, such as running means, is taken back.
    """

    def __init__(self, function: Callable, args: Sequence = ()):
        self.names: dict[Node, str] = {}
        self.lines: dict[Node, tuple[str, int]] = {}  # of the user, where each node was made: a file, and a line in it
        self._made: dict[Node, Clusters] = {}
        self._calls: dict[FrameType, Cluster] = {}  # the frames are held, so that each call has one of its own
        self._paths: dict[int, str] = {}  # of modules, by their ids
        self._before: list[tuple[dict, dict]] = []  # attributes of modules, and what they were
        self._here = sys._getframe()
        given = [_wrapped(x, name) for x, name in zip(args, _names(function, args))]
        if _is_module(function):
            self._enter(function)
        try:
            with hooked(self._look):
                self.output = function(*given)
        finally:
            for attributes, before in self._before:
                attributes.clear()
                attributes.update(before)
            self._calls.clear()
            del self._here  # which holds this
        self.outputs = [x for x in dict.fromkeys(flatten(self.output)) if isinstance(x, Node)]

    def frames(self) -> dict[Node, Clusters]:
        """The calls in which each node was made; a parameter stands where all that use it do."""
        uses = defaultdict[Node, list[Clusters]](list)
        for node in history(*self.outputs):
            for x in node.args:
                if isinstance(x, Node) and x in self.names:
                    uses[x].append(self._made.get(node, ()))
        places, shared = dict[Node, Clusters](), dict[Clusters, Cluster]()
        for x, calls in uses.items():
            common = tuple([call for call, *others in zip(*calls) if others.count(call) == len(others)])
            is_one = {*calls} == {common}
            places[x] = common if is_one else (*common, shared.setdefault(common, Cluster("shared parameters")))
        return {node: where for node, where in (self._made | places).items() if where}

    def _look(self, node: Node) -> None:
        """Note at which line, and in the calls of which modules, a node is being made."""
        user = users_frame()
        self.lines[node] = user.f_code.co_filename, user.f_lineno
        chain: list[tuple[FrameType, Any]] = []  # innermost first
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self._here:
            code = frame.f_code
            owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
            if _is_module(owner):
                if chain and chain[-1][1] is owner:  # one of its methods was called by another one
                    chain.pop()
                chain.append((frame, owner))
            frame = frame.f_back
        self._made[node] = tuple([self._call(frame, owner) for frame, owner in reversed(chain)])

    def _call(self, frame: FrameType, owner: Any) -> Cluster:
        """What stands for a module's call in the picture."""
        if frame not in self._calls:
            if id(owner) not in self._paths:
                self._enter(owner)
            kind = owner.describe() if hasattr(owner, "describe") else type(owner).__name__
            label = ": ".join(filter(None, (self._paths[id(owner)], kind)))
            self._calls[frame] = Cluster(label, sum(np.size(p.data) for p in owner.parameters()))
        return self._calls[frame]

    def _enter(self, module: Any) -> None:
        """Take down the paths of a module that is part of no other one, and of all that it holds."""
        for path, held in _holdings(module):
            if isinstance(held, Node):
                self.names.setdefault(held, path)
            elif id(held) not in self._paths:
                self._paths[id(held)] = path
                self._before.append((vars(held), {**vars(held)}))


def _is_module(x: Any) -> bool:
    return callable(getattr(type(x), "parameters", None)) and hasattr(x, "__dict__")


def _holdings(owner: Any) -> Iterator[tuple[str, Any]]:
    """This module, and the nodes and modules below it, also in lists, tuples and dicts, each with the path to it."""
    seen, stack = set[int](), [("", owner)]
    while stack:
        path, x = stack.pop()
        parts = x if isinstance(x, dict) else dict(enumerate(x)) if isinstance(x, (list, tuple)) else {}
        if isinstance(x, Node):
            yield path, x
        elif _is_module(x) and id(x) not in seen:
            seen.add(id(x))
            yield path, x
            parts = vars(x)
        stack += [(f"{path}.{name}" if path else str(name), part) for name, part in reversed(parts.items())]


def _names(function: Callable, args: Sequence) -> Iterator[str]:
    """Names for arguments: those of the parameters, and x1, x2 ... for more."""
    try:
        known = [*inspect.signature(function).bind(*args).arguments]
    except (TypeError, ValueError):
        known = []
    return itertools.chain(known, (f"x{i}" for i in itertools.count(len(known))))


def _wrapped(tree: Any, name: str) -> Any:
    """An argument with a fresh node in place of each float and each array of floats."""
    numbers = itertools.count()

    def fresh(x: Any) -> Any:
        called = name if x is tree else f"{name}[{next(numbers)}]"
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            return Tensor(x, name=called)
        return Value(x, called) if isinstance(x, float) else x

    return map_tree(fresh, tree)
