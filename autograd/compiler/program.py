"""A graph as a straight-line program: equal expressions once, unused ones never, constants computed beforehand."""

import copy
import functools
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ..grammar import fold
from ..graph import history
from ..node import Node
from ..operation import BUILT_IN, PLAIN_ARRAYS, PLAIN_FLOATS, Function, Operation
from ..tables import table
from ..users import quiet
from ..words import SHAPES


class Unprintable(Exception):
    """A printer cannot print a program; the message says why."""


NUMBER = np.zeros(())  # has the shape and the dtype of any float
look = attrgetter("__class__", "shape", "dtype")  # of an array


class Variable:
    """A number or array of the program: an input, a constant (`value`), or what a word makes of others."""

    __slots__ = ("word", "args", "static", "shape", "dtype", "scalar", "name", "value")

    def __init__(self, example: Any, word: Any = None, args: tuple = (), static: tuple = (), name: str = ""):
        self.word, self.args, self.static, self.name = word, args, static, name
        self.value: Any = None
        self.scalar = type(example) is float  # of the reading on Python floats
        array = NUMBER if self.scalar else np.asarray(example)
        self.shape, self.dtype = array.shape, array.dtype

    def like(self, other: "Variable") -> bool:
        """Whether it has the other's shape and dtype."""
        return self.shape == other.shape and self.dtype == other.dtype and self.scalar == other.scalar

    def is_constant(self, number: float) -> bool:
        """Whether every element is this number, known beforehand; 0.0 and -0.0 are two."""
        value = self.value
        return value is not None and bool(np.all(value == number) and np.all(np.signbit(value) == np.signbit(number)))

    def again(self, word: str, args: tuple["Variable", ...], static: tuple = ()) -> "Variable":
        """The same numbers, made in another way."""
        new = copy.copy(self)
        new.word, new.args, new.static = word, args, static
        return new

    def __repr__(self) -> str:
        made_by = getattr(self.word, "name", self.word) if self.word else self.name or "constant"
        return f"<{made_by} {self.shape} {self.dtype}>"


