"""New operations: a row of text as in the table, checked word for word, or functions where a row cannot say it."""

import ast
import inspect
import keyword
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import words
from .arguments import is_node
from .operation import ARRAY, ELEMENTWISE, OPERATIONS, PLAIN_ARRAYS, PLAIN_FLOATS, Operation

BUILT_IN = {operation.name for operation in ELEMENTWISE + ARRAY}
ATTRIBUTES = "shape dtype T mT reshape transpose swapaxes astype".split()
# what pullbacks call the gradient and the result, and names that the python printer gives NumPy's functions
RESERVED = "g out subtract multiply divide power negative dot copyto array buffers constants nan inf".split()
GRAMMAR = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Tuple,
    ast.operator,
    ast.USub,
    ast.UAdd,
)


def define(row: str, forward: Callable | None = None, pullbacks: Sequence[Callable | None] = ()) -> Operation:
    """A new operation, which works on floats, arrays and nodes, and in every transformation.

    From a row, `define("cube(x) = x ** 3 | g * (3 * x ** 2)")`: the value, then one pullback per argument, which may be
    empty where there is no derivative. `g` is the gradient of the result and `out` the result; `g * d` is 0 where g is.
    Or from a name and functions: `forward(*args)` on floats or arrays, and `pullbacks`, one for each argument,
    `pullback(g, out, *args)`, written with operators and autograd.numpy so that they can be differentiated again.
    Raises ValueError for a row that does not read, or uses a name that is neither an argument nor a word of the table.
    """
    operation = Operation(row) if forward is None else _from_functions(row, forward, pullbacks)
    _check(operation)
    OPERATIONS[operation.name] = operation
    for plain in (PLAIN_FLOATS, PLAIN_ARRAYS):  # now it is a word that later rows may use
        plain.words[operation.name] = lambda *args, plain=plain: plain.value[operation](*args)
    return operation


def _check(operation: Operation) -> None:
    name, names = operation.name, operation.names
    if name in BUILT_IN or name in words.ARRAYS and name not in OPERATIONS:
        raise ValueError(f"define: {name} is in the table already: choose another name")
    for word in (name, *names):
        if not word.isidentifier() or keyword.iskeyword(word) or word in RESERVED or word.startswith("_"):
            raise ValueError(f"define: {word!r} cannot be a name in a row")
    if len(set(names)) != len(names):
        raise ValueError(f"define: {name} names an argument twice: {', '.join(names)}")
    if len(operation.pullbacks) != len(operation.arguments):
        raise ValueError(
            f"define: {name} has {len(operation.arguments)} arguments and {len(operation.pullbacks)} pullbacks; "
            "write one for each, an empty one where there is no derivative"
        )
    known = {*names, *operation.words}
    for text, meant in [
        (operation.value, known | words.ARRAYS.keys()),
        *((p, known | {"g", "out"} | OPERATIONS.keys() | words.SHAPES.keys()) for p in operation.pullbacks if p),
    ]:
        for problem in _problems(text, meant):
            raise ValueError(f"define: {name}: {problem} in {text!r}")


def _problems(text: str, known: set[str]) -> Iterator[str]:
    """What is in an expression that a row does not have."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        yield "not an expression"
        return
    for node in ast.walk(tree):
        if not isinstance(node, GRAMMAR) or isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
            yield f"{type(node).__name__} has no place"
        elif isinstance(node, ast.Name) and node.id not in known:
            yield f"{node.id} is neither an argument nor a word of the table"
        elif isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
            yield f".{node.attr} is none of .{', .'.join(ATTRIBUTES)}"


def _from_functions(name: str, forward: Callable, pullbacks: Sequence[Callable | None]) -> Operation:
    """The row that calls these functions."""
    given = [
        p
        for p in inspect.signature(forward).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    arguments = ", ".join(f"x{i}" for i in range(len(given)))
    calls = [f"pullback{i}(g, out, {arguments})" if pullback else "" for i, pullback in enumerate(pullbacks)]
    row = " | ".join([f"{name}({arguments}) = forward({arguments})", *calls])
    found = {f"pullback{i}": _pulling(name, i, pullback) for i, pullback in enumerate(pullbacks) if pullback}
    return Operation(row, {"forward": _returning(name, forward), **found})


def _returning(name: str, forward: Callable) -> Callable:
    """forward, its result checked and a float where all arguments are."""

    def value(*args: Any) -> Any:
        out = forward(*args)
        if is_node(out) or np.asarray(out).dtype.kind not in "fiub":
            raise TypeError(f"{name}: forward must return a real number or array, not {type(out).__name__}")
        return (
            np.asarray(out, float)
            if any(isinstance(x, np.ndarray) for x in args) and np.ndim(out) == 0
            else (float(out) if np.ndim(out) == 0 else out)
        )

    return value


def _pulling(name: str, i: int, pullback: Callable) -> Callable:
    """A pullback, its result checked: from nodes it must be a node, since a number would lose the second derivative."""

    def pulled(g: Any, out: Any, *args: Any) -> Any:
        result = pullback(g, out, *args)
        if is_node(result):
            return result
        if any(is_node(x) for x in (g, out, *args)):
            raise TypeError(
                f"{name}: pullback {i} makes a {type(result).__name__} of nodes, "
                "which would lose the second derivative: "
                "write it with operators and functions of autograd.numpy"
            )
        return np.asarray(result) if isinstance(g, (np.ndarray, np.generic)) else result

    return pulled
