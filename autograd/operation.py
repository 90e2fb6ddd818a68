"""A row of the table becomes an operation: Python functions, generated from its tree of words, one for each reading.

A reading is a way to run rows: on floats or arrays alone (`Plain`), or on nodes of one class (`Reading`). Generated
source is compiled when first used, and kept in linecache, so a traceback shows the rule. In it, names that begin with
two underscores are the engine's, x is an argument of the row, and _x the number of a node x.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

from . import rules, words
from .grammar import STATIC, Call, Constant, Name, Row, Tree, fold, headed, parse, resolved, words_in
from .source import ON_ARRAYS, ON_FLOATS, ON_NODES, compiled, expression, parameters
from .users import REFUSED, at_users_line

OPERATIONS: dict[str, "Operation"] = {}
READINGS: dict[type, "Reading"] = {}  # of each class of nodes


@dataclass(eq=False)
class Function:
    """A Python function that stands as a word in a tree, as those given to `define` do."""

    name: str
    function: Callable
    printable: bool = False  # whether the compiler knows a word of that name
    static: int = 0  # how many of the last arguments are static
    elementwise: bool = False  # whether it broadcasts the others


class Operation:
    """One row of the table; calling it applies it to floats, arrays or nodes, whichever it is given."""

    def __init__(self, row: Any, text: str, read: Callable[[], Row] | None = None):
        self.name, self.arguments, self.static, *_ = row
        self._read: Any = read or (lambda: row)
        self.names = self.arguments + self.static
        self.__name__ = self.__qualname__ = self.name
        formula, *derivatives = (part.strip() for part in text.split("|"))
        shown = [f"\n    d/d{x}: {d}" for x, d in zip(self.arguments, derivatives) if d]
        self.__doc__ = f"{' '.join(formula.split())}{''.join(shown)}"

    def __getattr__(self, name: str) -> Any:  # made when it is asked for, since importing must not take long
        if name in ("value", "pullbacks", "is_word"):
            _, _, _, self.value, self.pullbacks = self._read()
            self.is_word = isinstance(self.value, Call) and self.value.word == self.name  # as in sin(x) = sin(x)
            return getattr(self, name)
        if name != "__signature__":
            raise AttributeError(f"{self!r} has no attribute {name!r}")
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(name, kind) for name in self.names])

    def __call__(self, *args: Any) -> Any:
        found = None
        for arg in args:
            reading = READINGS.get(arg.__class__)
            if reading is not None and reading is not found and (found is None or issubclass(reading.kind, found.kind)):
                found = reading
        if found is not None:
            return found.record[self](*args)
        plain = PLAIN_FLOATS if all(arg.__class__ in (float, int) for arg in args) else PLAIN_ARRAYS
        try:
            return plain.value[self](*args)
        except Exception:  # an error, or a warning: again, so that it names the user's line (users.py)
            return at_users_line(plain.value[self], *args)

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.names)})>"


class Lazy(dict):
    """A dictionary that makes a missing entry when it is asked for."""

    def __init__(self, make: Callable):
        super().__init__()
        self.make = make

    def __missing__(self, key: Any) -> Any:
        self[key] = made = self.make(key)
        return made


class Plain:
    """The reading of values alone, without a graph: an operation on floats, or on arrays."""

    def __init__(self, title: str, words: dict[str, Callable], templates: dict[str, str]):
        self.title, self.words, self.templates = title, words, templates
        self.value = Lazy(self._value)

    def knows(self, operation: Operation) -> bool:
        """Whether all words of an operation have a meaning here."""
        known = {"tuple", *self.words, *self.templates}
        words = [call.word for call in words_in(self.meaning(operation)) if call.word not in known]
        rows = [BUILT_IN[word] if isinstance(word, str) else word for word in words]
        return all(not row.is_word and self.knows(row) for row in rows if isinstance(row, Operation))

    def of(self, word: Any) -> Callable:
        """The function for what is no word here: a row of the table, an operation or a function of the user."""
        word = BUILT_IN[word] if isinstance(word, str) else word
        return self.value[word] if isinstance(word, Operation) else word.function

    def meaning(self, operation: Operation) -> Tree:
        """The tree of a row's value: the word of that name where there is one, which may be faster than the row's."""
        return (
            Call(operation.name, tuple(map(Name, operation.names))) if operation.name in self.words else operation.value
        )

    def _value(self, operation: Operation) -> Callable:
        if self is PLAIN_FLOATS and not self.knows(operation):  # a function of arrays, given numbers
            count = len(operation.arguments)
            return lambda *args: PLAIN_ARRAYS.value[operation](*map(numpy.asarray, args[:count]), *args[count:])
        names, scope = parameters(operation), {**self.words, "__warningregistry__": REFUSED}
        body = expression(self.meaning(operation), names, self.templates, scope, self.of)
        source = f"def {operation.name}({', '.join(names.values())}):\n    return {body}\n"
        return compiled(source, operation.name, self.title, scope)


PLAIN_FLOATS = Plain("floats", words.FLOATS, ON_FLOATS)
PLAIN_ARRAYS = Plain("arrays", words.ARRAYS, ON_ARRAYS)


class Reading:
    """The table read for one class of node: functions that record an operation, and its pullbacks on plain numbers.

    `scope` holds what generated code needs besides words: the class, the counter, `__constant`, which converts an
    argument that is no node, and `__meet`, which takes over if that is impossible. `held` is the attribute with a
    node's number. `__lift` in the scope converts nodes of other classes (in jit). `number` and `array` are the two
    classes that may stand in one operation, as Value and Tensor: this one and its partner.
    """

    def __init__(self, kind: Any, plain: Plain, scope: dict, held: str = "number"):
        self.kind, self.plain, self.held = kind, plain, held
        self.scope = {**scope, "__kind": kind, "__float": float, "__Exception": Exception}
        self.scope["__no_constant"] = NotImplemented
        self.number = self.array = kind
        self.record = Lazy(lambda operation: self._recorder(operation, reflected=False))
        self.reflected = Lazy(lambda operation: self._recorder(operation, reflected=True))
        self.pull = Lazy(functools.partial(self._pull, guarded=plain is PLAIN_ARRAYS))
        self.bare_pull = Lazy(functools.partial(self._pull, guarded=False))
        READINGS[kind] = self

    def _recorder(self, operation: Operation, reflected: bool) -> Callable:
        """The function that applies an operation and makes the node; reflected, as in x.__rsub__(2), it is 2 - x."""
        if not self.plain.knows(operation):  # a function of arrays, given a Value
            return lambda *args: self.scope["__meet"](operation, args)
        names, scope = parameters(operation), {**self.plain.words, **self.scope, "__operation": operation}
        scope["__warningregistry__"] = REFUSED
        numbers = {name: f"_{names[name]}" for name in operation.arguments}
        value = expression(self.plain.meaning(operation), names | numbers, self.plain.templates, scope, self.plain.of)
        given = list(names.values())
        lines = [f"def {operation.name}({', '.join(reversed(given) if reflected else given)}):"]
        for name in operation.arguments:
            lines += self._looked_at(names[name], numbers[name], f"({', '.join(given)},)")
        lines += [
            "    try:",
            f"        __data = {value}",
            "    except __Exception:",
            f"        __data = __again(__operation, ({', '.join(given)},))",
            *self._made(given),
        ]
        return compiled("\n".join(lines) + "\n", operation.name, f"{self.kind.__name__} forward", scope)

    def _looked_at(self, name: str, number: str, given: str) -> list[str]:
        """Lines that take the number out of an argument, or leave the call to `__meet` where it has none."""
        lift = [f"    if {name}.__class__ is not __kind: {name} = __lift({name})"] if "__lift" in self.scope else []
        return [
            *lift,
            f"    if {name}.__class__ is __kind: {number} = {name}.{self.held}",
            f"    elif {name}.__class__ is __float: {number} = {name}",
            "    else:",
            f"        {number} = __constant({name})",
            f"        if {number} is __no_constant: return __meet(__operation, {given})",
            f"        {name} = {number}",
        ]

    def _made(self, given: list[str]) -> list[str]:
        """Lines that make the node; y is the second argument, or a tuple of all after the first, or None."""
        rest = f"({', '.join(given[1:])})" if len(given) > 2 else [*given, "None"][1]
        return [
            "    __node = __new(__kind)",
            f"    __node.{self.held} = __data",
            f"    __node.grad = {self.kind._grad_before}",
            "    __node.name = ''",
            "    __node.operation = __operation",
            f"    __node.x = {given[0]}",
            f"    __node.y = {rest}",
            "    __node.when = __tick()",
            "    if __hooks: return __attend(__node)",
            "    return __node",
        ]

    def _pull(self, operation: Operation, guarded: bool) -> Callable:
        """The function that hands the gradient of a node on to its arguments; g * d is `scaled` only if guarded."""
        floats, names = self.plain is PLAIN_FLOATS, parameters(operation)
        scope = {**self.plain.words, **self.scope, "__operation": operation}

        def number(name: str, is_node: bool) -> str:
            return f"{name}.number" if is_node else f"({name}.number if {name}.__class__ is __kind else {name})"

        def line(name: str, pullback: Tree) -> str:
            numbers = {other: number(names[other], other == name) for other in operation.arguments}
            tree = pullback if guarded else fold(pullback, Name, Constant, _unguarded)
            known = names | numbers | {"out": "__node.number"}
            text = expression(tree, known, self.plain.templates, scope, self.plain.of)
            return f"__into[{names[name]}] += {text}" if floats else f"__into({names[name]}, {text})"

        source = _pull_source(operation, names, line, "{}.__class__ is __kind")
        return compiled(source, operation.name, f"{self.kind.__name__} backward", scope)


def _unguarded(word: Any, args: list[Tree]) -> Tree:
    """A guarded product or quotient of g as a plain one, for sweeps that keep a gradient of 0 in another way."""
    plain = {"scaled": "mul", "ratio": "truediv"}.get(word) if args[:1] == [Name("g")] else None
    return Call(plain or word, tuple(args))


def node_pullback(operation: Operation, scope: dict) -> Callable:
    """The pullbacks of an operation read on nodes, where every word is an operation: what they compute is a graph."""
    names = parameters(operation)
    scope = {**words.SHAPES, **BUILT_IN, **scope, "__isinstance": isinstance}

    def of(word: Any) -> Callable:
        return word if isinstance(word, Operation) else word.function

    def line(name: str, pullback: Tree) -> str:
        return f"__into({names[name]}, {expression(pullback, names | {'out': '__node'}, ON_NODES, scope, of)})"

    source = _pull_source(operation, names, line, "__isinstance({}, __Node)")
    return compiled(source, operation.name, "nodes backward", scope)


def _pull_source(operation: Operation, names: dict[str, str], line: Callable[[str, Tree], str], is_node: str) -> str:
    first, *rest = names.values()
    lines = [f"def {operation.name}_pullback(__node, g, __into):", f"    {first} = __node.x"]
    if rest:
        lines.append(f"    {', '.join(rest)} = __node.y")
    for name, pullback in zip(operation.arguments, operation.pullbacks, strict=False):
        if pullback is not None:
            condition = "" if len(operation.arguments) == 1 else f"if {is_node.format(names[name])}: "
            lines.append(f"    {condition}{line(name, pullback)}")
    return "\n".join([*lines, "    return"]) + "\n"


def read(text: str) -> Operation:
    """The operation of a row, whose words are those of the table and what the user has defined."""
    own = {name: x for name, x in OPERATIONS.items() if name not in words.ARRAYS}
    return Operation(headed(text), text, lambda: resolved(parse(text, words.CONSTANTS), ARITY, own))


def _table(text: str) -> list[Operation]:
    """The operations of a part of the table, whose rows may use words of later ones."""
    return [read(row) for line in text.splitlines() if (row := line.partition("#")[0].strip())]


ARITY = {**STATIC, **{name: len(inspect.signature(f).parameters) for name, f in words.SHAPES.items() if callable(f)}}
_ROWS = rules.ELEMENTWISE_ROWS, rules.INNER_ROWS, rules.ARRAY_ROWS, rules.PLACE_ROWS
_PUBLIC, INNER, ARRAY, PLACE = map(_table, _ROWS)
ELEMENTWISE = _PUBLIC + INNER
BUILT_IN = {operation.name: operation for operation in (*ELEMENTWISE, *ARRAY, *PLACE)}
ARITY.update({name: len(row.names) for name, row in BUILT_IN.items()})
OPERATIONS.update(BUILT_IN)
