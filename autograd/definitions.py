"""New operations: a row of text as in the table, or functions where a row cannot say it."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arguments import is_node
from .grammar import Call, Name, Tree, fold, parse
from .node import Tensor, Value, kinds
from .operation import ARITY, OPERATIONS, Function, Operation, read
from .words import CONSTANTS

DEEPEST = 100  # words within one another; Python reads no more than 200 parentheses


def define(row: str, forward: Callable | None = None, pullbacks: Sequence[Callable | None] = ()) -> Operation:
    """A new operation, which works on floats, arrays and nodes, and in every transformation.

    From a row, `define("cube(x) = x ** 3 | g * (3 * x ** 2)")`: the value, then one pullback per argument, which may be
    empty where there is no derivative. `g` is the gradient of the result and `out` the result; `g * d` is 0 where g is.
    Or from a name and functions: `forward(*args)` on floats or arrays, and `pullbacks`, one for each argument,
    `pullback(g, out, *args)`, written with operators and autograd.numpy so that they can be differentiated again.
    Later rows may use the operation as a word; those that did go on with it when its name is defined anew. Raises
    ValueError for a row that does not read, or uses a name that is neither an argument nor a word of the table.
    """
    if not isinstance(row, str):
        raise TypeError(f"define: a row or a name as text, not {row!r} ({type(row).__name__})")
    if not all(f is None or callable(f) for f in pullbacks):
        raise TypeError(f"define: {row}: each pullback is a function, or None where there is no derivative")
    try:
        operation = read(row) if forward is None else _from_functions(row, forward, pullbacks)
        formulas = operation.value, *operation.pullbacks
    except ValueError as error:
        raise ValueError(f"define: {error}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"define: a row that is too deep, of {len(row)} characters") from None
    if any(_depth(tree) > DEEPEST for tree in formulas if tree):
        raise ValueError(f"define: {operation.name} has more than {DEEPEST} words in one another: define parts of it")
    if not operation.pullbacks:
        raise ValueError(f"define: {operation.name} has {len(operation.arguments)} arguments and 0 pullbacks")
    if operation.name in ARITY or operation.name in CONSTANTS:
        raise ValueError(f"define: {operation.name} is in the table already: choose another name")
    OPERATIONS[operation.name] = operation
    return operation


def _depth(tree: Tree) -> int:
    return fold(tree, lambda name: 0, lambda constant: 0, lambda word, args: 1 + max(args, default=0))


def _from_functions(name: str, forward: Callable, pullbacks: Sequence[Callable | None]) -> Operation:
    """The operation that calls these functions."""
    given = [x for x in inspect.signature(forward).parameters.values() if x.kind < x.VAR_POSITIONAL]
    if not given:
        raise ValueError(f"{name}: forward takes its arguments by place, at least one, each with a name")
    arguments = [f"x{i}" for i in range(len(given))]
    bars = " | " * len(pullbacks)
    text = f"{name}({', '.join(arguments)}) = {arguments[0]}{bars}"
    row = parse(text, CONSTANTS)
    named = tuple(map(Name, arguments))
    value = Call(Function(name, _returning(name, forward)), named)
    given_to_pullbacks = Name("g"), Name("out"), *named
    pulls = [
        None if f is None else Call(Function(f"{name}_pullback{i}", _pulling(name, i, f)), given_to_pullbacks)
        for i, f in enumerate(pullbacks)
    ]
    return Operation(row._replace(value=value, pullbacks=pulls), f"{name}({', '.join(arguments)}) by Python functions")


def _returning(name: str, forward: Callable) -> Callable:
    """forward, its result checked and a float where all arguments are."""

    @functools.wraps(forward)
    def value(*args: Any) -> Any:
        out = forward(*args)
        if is_node(out) or np.asarray(out).dtype.kind not in "fiub":
            raise TypeError(f"{name}: forward must return a real number or array, not {type(out).__name__}")
        if np.ndim(out):
            return np.asarray(out)
        return np.asarray(out, float) if any(isinstance(x, (np.ndarray, np.generic)) for x in args) else float(out)

    return value


def _pulling(name: str, i: int, pullback: Callable) -> Callable:
    """A pullback, its result checked: from nodes it must be a node, since a number would lose the second derivative."""

    def pulled(g: Any, out: Any, *args: Any) -> Any:
        of_nodes = not kinds.tracing and any(map(is_node, (g, out, *args)))
        if of_nodes and not is_node(g):  # so that what is made of it alone is seen to be no number
            g = Tensor(g) if isinstance(g, (np.ndarray, np.generic)) else Value(g)
        result = pullback(g, out, *args)
        if result is None:
            raise TypeError(f"{name}: pullback {i} returned None: is a return missing?")
        shape, wanted = (getattr(x, "shape", ()) for x in (result, args[i]))
        if len(shape) < len(wanted) or any(n not in (m, 1) for m, n in zip(shape[::-1], wanted[::-1])):
            raise ValueError(f"{name}: pullback {i} returned the shape {shape} for an argument of shape {wanted}")
        if is_node(result):
            return result
        if of_nodes:
            raise TypeError(
                f"{name}: pullback {i} makes a {type(result).__name__} of nodes, "
                "which would lose the second derivative: "
                "write it with operators and functions of autograd.numpy"
            )
        return np.asarray(result) if isinstance(g, (np.ndarray, np.generic)) else result

    return pulled
