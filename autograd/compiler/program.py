"""A graph as a straight-line program: equal expressions once, unused ones never, constants computed beforehand."""

import copy
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from ..backward import history
from ..node import Node
from ..operation import OPERATIONS, PLAIN_ARRAYS, PLAIN_FLOATS, Operation


class Unprintable(Exception):
    """A printer cannot print a program; the message says why."""


class Variable:
    """A number or array of the program: an input, a constant (`value`), or the result of an operation."""

    __slots__ = ("operation", "args", "static", "shape", "dtype", "scalar", "name", "value")

    def __init__(
        self,
        example: Any,
        operation: Operation | None = None,
        args: tuple = (),
        static: tuple = (),
        name: str = "",
        value: Any = None,
    ):
        self.operation, self.args, self.static, self.name, self.value = operation, args, static, name, value
        self.scalar = type(example) is float  # of the reading on Python floats
        self.shape, self.dtype = np.shape(example), np.dtype(float) if self.scalar else np.asarray(example).dtype

    def like(self, other: "Variable") -> bool:
        """Whether it has the other's shape and dtype."""
        return self.shape == other.shape and self.dtype == other.dtype and self.scalar == other.scalar

    def is_constant(self, number: float) -> bool:
        """Whether every element is this number, known beforehand; 0.0 and -0.0 are two."""
        value = self.value
        return value is not None and bool(np.all(value == number) and np.all(np.signbit(value) == np.signbit(number)))

    def __repr__(self) -> str:
        return f"<{self.operation.name if self.operation else self.name or 'constant'} {self.shape} {self.dtype}>"


class Program:
    """Inputs, the variables computed from them in order, and outputs."""

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node]):
        self._known: dict[Hashable, Variable] = {}
        self._existing: set[int] = set()
        of = {node: Variable(node.example, name=node.name) for node in inputs}
        self._existing.update(map(id, of.values()))
        for node in _in_order(outputs):
            if node not in of:
                of[node] = self._constant(node.example) if node.operation is None else self._step(node, of)
        self.inputs = [of[node] for node in inputs]
        self.outputs = [of[node] for node in outputs]
        self.steps = _needed(self.outputs)

    def _constant(self, value: Any) -> Variable:
        value = value.copy() if isinstance(value, np.ndarray) else value  # whoever holds it may change it later
        return self._once(("constant", type(value), _key(np.asarray(value))), Variable(value, value=value))

    def _once(self, key: Hashable, variable: Variable) -> Variable:
        """The variable that is known by this key, or this one from now on."""
        variable = self._known.setdefault(key, variable)
        self._existing.add(id(variable))
        return variable

    def _step(self, node: Node, of: dict[Node, Variable]) -> Variable:
        """The variable for a node: one that is there already, a constant, a simpler one, or a new one."""
        operation, count = node.operation, len(node.operation.arguments)
        args = tuple(of[arg] if isinstance(arg, Node) else self._constant(arg) for arg in node.args[:count])
        static = copy.deepcopy(node.args[count:]) if len(node.args) > count else ()
        if all(arg.value is not None for arg in args):
            return self._constant(node.example)
        made = Variable(node.example, operation, args, static, node.name)
        simple = SIMPLER.get(operation.name, lambda made: None)(made) or made
        if id(simple) in self._existing:
            return simple
        return self._once((simple.operation, tuple(map(id, simple.args)), _key(simple.static), simple.scalar), simple)

    def multiply_adds(self) -> int:
        """How many products of numbers its matrix products take."""
        return sum(
            math.prod(v.shape) * v.args[0].shape[-1] for v in self.steps if v.operation.name in ("matmul", "affine")
        )

    def elements(self) -> int:
        """How many numbers its variables have together."""
        return sum(math.prod(v.shape) for v in self.steps)

    def __repr__(self) -> str:
        size = sum(math.prod(v.shape) * v.dtype.itemsize for v in self.steps)
        return (
            f"<program: {len(self.inputs)} inputs, {len(self.steps)} operations on {self.elements():,} numbers "
            f"({size:,} bytes), {self.multiply_adds():,} multiply-adds in matrix products, {len(self.outputs)} outputs>"
        )


