"""A row of the table becomes an operation: text in, one small Python function per reading out.

Generated source is compiled when it is first used and registered with linecache, so a traceback shows the rule.
"""

import ast
import linecache
import re
from collections.abc import Callable, Iterable

from . import rules, words

OPERATIONS: dict[str, "Operation"] = {}
READINGS: dict[type, "Reading"] = {}  # of each class of nodes


class Operation:
    """One row of the table; calling it applies it to floats, arrays or nodes, whichever it is given.

    `words` are functions that this row alone knows by these names.
    """

    def __init__(self, row: str, words: dict[str, Callable] | None = None):
        self.words = words or {}
        head, *self.pullbacks = (part.strip() for part in row.split("|"))
        match = re.fullmatch(r"(\w+)\s*\(([^;)]*)(?:;([^)]*))?\)\s*=\s*(.+)", head)
        if match is None:
            raise ValueError(
                f"a row reads 'name(arguments; static) = value | pullback | ...', this one does not: {row!r}"
            )
        self.name, arguments, static, self.value = match.groups()
        self.arguments = [name.strip() for name in arguments.split(",")]
        self.static = [name.strip() for name in static.split(",")] if static else []
        if len(self.pullbacks) > len(self.arguments):
            raise ValueError(
                f"{self.name}: {len(self.pullbacks)} pullbacks for the arguments {', '.join(self.arguments)}"
            )

    @property
    def names(self) -> list[str]:
        """Every argument, the static ones last."""
        return self.arguments + self.static

    def __call__(self, *args):
        found = None
        for arg in args:
            reading = READINGS.get(arg.__class__)
            if reading is not None and reading is not found and (found is None or issubclass(reading.kind, found.kind)):
                found = reading
        if found is not None:
            return found.record[self](*args)
        reading = PLAIN_FLOATS if all(arg.__class__ in (float, int) for arg in args) else PLAIN_ARRAYS
        return reading.value[self](*args)

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.names)})>"


class Lazy(dict):
    """A dictionary that makes a missing entry when it is asked for."""

    def __init__(self, make: Callable):
        super().__init__()
        self.make = make

    def __missing__(self, key):
        self[key] = made = self.make(key)
        return made


class Plain:
    """The reading of values alone, without a graph: an operation on floats, or on arrays."""

    def __init__(self, title: str, words: dict[str, Callable], ieee: bool):
        self.title, self.words, self.ieee = title, words, ieee
        self.value = Lazy(self._value)

    def text(self, expression: str, names: dict[str, str]) -> str:
        """A row's expression with its arguments replaced by these texts."""
        return rewrite(expression, names, calls=INFIX if self.ieee else {})

    def _value(self, operation: Operation) -> Callable:
        body = self.text(operation.value, {})
        return compiled(
            f"def {operation.name}({', '.join(operation.names)}):\n    return {body}\n",
            operation.name,
            self.title,
            {**self.words, **operation.words},
        )


PLAIN_FLOATS = Plain("floats", words.FLOATS, ieee=True)
PLAIN_ARRAYS = Plain("arrays", words.ARRAYS, ieee=False)
INFIX = {ast.Div: "truediv", ast.Pow: "pow"}  # what raises on Python floats where IEEE 754 has an answer


