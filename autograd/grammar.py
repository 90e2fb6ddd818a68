"""A row of the table becomes a small tree of words, once; whatever is done with a row is a fold over that tree.

    sqrt(x) = sqrt(x) | g * (0.5 / out)        # the pullback is scaled(g, truediv(0.5, out)), as Calls

A tree is the name of an argument (or g, or out), a constant, or a word and the trees that it is applied to. Operators,
methods, attributes and indices are words as well: x / y is truediv(x, y), x.mT is swapaxes(x, -1, -2), x[i] is
getitem(x, i). Where a pullback multiplies or divides g, the word is scaled or ratio, which are 0 where g is 0.
"""

import ast
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.Pow: "pow"}
OPERATORS |= {ast.Mod: "mod", ast.FloorDiv: "floordiv"}
GUARDED = {"mul": "scaled", "truediv": "ratio"}
METHODS = {"reshape": "reshape", "transpose": "transpose", "swapaxes": "swapaxes", "astype": "cast"}
STATIC = {"shape": 1, "dtype": 1, "backwards": 1}  # words whose result is no number; how many arguments they take
HEAD = re.compile(r"(\w+)\s*\(([^;)]*)(?:;([^)]*))?\)\s*=(.+)", re.S)


class Name(NamedTuple):
    """An argument of the row, the gradient g or the result out."""

    name: str


class Constant(NamedTuple):
    """A number, None, ..., a slice, or a tuple of them."""

    value: Any


class Call(NamedTuple):
    """A word of the table, by its name, or an operation of the user, and what it is applied to."""

    word: Any
    args: tuple["Tree", ...]


Tree = Name | Constant | Call


class Row(NamedTuple):
    """A row that was read; `static` arguments are never differentiated, and an empty pullback is None."""

    name: str
    arguments: list[str]
    static: list[str]
    value: Tree
    pullbacks: Sequence[Tree | None]


def fold(tree: Tree, name: Callable[[str], Any], constant: Callable[[Any], Any], call: Callable[..., Any]) -> Any:
    """The value of a tree, given those of names and constants, and call(word, [values of its arguments])."""
    if isinstance(tree, Call):
        return call(tree.word, [fold(arg, name, constant, call) for arg in tree.args])
    return name(tree.name) if isinstance(tree, Name) else constant(tree.value)


def parse(row: str, constants: Mapping[str, float]) -> Row:
    """Read a row; ValueError, which quotes it, if it is not in the grammar."""
    name, arguments, static, formula, derivatives = headed(row)
    tree = lambda text, *more: _Reader(name, text, [*arguments, *static, *more], constants, pullback=bool(more)).tree
    pullbacks = [tree(text, "g", "out") if text.strip() else None for text in derivatives]
    return Row(name, arguments, static, tree(formula), pullbacks)


def headed(row: str) -> tuple[str, list[str], list[str], str, list[str]]:
    """A row's name, arguments and static arguments; its formulas as text."""
    head, *rest = row.split("|")
    found = HEAD.fullmatch(head.strip())
    if found is None:
        raise ValueError(f"a row reads 'name(arguments; static) = value | pullback | ...', this one does not: {row!r}")
    name = found[1]
    arguments, static = ([part.strip() for part in part.split(",")] if part else [] for part in (found[2], found[3]))
    names = [*arguments, *static]
    for word in (name, *names):
        if not word.isidentifier() or keyword.iskeyword(word) or word.startswith("_") or word in ("g", "out"):
            raise ValueError(f"{name}: {word!r} cannot be a name in the row {row!r}")
    if len(set(names)) != len(names):
        raise ValueError(f"{name} names an argument twice: {', '.join(names)}")
    if rest and len(rest) != len(arguments):
        raise ValueError(
            f"{name} has {len(arguments)} arguments and {len(rest)} pullbacks: "
            "write one for each, an empty one where there is no derivative"
        )
    return name, arguments, static, found[4], rest