def _in_order(outputs: Sequence[Node]) -> list[Node]:
    """Everything below these nodes, oldest first."""
    kinds = dict.fromkeys(type(node) for node in outputs)
    nodes = [node for kind in kinds for node in history(*(x for x in outputs if type(x) is kind))]
    return sorted(nodes, key=lambda node: node.when)


def _needed(outputs: Iterable[Variable]) -> list[Variable]:
    """The variables that outputs depend on and that must be computed, each after its arguments."""
    order: list[Variable] = []
    seen: set[int] = set()
    stack = [(v, False) for v in outputs]
    while stack:
        variable, done = stack.pop()
        if done:
            order.append(variable)
        elif id(variable) not in seen and variable.operation is not None:
            seen.add(id(variable))
            stack.append((variable, True))
            stack.extend((arg, False) for arg in reversed(variable.args))
    return order


def _key(x: Any) -> Hashable:
    """Something hashable that is equal for equal static arguments; 1, True and 1.0 differ, and so do (0,) and [0]."""
    if isinstance(x, (tuple, list)):
        return type(x), *map(_key, x)
    if isinstance(x, slice):
        return slice, *map(_key, (x.start, x.stop, x.step))
    return (x.shape, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else (type(x), x)


def _same(made: Variable) -> Variable | None:
    """Its first argument, where the operation changed neither shape nor dtype."""
    return made.args[0] if made.like(made.args[0]) else None


def _neutral(number: float, sides: Sequence[int]) -> Callable:
    """The rule that an argument which is this number leaves the other one as it is."""

    def rule(made: Variable) -> Variable | None:
        for side in sides:
            other = made.args[1 - side]
            if made.args[side].is_constant(number) and made.like(other):
                return other
        return None

    return rule


def _twice(made: Variable) -> Variable | None:
    """neg(neg(x)), and a swap of the same two axes twice."""
    inner = made.args[0]
    if inner.operation is made.operation and set(inner.static) == set(made.static):
        return inner.args[0]
    return None


def _scaled(made: Variable) -> Variable | None:
    """A guarded product whose first factor is known not to be 0 is a plain product."""
    x, y = made.args
    if x.value is None or not np.all(np.asarray(x.value) != 0):
        return None
    if x.is_constant(1) and made.like(y):
        return y
    return _again(made, "mul", made.args, ())


def _transposed(made: Variable) -> Variable | None:
    """Transposes of transposes are one, or none."""
    inner, (axes,) = made.args[0], made.static
    if inner.operation is made.operation:
        axes = tuple(inner.static[0][i] for i in axes)
        inner = inner.args[0]
    if axes == tuple(range(len(axes))):
        return inner
    return _again(made, "transpose", (inner,), (axes,))


def _reshaped(made: Variable) -> Variable | None:
    """A reshape of a reshape is one, or none."""
    inner = made.args[0]
    inner = inner.args[0] if inner.operation is made.operation else inner
    return inner if made.like(inner) else _again(made, "reshape", (inner,), (made.shape,))


def _again(made: Variable, name: str, args: tuple, static: tuple) -> Variable:
    new = Variable.__new__(Variable)
    new.operation, new.args, new.static, new.name, new.value = OPERATIONS[name], args, static, made.name, None
    new.shape, new.dtype, new.scalar = made.shape, made.dtype, made.scalar
    return new


SIMPLER: dict[str, Callable[[Variable], Variable | None]] = {
    **dict.fromkeys(("alias", "detached", "cast", "expand", "sum_to"), _same),
    "add": _neutral(-0.0, (0, 1)),  # 0.0 is not neutral: it makes 0.0 of -0.0
    "sub": _neutral(0.0, (1,)),
    "mul": _neutral(1.0, (0, 1)),
    "truediv": _neutral(1.0, (1,)),
    "neg": _twice,
    "swapaxes": _twice,
    "scaled": _scaled,
    "transpose": _transposed,
    "reshape": _reshaped,
}


def reading_of(variable: Variable) -> Any:
    """The reading in which its operation is computed: on Python floats or on arrays."""
    return PLAIN_FLOATS if variable.scalar else PLAIN_ARRAYS
