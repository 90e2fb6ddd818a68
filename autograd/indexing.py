"""x[index] where numbers of the index are known only when a program runs: arrays of integers, traced inside jit.

The basic parts of the index (slices, None, ...) are a view. What is left are places along some axes, which become one:
place = i * n + j counts through two axes of which the second has n elements. Rows are then gathered from there.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arguments import is_node, is_value
from .failing import refuse
from .meeting import as_array
from .operation import OPERATIONS

_add, _mul, _bounded, _gather, _getitem, _reshape, _transpose = (
    OPERATIONS[name] for name in "add mul bounded gather getitem reshape transpose".split()
)


def indexed(x: Any, index: Sequence) -> Any:
    """x[index] as NumPy has it, for an array or a node x and an index with traced integers in it."""
    given = [found for part in index for found in _looked_at(part)]
    parts = _by_axis(given, len(x.shape))
    picked = _picked(parts)
    basic = tuple(slice(None) if k in picked else part for k, part in enumerate(parts))
    if basic != (slice(None),) * len(x.shape):
        x = _getitem(x, basic)
    x, place = _rows(x, picked, parts)
    out, count = _gather(x, place), len(place.shape)
    # what stands side by side stays where it is, else it comes first
    first = picked[0] if _picked(given)[-1] - _picked(given)[0] < len(picked) else 0
    if not first or not count:
        return out
    return _transpose(out, (*range(count, count + first), *range(count), *range(count + first, len(out.shape))))


def _rows(x: Any, picked: list[int], parts: list) -> tuple[Any, Any]:
    """An array with these axes first and as one, and the places there that the parts of an index name."""
    place = _bounded(parts[picked[0]], x.shape[picked[0]])
    for k in picked[1:]:
        place = _add(_mul(place, x.shape[k]), _bounded(parts[k], x.shape[k]))
    if picked != [*range(len(picked))]:
        x = _transpose(x, (*picked, *(k for k in range(len(x.shape)) if k not in picked)))
    if len(picked) > 1:
        x = _reshape(x, (math.prod(x.shape[: len(picked)]), *x.shape[len(picked) :]))
    return x, place


def _picked(parts: list) -> list[int]:
    """Which parts of an index are places."""
    return [k for k, part in enumerate(parts) if not _is_basic(part)]


def _is_basic(part: Any) -> bool:
    return part is None or part is Ellipsis or isinstance(part, slice)


def _looked_at(part: Any) -> Sequence:
    """A part of an index as basic parts and arrays of integers: a mask that is known as where it is True."""
    if _is_basic(part):
        return [part]
    number = is_value(part) and part.reading.held != "number"  # of a call: a Python number has become a float
    array = as_array(part)
    if array.dtype.kind == "b":
        if not is_node(array):
            return array.nonzero()
        refuse("a mask was used as an index", "how much it selects is not known: write where(mask, x, 0.0)")
    empty = isinstance(part, list) and not array.size
    if array.dtype.kind == "f" and not (number or empty):
        raise IndexError(f"an index is made of integers, masks, slices, None and ..., not of {part!r}")
    return [array if is_node(array) else array.astype(np.intp)]


def _by_axis(parts: list, ndim: int) -> list:
    """The parts of an index, as many as belong to this number of axes, with slices in the place of an ellipsis."""
    missing = ndim - sum(part is not None and part is not Ellipsis for part in parts)
    if missing < 0:
        raise IndexError(f"too many indices for an array of {ndim} axes: {ndim - missing}")
    place = next((k for k, part in enumerate(parts) if part is Ellipsis), len(parts))
    return [*parts[:place], *[slice(None)] * missing, *parts[place + 1 :]]
