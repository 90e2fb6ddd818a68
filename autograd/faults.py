"""What is wrong with a number: where, by which operation, and at which line of the user's program."""

import functools
import linecache
import math
import sys
import zlib
from types import CodeType
from typing import Any

import numpy as np

from .batching import is_elementwise
from .grammar import STATIC, fold
from .node import Node
from .operation import Operation
from .users import GENERATED, LIBRARIES

SMALL = 4096  # bytes of an array that are kept as they are; of a larger one a checksum
MOST = 60  # characters of an argument that is no number
Site = tuple[CodeType, int, CodeType | None]  # an instruction of the user's program; which layer of nn it called
Place = tuple[int, ...] | None  # the index of an element; None for a whole array


@functools.cache
def _home(module: str) -> str:
    return module.split(".")[0]


def site() -> Site:
    """Where the user's program is."""
    frame: Any = sys._getframe(3)
    layer = None
    while (home := _home(frame.f_globals.get("__name__", GENERATED))) in LIBRARIES and frame.f_back is not None:
        if layer is None and home == "nn":
            layer = frame.f_code
        frame = frame.f_back
    return frame.f_code, frame.f_lasti, layer


def described_site(found: Site | None, within: str) -> str:
    """A line of the user's program, what stands there, and what recorded the operation by it."""
    if found is None:
        return "a line before detect_anomaly()"
    code, at, layer = found
    line = [*code.co_positions()][at // 2][0] or code.co_firstlineno
    text = linecache.getline(code.co_filename, line).strip()
    by = [f"by {layer.co_qualname}"] if layer else []
    by += [f"in the gradient of {within}"] if within else []
    return ", ".join([code.co_filename, f"line {line}", *by]) + (f": {text}" if text else "")


def level(data: Any) -> int:
    """How far a number or an array is from finite: 0 not at all, 1 infinite, 2 NaN, each of at least one element."""
    if data.__class__ is float:
        return 0 if math.isfinite(data) else 1 + math.isnan(data)
    array = np.asarray(data)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return 0
    return 1 + bool(np.isnan(array).any())


def place(data: Any) -> Place:
    """Where the first of the worst elements is."""
    array = np.asarray(data)
    worst = np.isnan(array) if level(array) == 2 else ~np.isfinite(array)
    return tuple(map(int, np.unravel_index(np.argmax(worst), array.shape)))


def _element(data: Any, at: Place) -> Any:
    """The element of an array that was broadcast to where there is this place; the whole array if there is none."""
    array = np.asarray(data)
    if at is None:
        return array
    return array[_inside(array, at)]


def origin(node: Any) -> tuple[Any, Place]:
    """The first operation on the way to a node that is not finite whose result is worse than all it was given."""
    first, stack, seen = (node, place(node.data)), [(node, place(node.data))], {node.when}
    while stack:
        node, at = stack.pop()
        bad, through = level(_element(node.data, at)), at if is_elementwise(node.operation) else None
        given = [x for x in node.args if isinstance(x, Node) and x.operation is not None]
        given = [x for x in given if level(_element(x.data, through)) >= bad]
        if not given and node.when <= first[0].when:
            first = node, at
        fresh = [x for x in given if x.when not in seen]
        stack += [(x, place(x.data) if through is None else _inside(x.data, through)) for x in fresh]
        seen.update(x.when for x in fresh)
    return first


def _inside(data: Any, at: tuple[int, ...]) -> tuple[int, ...]:
    """A place in an array, by that in what it was broadcast to."""
    shape = np.shape(data)
    return tuple(0 if n == 1 else i for i, n in zip(at[len(at) - len(shape) :], shape))


def fault(data: Any, at: Place) -> str:
    """What is wrong with a number or an array, in words."""
    array = np.asarray(data)
    if not array.ndim:
        return f"is {array.item()}"
    return f"is {array[at].item()} at {at}, one of {_counted(array)}"


def _counted(array: Any) -> str:
    return f"{np.isnan(array).sum()} NaN and {np.isinf(array).sum()} infinite among {array.size} elements"


def described(name: str, x: Any, at: Place) -> str:
    """What an operation was given, at a place if it is elementwise."""
    label = f"{name} {x.name!r}" if isinstance(x, Node) and x.name else name
    data = x.data if isinstance(x, Node) else x
    if not isinstance(data, (np.ndarray, np.generic)) or not data.ndim:
        text = repr(data.item() if isinstance(data, (np.ndarray, np.generic)) else data)
        return f"{label} = {text if len(text) <= MOST else text[: MOST - 3] + '...'}"
    if at is not None:
        found = f"{_element(data, at).item()} there"
    elif level(data):
        found = _counted(data)
    else:
        found = f"from {data.min()} to {data.max()}" if data.size else "empty"
    return f"{label} of shape {data.shape}, {found}"


@functools.lru_cache(maxsize=1024)
def _read(operation: Operation) -> list[tuple[int, frozenset[int]]]:
    """What pullbacks read the numbers of: which argument, -1 for the result; and the arguments whose pullbacks do."""

    def names(tree: Any) -> frozenset[str]:
        return fold(tree, lambda name: frozenset([name]), lambda _: frozenset(), union)

    def union(word: Any, found: list) -> frozenset[str]:
        return frozenset() if word in STATIC else frozenset().union(*found)

    places = [*enumerate(operation.names), (-1, "out")]
    readers = [names(tree) if tree else frozenset() for tree in operation.pullbacks]
    known = [(i, frozenset(k for k, read in enumerate(readers) if name in read)) for i, name in places]
    return [(i, by) for i, by in known if by]


def held(node: Node, args: tuple) -> tuple:
    """What the numbers are at the moment that the pullbacks of a node read: the same where none has changed."""
    return tuple([_printed(node if i < 0 else args[i]) for i, _ in _read(node.operation)])


def changed(node: Node, before: tuple) -> str:
    """What has changed since that a pullback of a node's will read; nothing if all is as it was."""
    args = node.args
    now = held(node, args)
    if before == now:
        return ""
    for (i, by), then, since in zip(_read(node.operation), before, now):
        if then != since and any(isinstance(args[k], Node) for k in by):
            return "the result" if i < 0 else f"the argument {node.operation.names[i]}"
    return ""


def _printed(x: Any) -> Any:
    """An array as its bytes or their checksum, also in lists and tuples; anything else as it is."""
    data = x.data if isinstance(x, Node) else x
    if data.__class__ is float:
        return data
    if data.__class__ is np.ndarray:
        return data.tobytes() if data.nbytes <= SMALL else zlib.crc32(np.ascontiguousarray(data).data)
    return tuple(map(_printed, data)) if data.__class__ in (tuple, list) else data