class Program:
    """Inputs, the variables computed from them in order, a word each, and outputs."""

    @quiet  # the examples' numbers are nobody's result
    def __init__(self, inputs: Sequence, outputs: Sequence):
        self._known: dict[Hashable, Variable] = {}
        self._examples: dict[Variable, Any] = {}
        of = {node: self._entered(Variable(node.example, name=node.name), node.example) for node in inputs}
        nodes: list[Any] = history(*outputs)
        for node in reversed(nodes):
            if node not in of:
                of[node] = self._constant(node.example) if node.operation is None else self._made(node, of)
        self.inputs = [of[node] for node in inputs]
        self.outputs = [of[node] for node in outputs]
        self.steps = _needed(self.outputs)
        self.memory: int | None = None  # bytes that its variables are kept in, since dead ones make room
        del self._known, self._examples

    def _entered(self, variable: Variable, example: Any) -> Variable:
        self._examples[variable] = example
        return variable

    def _constant(self, value: Any) -> Variable:
        """The variable for something that is known beforehand."""
        key = "constant", type(value), _key(np.asarray(value))
        if key not in self._known:
            found = self._known[key] = self._entered(Variable(value), value)
            found.value = value.copy() if isinstance(value, np.ndarray) else value  # its owner may change it later
        return self._known[key]

    def _made(self, node: Any, of: dict[Node, Variable]) -> Variable:
        """The variable for a node, from the words of its row."""
        made = self._row(node.operation, [of[arg] if isinstance(arg, Node) else arg for arg in node.args])
        if node.name and made.word is not None and not made.name:
            made.name = node.name
        return made

    def _row(self, operation: Operation, args: list) -> Variable:
        """What a row makes of variables, constants and static arguments: a fold over its tree of words."""
        count = len(operation.arguments)
        static = copy.deepcopy(args[count:]) if args[count:] else []
        if operation.is_word:
            return self._step(operation.name, args[:count] + static)
        names = dict(zip(operation.names, [*map(self._operand, args[:count]), *static], strict=True))

        def call(word: Any, parts: list) -> Any:
            row = BUILT_IN.get(word) if isinstance(word, str) else word
            if isinstance(row, Operation) and not row.is_word:
                return self._row(row, parts)
            static = ABOUT_SHAPES.get(word) if isinstance(word, str) else None
            return self._step(word, parts) if static is None else static(*parts)

        return self._operand(fold(operation.value, names.get, lambda value: value, call))

    def _operand(self, x: Any) -> Variable:
        return x if isinstance(x, Variable) else self._constant(x)

    def _step(self, word: Any, parts: list) -> Variable:
        """The variable for a word on arguments: what it was made into before, if it is there already."""
        row = BUILT_IN[word] if isinstance(word, str) else None
        count = len(row.arguments) if row else len(parts) - word.static
        args, static = tuple(map(self._operand, parts[:count])), tuple(parts[count:])
        if row and row.static and row.static[0] in ("axis", "axes"):
            static = _from_the_first(static[0], len(args[0].shape)), *static[1:]
        key = word, args, _key(static)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made_by(word, args, static)
        return found

    def _made_by(self, word: Any, args: tuple[Variable, ...], static: tuple) -> Variable:
        """A constant, a simpler variable, or a new one."""
        examples = [self._examples[arg] for arg in args]
        plain = PLAIN_FLOATS if {float, int}.issuperset(map(type, examples)) else PLAIN_ARRAYS
        example = (word.function if isinstance(word, Function) else plain.words[word])(*examples, *static)
        if all([arg.value is not None for arg in args]):
            return self._constant(example)
        made = Variable(example, word, args, static)
        simple = SIMPLER[word](made, self._step) if word in SIMPLER else None
        if simple is None:
            return self._entered(made, example)
        if simple in self._examples:
            return simple
        return self._entered(self._known.setdefault((simple.word, simple.args, _key(simple.static)), simple), example)

    @functools.cached_property
    def of_numbers(self) -> bool:
        """Whether everything is a Python float; to machine code inputs and outputs are one array each then."""
        return all(v.scalar for v in (*self.inputs, *self.steps, *self.outputs))

    def _repr_html_(self) -> str:
        names: dict[Variable, str] = {}
        for variable in (*self.inputs, *self.steps):
            names[variable] = f"{len(names)}: {variable.name}" if variable.name else str(len(names))
        rows = []
        for variable, name in names.items():
            args = [names.get(x) or f"{'array' if x.shape else x.value}" for x in variable.args]
            word = getattr(variable.word, "name", variable.word) or "input"
            rows.append((name, word, ", ".join(args), variable.static or "", variable.shape, variable.dtype))
        return table(repr(self)[1:-1], ("", "word", "of", "static", "shape", "dtype"), rows)

    def __repr__(self) -> str:
        count = sum(math.prod(v.shape) for v in self.steps)
        size = sum(math.prod(v.shape) * v.dtype.itemsize for v in self.steps)
        products = sum(math.prod(v.shape) * v.args[0].shape[-1] for v in self.steps if v.word == "matmul")
        kept = "" if self.memory is None else f" in buffers of {self.memory:,}"
        return (
            f"<program: {len(self.inputs)} inputs, {len(self.steps)} operations on {count:,} numbers "
            f"({size:,} bytes{kept}), {products:,} multiply-adds in matrix products, "
            f"{len(self.outputs)} outputs>"
        )


def _needed(outputs: Iterable[Variable]) -> list[Variable]:
    """The variables that outputs depend on and that must be computed, each after its arguments."""
    order: dict[Variable, None] = {}
    seen: set[Variable] = set()
    stack = [*outputs]
    while stack:
        variable = stack[-1]
        if variable.word is None or variable in order:
            stack.pop()
        elif variable in seen:
            order[stack.pop()] = None
        else:
            seen.add(variable)
            stack += variable.args[::-1]
    return [*order]


