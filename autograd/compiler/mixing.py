"""A program is of numbers or of arrays: what was recorded on both is recorded again on arrays alone."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from ..graph import history
from ..meeting import weak
from ..node import Node, Value
from ..operation import OPERATIONS
from ..tree import flatten, map_tree
from .tracing import Recording, leaf, traced


def unmixed(recording: Recording) -> Recording:
    """What was recorded, on arrays alone if Values and Tensors are in it."""
    found = [x for x in flatten(recording.output) if isinstance(x, Node)]
    if len({isinstance(x, Value) for x in (*recording.inputs, *found, *history(*found))}) < 2:
        return recording
    return _on_arrays(recording, [np.asarray(node.example) for node in recording.inputs], np.dtype(float))


@traced
def on_elements(numbers: Recording, given: list) -> Recording:
    """What was recorded on numbers, again on arrays that are broadcast."""
    dtype = weak([x.dtype for x in given if isinstance(x, np.ndarray)])
    examples = [*given, *(node.number for node in numbers.outside)]
    examples = [x if isinstance(x, np.ndarray) else np.asarray(x, dtype) for x in examples]
    again = _on_arrays(numbers, examples, dtype)
    shape = np.broadcast_shapes(*map(np.shape, examples))
    output = map_tree(lambda x: OPERATIONS["expand"](x, shape) if hasattr(x, "example") else x, again.output)
    return Recording(again.inputs, again.outside, output)


@traced
def _on_arrays(recording: Recording, examples: list, dtype: np.dtype) -> Recording:
    """What was recorded, again on arrays alone: these for the inputs, and arrays of a dtype for other numbers."""
    found: list[Any] = [x for x in flatten(recording.output) if isinstance(x, Node) and hasattr(x, "example")]

    def as_numbers(node: Any, x: Any) -> Any:
        """Two masks add up to a mask, but among numbers a comparison is 1.0 or 0.0."""
        return OPERATIONS["cast"](x, dtype) if isinstance(node, Value) and x.dtype.kind != "f" else x

    inputs = [leaf(x, node.name) for node, x in zip(recording.inputs, examples, strict=True)]
    of: dict[Any, Any] = {node: as_numbers(node, x) for node, x in zip(recording.inputs, inputs)}
    nodes: list[Any] = history(*found)
    for node in reversed(nodes):
        if node in of:
            continue
        if node.operation is None:
            of[node] = leaf(np.asarray(node.example, dtype if isinstance(node, Value) else None))
        else:
            args = [of[arg] if isinstance(arg, Node) else arg for arg in node.args]
            of[node] = as_numbers(node, node.operation(*args))
    output = map_tree(lambda x: of.get(x, x) if isinstance(x, Node) else x, recording.output)
    numbers: dict[Any, Callable] = {
        of[x]: float if isinstance(x, Value) else itemgetter(()) for x in found if not of[x].shape
    }
    entered = dict(zip(recording.inputs, inputs))
    draws = [drawn._replace(node=entered[drawn.node]) for drawn in recording.draws]
    return Recording(inputs, recording.outside, output, numbers, draws)
