"""The derivatives of every element of a result by every element of an argument, first and second."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .batching import has_rule
from .calling import Argnums, RecordedCall, call_with_nodes, chosen, shape_of
from .directional import weight
from .graph import history
from .mapping import vmap
from .node import Node, Value
from .numpy import concatenate, stack
from .recording import inspection, no_grad, records_for_itself
from .tree import map_tree

FEW = 12  # sweeps that are faster one by one
MOST = 2**18  # numbers of one array in sweeps at once, whose memory is that of all of them


def jacobian(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """The derivative of every element of f's result by every element of an argument, as a function.

    It returns an array of shape result.shape + argument.shape; for nested results and arguments the structure of the
    result, each part in the structure of the argument. It costs a backward pass for each element of the smaller side.
    """
    return _derivatives(f, chosen(f, argnum, argnums), _by_the_smaller_side)


def jacrev(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """As jacobian, row by row: a backward pass for each element of the result."""
    return _derivatives(f, chosen(f, argnum, argnums), _by_rows)


def jacfwd(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """As jacobian, column by column, by jvp: about two backward passes for each element of the argument."""
    return _derivatives(f, chosen(f, argnum, argnums), _by_columns)


def hessian(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """The second derivatives, as a function: the jacobian of the jacobian.

    It returns an array of shape result.shape + argument.shape + argument.shape: a matrix for a scalar function of a
    vector; nested results and arguments as in jacobian.
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
    return {(y, x): rows for y in call.outputs() for x, rows in zip(call.inputs, _swept(call, y))}


def _by_columns(call: RecordedCall) -> dict:
    """The same, from the gradients under a weight u, whose derivatives by u are columns (as in jvp)."""
    blocks: dict = {}
    for y in call.outputs():
        seed = weight(y)
        again = RecordedCall(None, [seed], [], None, call.outside)
        for x, g in zip(call.inputs, call.pullback([y], [seed], create_graph=True)):
            (columns,) = _swept(again, g)
            blocks[y, x] = _transposed(columns, x, y)
    return blocks


def _swept(call: RecordedCall, y: Any) -> list:
    """For each input the gradients of a node's elements: by a sweep from each, or from many at once."""
    count, *others = (math.prod(shape_of(x)) for x in (y, *call.inputs))
    at_once = MOST // max(count, *others, 1)
    if min(count, at_once) < FEW or inspection.inspector or not _has_rules(call, y):
        sweeps = [call.pullback([y], [_units(y, i, i + 1)[0]], call.outside) for i in range(count)]
        return [_joined(parts, stack, y, x) for x, *parts in zip(call.inputs, *sweeps)]
    sweep = vmap(lambda unit: call.pullback([y], [unit], create_graph=True))
    with contextlib.nullcontext() if call.outside else no_grad():
        units = (_units(y, i, min(i + at_once, count)) for i in range(0, count, at_once))
        sweeps = [call.plain(sweep(part)) for part in units]
    return [_joined(parts, concatenate, y, x) for x, *parts in zip(call.inputs, *sweeps)]


def _has_rules(call: RecordedCall, y: Node) -> bool:
    """Whether a sweep can be made from many elements at once."""
    since = min(x.when for x in call.inputs)
    return all(has_rule(node.operation) for node in history(y, since=since) if node.operation)


def _units(y: Any, start: int, stop: int) -> np.ndarray:
    """The seeds that single out one element each, for these elements."""
    units = np.zeros((stop - start, math.prod(shape_of(y))), getattr(y, "dtype", float))
    np.fill_diagonal(units[:, start:], 1)
    return units.reshape(stop - start, *shape_of(y))


def _joined(parts: list, join: Callable, y: Any, x: Any) -> Any:
    """Gradients of the elements of y as one array."""
    shape = shape_of(y) + shape_of(x)
    if not shape:
        return parts[0]
    if not parts:
        return np.zeros(shape, getattr(x, "dtype", float))
    if len(parts) == 1 and shape_of(parts[0]) == shape:
        return parts[0]
    return join(parts).reshape(shape)


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