class Reading:
    """The table read for one class of node: functions that record an operation, and its pullbacks on plain numbers.

    `scope` holds what generated code needs besides the row's own words: the class, the counter, how to convert a
    constant. All of it, and every local of generated code, begins with an underscore, which no name in a row does.
    `held` is the attribute that holds a node's number. With a function `_lift` in the scope, nodes of other classes go
    through it first.
    """

    def __init__(self, kind: type, plain: Plain, scope: dict, held: str = "data"):
        self.kind, self.plain, self.held = kind, plain, held
        self.scope = {**scope, "_kind": kind, "_float": float, "_Exception": Exception}
        self.record = Lazy(lambda operation: self._recorder(operation, operation.names))
        self.reflected = Lazy(lambda operation: self._recorder(operation, operation.names[::-1]))
        self.pull = Lazy(self._pull)
        READINGS[kind] = self

    def _recorder(self, operation: Operation, parameters: list[str]) -> Callable:
        """The function of these parameters that applies an operation and remembers how."""
        names = operation.names
        lines = [f"def {operation.name}({', '.join(parameters)}):"]
        for name in operation.arguments:
            if "_lift" in self.scope:
                lines.append(f"    if {name}.__class__ is not _kind: {name} = _lift({name})")
            lines += [
                f"    if {name}.__class__ is _kind: __{name} = {name}.{self.held}",
                f"    elif {name}.__class__ is _float: __{name} = {name}",
                f"    else: {name} = __{name} = _constant({name})",
            ]
        value = self.plain.text(operation.value, {name: f"__{name}" for name in operation.arguments})
        lines += [
            "    try:",
            f"        _data = {value}",
            "    except _Exception as _error:",
            f"        raise _explained(_error, _operation, ({', '.join(names)},)) from None",
        ]
        y = f"({', '.join(names[1:])})" if len(names) > 2 else [*names, "None"][1]
        lines += [
            "    _node = _new(_kind)",
            f"    _node.{self.held} = _data",
            "    _node.grad = None",
            "    _node.name = ''",
            "    _node.operation = _operation",
            f"    _node.x = {names[0]}",
            f"    _node.y = {y}",
            "    _node.when = _tick()",
            "    if _watches: _attend(_node)",
            "    return _node",
        ]
        return compiled(
            "\n".join(lines) + "\n", operation.name, f"{self.kind.__name__} forward", self._scope(operation)
        )

    def _pull(self, operation: Operation) -> Callable:
        floats = self.plain.ieee

        def data(name: str, is_node: bool) -> str:
            return f"{name}.data" if is_node else f"({name}.data if {name}.__class__ is _kind else {name})"

        def line(name: str, pullback: str) -> str:
            names = {other: data(other, other == name) for other in operation.arguments} | {"out": "_node.data"}
            text = rewrite(pullback, names, calls=INFIX if floats else {}, guard=not floats)
            return f"_into[{name}] += {text}" if floats else f"_into({name}, {text})"

        return compiled(
            _pull_source(operation, line, "{}.__class__ is _kind"),
            operation.name,
            f"{self.kind.__name__} backward",
            self._scope(operation),
        )

    def _scope(self, operation: Operation) -> dict:
        return {**self.plain.words, **operation.words, **self.scope, "_operation": operation}


def node_pullback(operation: Operation, scope: dict) -> Callable:
    """The pullbacks of an operation read on nodes, where every word is an operation: what they compute is a graph."""

    def line(name: str, pullback: str) -> str:
        return f"_into({name}, {rewrite(pullback, {'out': '_node'}, calls=INFIX, guard=True)})"

    return compiled(
        _pull_source(operation, line, "_isinstance({}, _Node)"),
        operation.name,
        "nodes backward",
        {**words.SHAPES, **OPERATIONS, **operation.words, **scope, "_isinstance": isinstance},
    )


def _pull_source(operation: Operation, line: Callable[[str, str], str], is_node: str) -> str:
    names = operation.names
    lines = [f"def {operation.name}_pullback(_node, g, _into):"]
    lines.append(f"    {names[0]} = _node.x")
    if len(names) > 1:
        lines.append(f"    {', '.join(names[1:])} = _node.y")
    for name, pullback in zip(operation.arguments, operation.pullbacks):
        if pullback:
            known = len(operation.arguments) == 1
            lines.append(f"    {'' if known else f'if {is_node.format(name)}: '}{line(name, pullback)}")
    return "\n".join(lines + ["    return"]) + "\n"


class _Rewriter(ast.NodeTransformer):
    def __init__(self, names, calls, guard):
        self.names = {name: ast.parse(text, mode="eval").body for name, text in names.items()}
        self.calls, self.guard = calls, guard

    def visit_Name(self, node):
        return self.names.get(node.id, node)

    def visit_BinOp(self, node):
        called = self.calls.get(type(node.op))
        if self.guard and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.Name) and node.left.id == "g":
            called = "scaled"
        self.generic_visit(node)
        return ast.Call(ast.Name(called), [node.left, node.right], []) if called else node


def rewrite(expression: str, names: dict[str, str], calls: dict[type, str], guard: bool = False) -> str:
    """An expression with names replaced, infix operators called by name, and `g * d` guarded against 0 * inf."""
    return ast.unparse(_Rewriter(names, calls, guard).visit(ast.parse(expression, mode="eval")))


def compiled(source: str, name: str, title: str, scope: dict) -> Callable:
    """The one function that this source defines; a traceback through it shows its lines."""
    filename = f"<{name}: {title}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    made: dict = {}
    exec(compile(source, filename, "exec"), scope, made)
    return made.popitem()[1]


def read_table(table: str) -> Iterable[Operation]:
    """The operations of a table, entered by name."""
    for row in table.strip().splitlines():
        operation = Operation(row)
        OPERATIONS[operation.name] = operation
        yield operation


ELEMENTWISE = list(read_table(rules.ELEMENTWISE))
ARRAY = list(read_table(rules.ARRAY))