class _Reader:
    """Turns Python's syntax tree of an expression into ours; _BinOp and its like are named after Python's nodes."""

    def __init__(self, row: str, text: str, names: Sequence[str], constants: Mapping[str, float], pullback: bool):
        self.row, self.text, self.names, self.constants, self.pullback = row, text.strip(), names, constants, pullback
        try:
            self.tree = self.read(ast.parse(self.text, mode="eval").body)
        except SyntaxError:
            self.refuse("not an expression")

    def refuse(self, problem: str) -> NoReturn:
        raise ValueError(f"{self.row}: {problem} in {self.text!r}")

    def read(self, node: ast.expr) -> Tree:
        """The tree of a part."""
        reader = getattr(self, f"_{type(node).__name__}", None)
        if reader is None:
            self.refuse(f"{type(node).__name__} has no place")
        return reader(node)

    def _Name(self, node: ast.Name) -> Tree:
        if node.id in self.names:
            return Name(node.id)
        if node.id not in self.constants:
            self.refuse(f"{node.id} is neither an argument nor a word of the table")
        return Constant(self.constants[node.id])

    def _Constant(self, node: ast.Constant) -> Tree:
        if not isinstance(node.value, (int, float)) and node.value not in (None, ...):
            self.refuse(f"{node.value!r} has no place")
        return Constant(node.value)

    def _BinOp(self, node: ast.BinOp) -> Tree:
        word = OPERATORS.get(type(node.op))
        if word is None:
            self.refuse(f"{type(node.op).__name__} has no place")
        left, right = self.read(node.left), self.read(node.right)
        if self.pullback and left == Name("g"):
            word = GUARDED.get(word, word)
        return Call(word, (left, right))

    def _UnaryOp(self, node: ast.UnaryOp) -> Tree:
        inner = self.read(node.operand)
        if isinstance(node.op, ast.UAdd):
            return inner
        if not isinstance(node.op, ast.USub):
            self.refuse(f"{type(node.op).__name__} has no place")
        return Constant(-inner.value) if isinstance(inner, Constant) else Call("neg", (inner,))

    def _Tuple(self, node: ast.Tuple) -> Tree:
        return self._together("tuple", lambda *parts: parts, [self.read(part) for part in node.elts])

    def _Slice(self, node: ast.Slice) -> Tree:
        parts = (node.lower, node.upper, node.step)
        return self._together("slice", slice, [Constant(None) if part is None else self.read(part) for part in parts])

    def _together(self, word: str, make: Callable, parts: list[Tree]) -> Tree:
        """A constant where all parts are constants, else a word."""
        constants = [part.value for part in parts if isinstance(part, Constant)]
        return Constant(make(*constants)) if len(constants) == len(parts) else Call(word, tuple(parts))

    def _Subscript(self, node: ast.Subscript) -> Tree:
        return Call("getitem", (self.read(node.value), self.read(node.slice)))

    def _Attribute(self, node: ast.Attribute) -> Tree:
        x = self.read(node.value)
        if node.attr in ("shape", "dtype"):
            return Call(node.attr, (x,))
        if node.attr == "mT":
            return Call("swapaxes", (x, Constant(-1), Constant(-2)))
        if node.attr != "T":
            self.refuse(f".{node.attr} is none of .shape, .dtype, .T, .mT, .{', .'.join(METHODS)}")
        return Call("transpose", (x, Call("backwards", (Call("shape", (x,)),))))

    def _Call(self, node: ast.Call) -> Tree:
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            self.refuse("an argument by name or with a star has no place")
        args = tuple(map(self.read, node.args))
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            return Call(METHODS[node.func.attr], (self.read(node.func.value), *args))
        if not isinstance(node.func, ast.Name) or node.func.id in self.names:
            self.refuse(f"{ast.unparse(node.func)} is no word")
        return Call(node.func.id, args)


def words_in(tree: Tree | None) -> Iterator[Call]:
    """Every word in a tree, with what it is applied to."""
    if isinstance(tree, Call):
        yield tree
        for arg in tree.args:
            yield from words_in(arg)


def resolved(row: Row, arity: Mapping[str, int], operations: Mapping[str, Any]) -> Row:
    """The row, its words checked: each is a name in the table, or an operation of the user in place of its name."""

    def call(word: str, args: list) -> Tree:
        own = operations.get(word)
        wanted = arity.get(word) if own is None else len(own.names)
        if word not in ("tuple", "slice"):
            if wanted is None:
                raise ValueError(f"{row.name}: {word} is neither an argument nor a word of the table")
            if wanted != len(args):
                raise ValueError(f"{row.name}: {word} takes {wanted} arguments, not {len(args)}")
        return Call(word if own is None else own, tuple(args))

    def check(tree: Tree) -> Tree:
        return fold(tree, Name, Constant, call)

    return row._replace(value=check(row.value), pullbacks=[p and check(p) for p in row.pullbacks])
