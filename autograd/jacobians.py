"""The derivatives of every element of a result by every element of an argument, first and second."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .backward import pullback
from .calling import Argnums, RecordedCall, call_with_nodes, chosen, shape_of
from .directional import weight
from .node import Node, Value
from .numpy import stack
from .recording import records_for_itself
from .transforms import has_node
from .tree import map_tree


def jacobian(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """The derivative of every element of f's result by every element of an argument, as a function.

    An array of shape result.shape + argument.shape; for nested results and arguments the structure of the result, each
    part in the structure of the argument. Costs a sweep for each element of the smaller side.
    """
    return _derivatives(f, chosen(f, argnum, argnums), _by_the_smaller_side)


def jacrev(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """As jacobian, row by row: a sweep for each element of the result."""
    return _derivatives(f, chosen(f, argnum, argnums), _by_rows)


def jacfwd(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """As jacobian, column by column, as jvp computes them: about two sweeps for each element of the argument."""
    return _derivatives(f, chosen(f, argnum, argnums), _by_columns)


def hessian(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """The second derivatives, as a function: the jacobian of the jacobian.

    An array of shape result.shape + argument.shape + argument.shape, so for one number as the result and a vector a
    matrix; nested results and arguments as in jacobian.
    """
    positions = chosen(f, argnum, argnums)
    return jacobian(jacobian(f, positions), positions)


def _derivatives(f: Callable[..., Any], positions: Argnums, in_blocks: Callable[[RecordedCall], dict]) -> Callable:
    """The function that gives f's derivatives, for each pair of output and input computed `in_blocks`."""

    @records_for_itself
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        call = call_with_nodes(f, args, positions, kwargs)
        blocks = in_blocks(call)
        given: set[int] = set()  # parts of the result, of which one may stand in it twice

        def row(y: Any) -> Any:
            parts, again = iter(call.inputs), id(y) in given
            given.add(id(y))
            return map_tree(lambda _: _block(blocks, y, next(parts), again), call.structure)

        return map_tree(row, call.output)

    return derivatives


def _by_the_smaller_side(call: RecordedCall) -> dict:
    rows, columns = (sum(math.prod(shape_of(x)) for x in side) for side in (call.outputs(), call.inputs))
    return _by_rows(call) if rows <= 2 * columns else _by_columns(call)  # a column costs about two rows


def _by_rows(call: RecordedCall) -> dict:
    """For each pair of output and input, the gradients of the output's elements."""
    blocks: dict = {}
    for y in call.outputs():
        for unit in _units(y):
            for x, g in zip(call.inputs, call.pullback([y], [unit], call.outside)):
                blocks.setdefault((y, x), []).append(g)
    return {(y, x): _stacked(parts, y, x) for (y, x), parts in blocks.items()}


def _by_columns(call: RecordedCall) -> dict:
    """The same, from the gradients under a weight u, whose derivatives by u are columns (as in jvp)."""
    blocks: dict = {}
    for y in call.outputs():
        seed = weight(y)
        for x, g in zip(call.inputs, call.pullback([y], [seed], create_graph=True)):
            if isinstance(x, Value) or not isinstance(y, Value):  # of arrays a Value is never made
                columns = [pullback([g], [unit], [seed], call.outside)[0] for unit in _units(x)]
                blocks[y, x] = _transposed(_stacked(columns, x, y), x, y)
    return blocks


def _units(node: Any) -> Iterator[Any]:
    """The seeds that single out one element each."""
    if isinstance(node, Value):
        yield 1.0
        return
    for i in range(node.size):
        unit = np.zeros(node.size, node.dtype)
        unit[i] = 1
        yield unit.reshape(node.shape)


def _stacked(parts: list, y: Any, x: Any) -> Any:
    shape = shape_of(y) + shape_of(x)
    if not shape:
        return parts[0]
    if not parts:
        return np.zeros(shape, getattr(x, "dtype", float))
    if len(parts) == 1 and shape_of(parts[0]) == shape:
        return parts[0]
    return (stack(parts) if has_node(parts) else np.stack(parts)).reshape(shape)


def _transposed(block: Any, x: Any, y: Any) -> Any:
    """A block of shape x.shape + y.shape as one of shape y.shape + x.shape."""
    before, after = len(shape_of(x)), len(shape_of(y))
    return block.transpose((*range(before, before + after), *range(before))) if before + after else block


def _block(blocks: dict, y: Any, x: Node, again: bool) -> Any:
    """The derivative of a part of the result by a part of the argument; a copy where that was given once already."""
    block = blocks.get((y, x)) if isinstance(y, Node) else None
    if block is None:
        block = np.zeros(shape_of(y) + shape_of(x))
    if isinstance(block, Node):
        return block
    if np.ndim(block) == 0 and isinstance(x, Value):
        return float(block)
    return np.array(block) if again else np.asarray(block)
