"""detect_anomaly: where a number first went wrong."""

import contextlib
import weakref
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from .node import Node
from .recording import hooked, inspection
from .users import users_line


class AnomalyError(ArithmeticError):
    """A value or a gradient is NaN or infinite, or an array was changed between its use and the backward pass."""


class Inspector:
    """What is known of each node that was made in the meantime: the user's line, and what its arrays held.

    It is known by the node's `when`, until the node is dropped, of which a weak reference tells.
    """

    def __init__(self):
        self.lines: dict[int, str] = {}
        self.sums: dict[int, list[int]] = {}
        self.alive: dict[int, weakref.ref] = {}

    def forget(self, when: int) -> None:
        """A node is no more."""
        for known in (self.lines, self.sums, self.alive):
            known.pop(when, None)

    def look_at(self, node: Node) -> None:
        """Refuse a fresh node that is not finite; remember where it was made, and of what."""
        if node.operation is None:  # inside no_grad()
            return
        when = node.when
        self.lines[when], self.sums[when] = users_line(), _checksums(node)
        self.alive[when] = weakref.ref(node, lambda _: self.forget(when))
        self._check(node.data, node, f"the value of {node.operation.name}")

    def _check(self, data: Any, node: Node, what: str) -> None:
        """Refuse numbers that belong to a node and are not finite."""
        if fault := _fault(data):
            self._refuse(node, f"{what} {fault}")

    def _refuse(self, node: Node, why: str) -> NoReturn:
        given = ", ".join(f"{name} {_described(arg)}" for name, arg in zip(node.operation.names, node.args))
        line = self.lines.get(node.when, "a line before detect_anomaly()")
        raise AnomalyError(f"{why}; it was given {given}; recorded at {line}")

    def pullback(self, pull: Callable) -> Callable:
        """A pullback that looks at what it uses and at what it hands on."""

        def inspected(node: Node, g: Any, into: Any) -> None:
            operation, now = node.operation, _checksums(node)
            for name, before, after in zip(operation.names, self.sums.get(node.when, now), now):
                if before != after:
                    self._refuse(node, f"the argument {name} of {operation.name} was changed after it was used")

            def check(x: Node, gradient: Any) -> None:
                name = next(name for name, arg in zip(operation.names, node.args) if arg is x)
                data = gradient.data if isinstance(gradient, Node) else gradient
                self._check(data, node, f"the gradient of {operation.name} with respect to {name}")

            def checked(x: Node, gradient: Any) -> None:
                check(x, gradient)
                into(x, gradient)

            if isinstance(into, dict):  # of Values: the pullback adds to it
                pull(node, g, into)
                for x in [arg for arg in node.args if isinstance(arg, Node)]:
                    check(x, into[x])
            else:
                pull(node, g, checked)

        return inspected


class Pullbacks:
    """Pullbacks by operation, each inspected."""

    def __init__(self, pulls: dict, inspector: Inspector):
        self.pulls, self.inspector = pulls, inspector

    def __getitem__(self, operation: Any) -> Callable:
        return self.inspector.pullback(self.pulls[operation])


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise AnomalyError where a value or a gradient first is NaN or infinite, with the operation and the user's line.

    Also where an array that an operation had used was changed before the backward pass. A context manager, and a
    decorator, for this thread; it is slow, and does not look into what jit compiled.
    """
    inspector, before = Inspector(), inspection.around
    inspection.around = lambda pulls: Pullbacks(pulls, inspector)
    try:
        with hooked(inspector.look_at):
            yield
    finally:
        inspection.around = before


def _fault(data: Any) -> str:
    """What is wrong with a number or an array, in words; nothing if all is finite."""
    array = np.asarray(data)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return ""
    if array.ndim == 0:
        return f"is {array.item()}"
    return f"has {np.isnan(array).sum()} NaN and {np.isinf(array).sum()} infinite among {array.size} elements"


def _described(arg: Any) -> str:
    data = arg.data if isinstance(arg, Node) else arg
    return f"of shape {data.shape}" if isinstance(data, np.ndarray) and data.ndim else f"= {data}"


def _checksums(node: Node) -> list[int]:
    """A number for what each array among the arguments holds, 0 for what is none."""
    held = [arg.data if isinstance(arg, Node) else arg for arg in node.args]
    return [zlib.crc32(np.ascontiguousarray(x).data) if isinstance(x, np.ndarray) else 0 for x in held]
