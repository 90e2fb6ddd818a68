"""The graph below nodes: all nodes that they depend on, in order."""

import math
import operator
from collections.abc import Sequence
from typing import Any

from .node import Node

_age = operator.attrgetter("when")


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
        nodes, _, _, entered = reached([node for node in outputs if node.__class__ is kind], None, since)
        nodes |= found
        found = nodes
        outputs = [node for node in outputs if node.__class__ is not kind] + [node.x for node in entered]
    return found


def reached(outputs: Sequence[Node], zero: Any, since: int = 0) -> tuple[dict, list[Node], list[Node], list[Node]]:
    """`zero` as the gradient of each node below these of one class; those made after `since`, newest first; leaves.

    Last, the Tensors that are Values beside arrays: their Values are of another class, and not reached.
    """
    kind, number, grads = outputs[0].__class__, outputs[0].reading.number, dict.fromkeys(outputs, zero)
    made, leaves, entered, stack = [], [], [], [*grads]
    while stack:  # the hottest loop of a sweep, so it is written out for x and y
        node = stack.pop()
        if since and node.when <= since:
            continue
        if node.operation is None:
            leaves.append(node)
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
    return grads, made, leaves, entered