def _key(x: Any) -> Hashable:
    """Something hashable that is equal for equal static arguments; 1, True and 1.0 differ, and so do (0,) and [0]."""
    if isinstance(x, (tuple, list)):
        return type(x), *map(_key, x)
    if isinstance(x, slice):
        return slice, *map(_key, (x.start, x.stop, x.step))
    return (x.shape, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else (type(x), x)


def _from_the_first(axes: Any, ndim: int) -> Any:
    """An axis, or several, which may be counted from the last one, as a number from 0 on; None as it is."""
    if isinstance(axes, (tuple, list)):
        return tuple(_from_the_first(axis, ndim) for axis in axes)
    return axes if axes is None else axes % max(ndim, 1)


Step = Callable[[str, list], Variable]  # makes the variable for a word on arguments


def _same(made: Variable, step: Step) -> Variable | None:
    """Its first argument, where the operation changed neither shape nor dtype."""
    return made.args[0] if made.like(made.args[0]) else None


def _neutral(number: float, sides: Sequence[int]) -> Callable:
    """The rule that an argument which is this number leaves the other one as it is."""

    def rule(made: Variable, step: Step) -> Variable | None:
        for side in sides:
            other = made.args[1 - side]
            if made.args[side].is_constant(number) and made.like(other):
                return other
        return None

    return rule


def _twice(made: Variable, step: Step) -> Variable | None:
    """neg(neg(x)), and a swap of the same two axes twice."""
    inner = made.args[0]
    if inner.word == made.word and set(inner.static) == set(made.static):
        return inner.args[0]
    return None


ZERO = Variable(0.0)
ZERO.value = 0.0


def _scaled(made: Variable, step: Step) -> Variable | None:
    """A guarded product with a mask is a selection; one whose first factor is known not to be 0 a plain product."""
    x, y = made.args
    if y.dtype == bool:
        return made.again("where", (y, x, ZERO))
    if x.value is None or not np.all(np.asarray(x.value) != 0):
        return None
    if x.is_constant(1) and made.like(y):
        return y
    return made.again("mul", made.args)


def _root(made: Variable, step: Step) -> Variable | None:
    """x ** 0.5 of an array is its square root, as in NumPy, also where IEEE 754 has another power of -inf and -0.0."""
    x, y = made.args
    return made.again("sqrt", (x,)) if made.shape and not y.shape and y.is_constant(0.5) else None


def _transposed(made: Variable, step: Step) -> Variable | None:
    """Transposes of transposes are one, or none."""
    inner, (axes,) = made.args[0], made.static
    if inner.word == made.word:
        axes = tuple(inner.static[0][i] for i in axes)
        inner = inner.args[0]
    if axes == tuple(range(len(axes))):
        return inner
    return made.again("transpose", (inner,), (axes,))


def _reshaped(made: Variable, step: Step) -> Variable | None:
    """A reshape of a reshape is one, or none; but what a transpose makes is copied once, for all shapes."""
    inner = made.args[0]
    if inner.word == made.word and inner.args[0].word not in ("transpose", "swapaxes"):
        inner = inner.args[0]
    return inner if made.like(inner) else made.again("reshape", (inner,), (made.shape,))


def _summed(made: Variable, step: Step) -> Variable | None:
    """The sum of a stack of products of matrices is one product, of the matrices side by side."""
    inner = made.args[0]
    if inner.word != "matmul" or made.shape != inner.shape[-2:]:
        return _same(made, step)
    x, y = inner.args
    if x.shape[:-2] != y.shape[:-2]:
        return None
    last, terms = len(x.shape) - 1, math.prod(y.shape[:-1])
    turned = step("reshape", [step("swapaxes", [x, last - 1, last]), (terms, x.shape[-2])])
    return made.again("matmul", (step("swapaxes", [turned, 0, 1]), step("reshape", [y, (terms, y.shape[-1])])))


SIMPLER: dict[str, Callable[[Variable, Step], Variable | None]] = {
    **dict.fromkeys(("cast", "expand"), _same),
    "sum_to": _summed,
    "add": _neutral(-0.0, (0, 1)),  # 0.0 is not neutral: it makes 0.0 of -0.0
    "sub": _neutral(0.0, (1,)),
    "mul": _neutral(1.0, (0, 1)),
    "truediv": _neutral(1.0, (1,)),
    "neg": _twice,
    "swapaxes": _twice,
    "pow": _root,
    "scaled": _scaled,
    "transpose": _transposed,
    "reshape": _reshaped,
}


def looks(numbers: Sequence) -> list:
    """What a program depends on in numbers and arrays besides the numbers themselves."""
    try:
        return [*map(look, numbers)]
    except AttributeError:
        return [*map(type, numbers)]


ABOUT_SHAPES: dict[str, Callable] = {
    **SHAPES,
    "shape": lambda x: x.shape,
    "dtype": lambda x: x.dtype,
    "tuple": lambda *parts: parts,
    "slice": slice,
}  # words that say something about variables without their numbers
