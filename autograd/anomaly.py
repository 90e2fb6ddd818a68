"""detect_anomaly: where a number first went wrong."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .arguments import users_line
from .backward import inspection
from .node import Node, watched


class AnomalyError(ArithmeticError):
    """A value or a gradient is NaN or infinite, or an array was changed between its use and the backward pass."""


class Inspector:
    """What is known of each node that was made in the meantime: the user's line, and what its arrays held."""

    def __init__(self):
        self.lines: dict[int, str] = {}
        self.sums: dict[int, list[int]] = {}

    def look_at(self, node: Node) -> None:
        """Refuse a fresh node that is not finite; remember where it was made, and of what."""
        if node.operation is None:  # inside no_grad()
            return
        self.lines[node.when], self.sums[node.when] = users_line(), _checksums(node)
        if fault := _fault(node.data):
            raise AnomalyError(self._report(node, f"the value of {node.operation.name} {fault}"))

    def _report(self, node: Node, what: str) -> str:
        names = node.operation.names
        given = ", ".join(f"{name} {_described(arg)}" for name, arg in zip(names, node.args))
        return (
            f"{what}; it was given {given}; recorded at {self.lines.get(node.when, 'a line before detect_anomaly()')}"
        )

    def pullback(self, pull: Callable) -> Callable:
        """A pullback that looks at what it uses and at what it hands on."""

        def inspected(node: Node, g: Any, into: Any) -> None:
            known, now = self.sums.get(node.when), _checksums(node)
            for name, before, after in zip(node.operation.names, known or now, now):
                if before != after:
                    raise AnomalyError(
                        self._report(
                            node, f"the argument {name} of {node.operation.name} was changed after it was used"
                        )
                    )

            def check(x: Node, gradient: Any) -> None:
                if fault := _fault(getattr(gradient, "data", gradient) if isinstance(gradient, Node) else gradient):
                    name = node.operation.names[[arg is x for arg in node.args].index(True)]
                    raise AnomalyError(
                        self._report(node, f"the gradient of {node.operation.name} with respect to {name} {fault}")
                    )

            if isinstance(into, dict):  # of Values: the pullback adds to it
                pull(node, g, into)
                for x in {arg for arg in node.args if isinstance(arg, Node)}:
                    check(x, into[x])
            else:

                def checked(x: Node, gradient: Any) -> None:
                    check(x, gradient)
                    into(x, gradient)

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
        with watched(inspector.look_at):
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
    return [zlib.crc32(np.ascontiguousarray(x)) if isinstance(x, np.ndarray) else 0 for x in held]
