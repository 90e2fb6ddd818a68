"""What is drawn, before it is a picture: numbers and arrays as items of one kind, and how each was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import history
from ..node import Node, Tensor, Value
from ..on_arrays import sum_to
from .arrays import largest, odd, text_of, written

SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "scaled": "×", "ratio": "÷", "neg": "−"}
SYMBOLS |= {"pow": "xʸ", "square": "x²", "sqrt": "√x", "exp": "eˣ", "abs": "|x|", "matmul": "@", "affine": "x @ y + b"}
SYMBOLS |= {"sum": "Σ", "greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "equal": "="}
SYMBOLS |= {"not_equal": "≠", "transpose": "xᵀ"}


@dataclass(eq=False, slots=True, repr=False)
class Cluster:
    """A frame around items, such as the call of a module; what follows a colon in its label is of what kind it is."""

    label: str
    size: int = 0  # how many numbers the module's parameters hold
    times: int = 1  # how many that look alike this is

    def __str__(self) -> str:
        size = f", {self.size:,} parameters" if self.size else ""
        return self.label + size + (f", {self.times:,} times" if self.times > 1 else "")


Clusters = tuple[Cluster, ...]
Handed = list[tuple[Node, Any]]  # to whom, and what


@dataclass(eq=False, slots=True, repr=False)
class Item:
    """A number or an array, and how it was made."""

    name: str
    data: Any  # its number or array; of a program, of constants alone
    shape: tuple[int, ...] | None  # None for a number
    dtype: Any
    operation: Any = None  # that made it: a row, or a program's word
    args: Sequence[Any] = ()  # what this was applied to: items, and the texts of constants
    static: str = ""
    grad: Any = None
    flows: Sequence[float | None] = ()  # by `args`: how large a gradient is handed to each, where that is asked
    where: Clusters = ()  # the frames that it stands in
    wanted: bool = False  # whether it is a result
    node: Any = None  # that it is, unless it is of a program

    @property
    def made_of(self) -> list["Item"]:
        """The items among the arguments."""
        return [x for x in self.args if isinstance(x, Item)]

    @property
    def symbol(self) -> str:
        """The operation as mathematics, or its name."""
        name = getattr(self.operation, "name", self.operation)
        return SYMBOLS.get(name, name)

    def form(self) -> str:
        """The shape of an array."""
        return "number" if self.shape is None else str(self.shape)

    def size(self) -> str:
        """A number as text, or the shape and dtype of an array."""
        form = f"{self.form()} {self.dtype}" if self.shape else self.form()
        return form if self.data is None else text_of(self.data)

    def swept(self) -> bool:
        """Whether a gradient has arrived, or at least one that is not 0."""
        return self.grad is not None and largest(self.grad) != 0

    def oddity(self) -> str:
        """What is NaN or infinite about it; nothing if nothing is."""
        data, grad = ("" if x is None else odd(x) for x in (self.data, self.grad))
        return ", ".join(filter(None, [data, grad and f"grad {grad}"]))


def node_items(
    roots: Sequence[Node], names: Mapping[Node, str], frames: Mapping[Node, Clusters], gradients: bool = False
) -> list[Item]:
    """An item for each node that these were made of, in the order of their creation.

    Some have other names there than their own; some stand in frames. With `gradients` each knows what it hands on.
    """
    of: dict[Node, Item] = {}
    for node in reversed(history(*roots)):
        shape, dtype = (node.shape, node.dtype) if isinstance(node, Tensor) else (None, float)
        name, where = names.get(node) or node.name, frames.get(node, ())
        item = of[node] = Item(name, node.data, shape, dtype, node.operation, grad=node.grad, where=where, node=node)
        if node.operation is not None:
            count, args = len(node.operation.arguments), node.args
            item.args = [of[x] if isinstance(x, Node) else text_of(x) for x in args[:count]]
            if len(args) > count:
                item.static = static_text(node.operation.static, args[count:])
            if gradients:
                item.flows = _flows(node, args[:count])
    for node in roots:
        of[node].wanted = True
    return [*of.values()]


def _flows(node: Node, args: Sequence[Any]) -> list[float | None]:
    """The gradient that a node hands on to each argument: a float, of an array its largest size; None for constants."""
    found: dict[Node, Any] = {}
    for x, given in handed_on(node, node.grad) if node.grad is not None else ():
        found[x] = found.get(x, 0.0) + as_added(x, given)
    sizes = {x: g if type(g) is float else largest(g) for x, g in found.items()}
    return [None if node.grad is None or not isinstance(x, Node) else sizes.get(x, 0.0) for x in args]


def static_text(names: Sequence[str], values: Sequence[Any]) -> str:
    """Static arguments as a reader would write them: no None, and nothing that says nothing."""
    shown = []
    for name, x in zip(names, values):
        if name == "index":
            shown.append(f"[{', '.join(map(written, x if isinstance(x, tuple) else (x,)))}]")
        elif isinstance(x, (int, float, str, tuple, np.dtype)):
            shown.append(f"{name}={x[0] if name == 'axis' and isinstance(x, tuple) and len(x) == 1 else x}")
    return ", ".join(shown)


class _Noting:
    """Stands for the gradients that pullbacks of Values add to, and for what those of Tensors hand over to."""

    def __init__(self):
        self.handed: Handed = []

    def __getitem__(self, x: Node) -> float:
        return 0.0

    def __call__(self, x: Node, g: Any) -> None:
        self.handed.append((x, g))

    __setitem__ = __call__


def handed_on(node: Node, g: Any) -> Handed:
    """What a node hands on of its gradient to which of its arguments, before broadcasting is undone."""
    if isinstance(node, Tensor) and isinstance(node.x, Value):  # which becomes an array here
        return [(node.x, float(g))]
    noting = _Noting()
    if isinstance(node, Tensor) or g:  # 0.0 passes nothing on, whatever the derivative
        with np.errstate(all="ignore"):  # as in a sweep
            node.reading.pull[node.operation](node, g, noting)
    return noting.handed


def as_added(x: Node, given: Any) -> Any:
    """What is handed to a node, as the sweep adds it to the node's gradient."""
    if isinstance(x, Value):
        return given
    return np.asarray(given if np.shape(given) == x.data.shape else sum_to(given, x.data.shape), x.data.dtype)
