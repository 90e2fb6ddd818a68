"""One node for the result of a whole function: it hands its gradient on to all that the function used, at once.

`checkpoint` makes such nodes, whose gradients a second run of a function finds, and `jit`, whose gradients are those of
another program.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from .backward import NODE_PULLBACKS
from .grammar import Call, Name, Row
from .meeting import as_array
from .node import Node, Tensor, Value
from .operation import Function, Operation
from .recording import attend, hooks


class Result(Protocol):
    """The number or array of such a node, and how its gradient is handed on."""

    @property
    def data(self) -> Any:
        """The number or array."""

    def gradients(self, g: Any, create_graph: bool) -> list:
        """The gradients of what the node was made of; with `create_graph` they may be nodes, and so may be g."""


def joint(name: str, kind: type[Node], edge: Iterable[Node], result: Result) -> Any:
    """A node of this class (of Values only a Value is made) with a result that was made of these nodes."""
    first, *rest = edge if issubclass(kind, Value) else [x if isinstance(x, Tensor) else as_array(x) for x in edge]
    node: Any = object.__new__(kind)  # as a recorder makes it, which would look at each argument
    node._become_leaf(result.data, "")
    node.operation = _operation(name, 1 + len(rest))
    node.x, node.y = first, (*rest, result) if rest else result
    return attend(node) if hooks else node


@functools.cache
def _operation(name: str, count: int) -> Operation:
    """The operation that makes such a node of this many others."""
    names = [f"x{i}" for i in range(count)]
    value = Call(Function(name, lambda *args: args[-1].data), tuple(map(Name, [*names, "result"])))
    operation = Operation(Row(name, names, ["result"], value, []), f"{name}({', '.join(names)}; result)")
    Value.reading.pull[operation] = _pull_floats
    on_arrays: Callable = functools.partial(_pull, create_graph=False)
    Tensor.reading.pull[operation] = Tensor.reading.bare_pull[operation] = on_arrays
    NODE_PULLBACKS[operation] = functools.partial(_pull, create_graph=True)
    return operation


def _pull_floats(node: Node, g: float, grads: dict) -> None:
    for x, gradient in zip(node.args, node.args[-1].gradients(g, False)):
        grads[x] += gradient


def _pull(node: Node, g: Any, into: Callable, create_graph: bool) -> None:
    for x, gradient in zip(node.args, node.args[-1].gradients(g, create_graph)):
        into(x, as_array(gradient) if isinstance(x, Tensor) else gradient)
