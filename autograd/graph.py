"""The graph below nodes: all nodes that they depend on, in order."""

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from .node import Node

_age = operator.attrgetter("when")
BLOCK = 1 << 13  # ticks


def history(*outputs: Node, since: int = 0) -> list[Node]:
    """Every node that these depend on, themselves included, newest first; nothing below nodes as old as `since`."""
    return sorted(_below(outputs, since), key=_age, reverse=True)


def frontier(output: Node, since: int) -> list[Node]:
    """The nodes as old as `since` that this one depends on through younger ones; itself if it is as old."""
    return sorted((node for node in _below([output], since) if node.when <= since), key=_age)


def oldest(outputs: Sequence[Node], since: int) -> float:
    """When the oldest node that these depend on was made; nothing below nodes as old as `since` is looked at."""
    return min((node.when for node in _below(outputs, since)), default=math.inf)


def _below(outputs: Sequence[Node], since: int = 0) -> dict[Node, None]:
    """The nodes that these of any class were made of, themselves included."""
    found: dict[Node, None] = {}
    while outputs:
        kind = outputs[0].__class__
        nodes, _, _, entered = reached([node for node in outputs if node.__class__ is kind], since)
        nodes |= found
        found = nodes
        outputs = [node for node in outputs if node.__class__ is not kind] + [node.x for node in entered]
    return found


def reached(
    outputs: Sequence[Node], since: int = 0, by_blocks: bool = False
) -> tuple[dict, Iterable[Node], list[Node], list[Node]]:
    """The nodes below these of one class, with gradients yet to come; those made after `since`, newest first; leaves.

    Last, the Tensors that are Values beside arrays: their Values are of another class, and not reached. Gradients begin
    as None. By blocks they begin as 0.0, and all of this grows while one goes through the nodes: what is done with may
    be dropped meanwhile, so that a long chain takes little memory.
    """
    zero = 0.0 if by_blocks else None
    found: tuple = dict.fromkeys(outputs, zero), [], []
    grads, leaves, entered = found
    made = chain.from_iterable(_blocks(since, zero, *found)) if by_blocks else _made([*grads], since, zero, *found)[0]
    return grads, made, leaves, entered


def _blocks(since: int, zero: Any, grads: dict, *others: list) -> Iterator[list[Node]]:
    """The nodes of the newest ticks, then those of the ticks before: so many that a processor has them near."""
    older, until = [*grads], math.inf
    while older and until > since:
        until = max(since, max(map(_age, older)) - BLOCK - len(older))
        made, older = _made(older, until, zero, grads, *others)
        yield made


def _made(
    stack: list[Node], since: float, zero: Any, grads: dict, leaves: list, entered: list
) -> tuple[list[Node], list[Node]]:
    """What was made after `since` of what these nodes were made of, newest first; and the older nodes among that."""
    kind, number = stack[0].__class__, stack[0].reading.number
    made, older = [], []
    while stack:  # the hottest loop of a sweep, so it is written out for x and y
        node = stack.pop()
        if node.operation is None:
            leaves.append(node)
            continue
        if node.when <= since:
            older.append(node)
            continue
        x = node.x
        if x.__class__ is kind:
            if x not in grads:
                grads[x] = zero
                stack.append(x)
        elif x.__class__ is number:
            entered.append(node)
            continue
        made.append(node)
        x = node.y
        if x.__class__ is kind:
            if x not in grads:
                grads[x] = zero
                stack.append(x)
        elif x.__class__ is tuple:
            for part in x:
                if part.__class__ is kind and part not in grads:
                    grads[part] = zero
                    stack.append(part)
    made.sort(key=_age, reverse=True)
    return made, older
