"""Functions that only move elements: NumPy moves their numbers, and they follow.

Names and arguments are NumPy's. `split` and `array_split` cut slices, which need no copy.
"""

import functools
import inspect
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ..arguments import axes_of
from ..node import Tensor
from ..operation import OPERATIONS
from ..tree import flatten, map_tree, unflatten
from .dispatch import composed, data_of, entered, first_node, recorded
from .shaping import concatenate, operand

signature = functools.cache(inspect.signature)


def moved(move: Callable[[Any], Any], tree: Any) -> Any:
    """What a function that moves elements makes of an array, or of nested lists of them: it is given their numbers."""
    parts = [operand(x) for x in flatten(tree)]
    ends = itertools.accumulate(x.size for x in parts)
    numbers = [np.arange(end - x.size, end).reshape(x.shape) for x, end in zip(parts, ends)]
    elements = concatenate(parts, None)
    return map_tree(lambda places: elements[places], move(unflatten(tree, numbers)))


def _moving(name: str, *holders: str, home: ModuleType = np) -> Callable[..., Any]:
    """NumPy's function of this name; `holders` are the arguments whose elements move, the first if none is named."""
    plain = getattr(home, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        call = signature(plain).bind(*args, **kwargs)
        given = call.arguments
        trees = {key: given[key] for key in holders or [*given][:1] if key in given}
        given.update({key: data_of(x) for key, x in given.items() if key not in trees})

        def move(numbers: list) -> Any:
            given.update(zip(trees, numbers))
            return plain(*call.args, **call.kwargs)

        return moved(move, [*trees.values()])

    return entered(function, name, home)


for _name in "repeat tile take take_along_axis delete roll flip fliplr flipud rot90 resize".split():
    _moving(_name)
for _name in "hsplit vsplit dsplit".split():
    _moving(_name)
for _name, _holders in {
    "append": ("arr", "values"),
    "block": ("arrays",),
    "broadcast_arrays": ("args",),
    "choose": ("choices",),
    "compress": ("a",),
    "extract": ("arr",),
    "meshgrid": ("xi",),
}.items():
    _moving(_name, *_holders)
_moving("sliding_window_view", home=np.lib.stride_tricks)
diagonal = _moving("diagonal")


def _splitting(name: str) -> None:
    """The function that cuts an array as NumPy's function of this name does."""
    plain = getattr(np, name)

    def function(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        axis = axes_of(axis, ary.ndim)[0]
        pieces = plain(np.arange(ary.shape[axis]), indices_or_sections)
        return [
            ary[(slice(None),) * axis + (slice(*piece[[0, -1]] + [0, 1]) if piece.size else slice(0),)]
            for piece in pieces
        ]

    entered(function, name)


_splitting("split")
_splitting("array_split")


@recorded()
def diag(v: Tensor, k: int = 0) -> Tensor:
    """As numpy.diag: the diagonal of a matrix, or a matrix with this diagonal."""
    if v.ndim == 2:
        return diagonal(v, k)
    places = np.nonzero(np.diag(np.ones(v.shape), k))
    return OPERATIONS["scatter"](v, places, (v.size + abs(k),) * 2)


@recorded()
def pad(array: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """As numpy.pad, in the modes constant, edge, reflect, symmetric and wrap."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: the mode {mode!r} is not differentiated here")
    if mode != "constant":
        return moved(lambda numbers: np.pad(numbers, pad_width, mode), array)  # type: ignore[call-overload]
    filled = np.pad(np.zeros(array.shape, array.dtype), pad_width, constant_values=constant_values)
    inside = np.nonzero(np.pad(np.ones(array.shape, bool), pad_width))
    return OPERATIONS["where"](
        np.pad(np.zeros(array.shape, bool), pad_width, constant_values=True),
        filled,
        OPERATIONS["scatter"](array.ravel(), inside, filled.shape),
    )


composed(
    diagflat=lambda v, k=0: diag(operand(v).ravel(), k),
    insert=lambda arr, obj, values, axis=None: moved(
        lambda numbers: np.insert(numbers[0], obj, numbers[1], axis), [arr, values]
    ).astype(operand(arr).dtype),
    trace=lambda a, offset=0, axis1=0, axis2=1, dtype=None: diagonal(a, offset, axis1, axis2).sum(-1, dtype=dtype),
)


class Joining:
    """numpy.r_ or numpy.c_, also of Tensors."""

    def __init__(self, plain: Any):
        self.plain = plain

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if first_node(parts) is None:
            return self.plain[key]
        directive = parts[:1] if isinstance(parts[0], str) else ()
        arrays = [np.r_[part] if isinstance(part, slice) else part for part in parts[len(directive) :]]
        return moved(lambda numbers: self.plain[(*directive, *numbers)], arrays)


r_, c_ = Joining(np.r_), Joining(np.c_)
