"""What is drawn, before it is a picture: nodes of a graph and variables of a program, as items of one kind."""

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import history
from ..node import Node, Tensor, Value
from ..on_arrays import sum_to
from ..operation import BUILT_IN
from .arrays import largest, odd, text_of

SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "scaled": "×", "ratio": "÷", "neg": "−"}
SYMBOLS |= {"pow": "xʸ", "square": "x²", "sqrt": "√x", "exp": "eˣ", "abs": "|x|", "matmul": "@", "affine": "x @ y + b"}
SYMBOLS |= {"sum": "Σ", "greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "equal": "="}
SYMBOLS |= {"not_equal": "≠", "transpose": "xᵀ"}
EITHER_WAY = {"add", "mul", "scaled", "maximum", "minimum", "equal", "not_equal", "hypot", "logaddexp"}


@dataclass(eq=False, slots=True)
class Cluster:
    """A frame around items: the call of a module, or what one result was made of."""

    label: str
    size: int = 0  # how many numbers the module's parameters hold


Clusters = tuple[Cluster, ...]


@dataclass(eq=False, slots=True)
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
        return f"{self.form()} {self.dtype if self.shape else ''}" if self.data is None else text_of(self.data)

    def swept(self) -> bool:
        """Whether a gradient has arrived, or at least one that is not 0."""
        return self.grad is not None and largest(self.grad) != 0

    def oddity(self) -> str:
        """What is NaN or infinite about it; nothing if nothing is."""
        data, grad = ("" if x is None else odd(x) for x in (self.data, self.grad))
        return ", ".join(filter(None, [data, grad and f"grad {grad}"]))


def node_items(
    roots: Sequence[Node], names: Mapping[Node, str], frames: Mapping[Node, Clusters], gradients: bool
) -> list[Item]:
    """An item for each node that these were made of, each after what it was made of itself.

    Some have other names there than their own; some stand in frames. With `gradients` each knows what it hands on.
    """
    of: dict[Any, Item] = {}
    for node in reversed(history(*roots)):
        shape, dtype = (node.shape, node.dtype) if isinstance(node, Tensor) else (None, float)
        name, where = names.get(node) or node.name, frames.get(node, ())
        item = of[node] = Item(name, node.data, shape, dtype, node.operation, grad=node.grad, where=where)
        if node.operation is not None:
            count, args = len(node.operation.arguments), node.args
            item.args = [of[x] if isinstance(x, Node) else text_of(x) for x in args[:count]]
            if len(args) > count:
                item.static = static_text(node.operation.static, args[count:])
            if gradients:
                item.flows = handed_on(node)
    for node in roots:
        of[node].wanted = True
    return [*of.values()]


def program_items(program: Any, where: Clusters = ()) -> list[Item]:
    """An item for each input and each step of a program."""
    of: dict[Any, Item] = {}
    for variable in (*program.inputs, *program.steps, *program.outputs):
        if variable in of:
            continue
        shape = None if variable.scalar else variable.shape
        item = of[variable] = Item(variable.name, variable.value, shape, variable.dtype, where=where)
        if variable.word is not None:
            row = BUILT_IN.get(variable.word) if isinstance(variable.word, str) else variable.word
            item.operation, item.static = row, static_text(getattr(row, "static", ()), variable.static)
            item.args = [of[x] if x in of else text_of(x.value) for x in variable.args]
    for variable in program.outputs:
        of[variable].wanted = True
    return [*of.values()]


def handed_on(node: Node) -> list[float | None]:
    """The gradient that a node hands on to each argument: a float, of an array its largest size; None for constants."""
    args, number = node.args[: len(node.operation.arguments)], isinstance(node, Value)
    if node.grad is None or not number and isinstance(args[0], Value):  # which becomes an array here
        return [None if node.grad is None else largest(node.grad) for _ in args]
    found: dict[Any, Any] = collections.defaultdict(float)

    def into(x: Node, g: Any) -> None:
        found[x] = found[x] + sum_to(g, x.data.shape)

    with np.errstate(all="ignore"):
        if not number or node.grad:  # 0 passes nothing on, whatever the derivative
            node.reading.pull[node.operation](node, node.grad, found if number else into)
    return [(found[x] if number else largest(found[x])) if isinstance(x, Node) else None for x in args]


def static_text(names: Sequence[str], values: Sequence[Any]) -> str:
    """Static arguments as a reader would write them: no None, and nothing that says nothing."""
    shown = []
    for name, x in zip(names, values):
        if name == "index":
            shown.append(f"[{', '.join(map(_place, x if isinstance(x, tuple) else (x,)))}]")
        elif isinstance(x, (int, float, str, tuple, np.dtype)):
            shown.append(f"{name}={x[0] if name == 'axis' and isinstance(x, tuple) and len(x) == 1 else x}")
    return ", ".join(shown)


def _place(part: Any) -> str:
    """A part of an index."""
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop, part.step)]
        return ":".join(ends[: 2 + bool(ends[2])])
    return "..." if part is ... else f"array {part.shape}" if isinstance(part, np.ndarray) else str(part)
