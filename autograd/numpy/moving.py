"""Arrays put together and taken apart, and all that only moves elements: NumPy moves their numbers, and they follow."""

import itertools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as axis_of

from ..arguments import holds_node, is_node
from ..indexing import indexed
from ..meeting import as_array, as_arrays, as_weak, joined
from ..node import Tensor
from ..operation import OPERATIONS
from ..tree import flatten, map_tree, unflatten
from .dispatch import data_of, record, signature
from .elementwise import selection
from .shaping import along, atleast_1d, atleast_2d, atleast_3d, broadcast_to, cut


def concatenate(arrays: Sequence, axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """As numpy.concatenate: pairs are joined, then pairs of pairs, so that n arrays cost n log n."""
    parts = [x.reshape(-1) if axis is None else x for x in as_arrays(arrays)]
    if dtype is not None or casting != "same_kind":  # or NumPy's error, if this would be another casting
        dtype = np.concatenate([np.empty(0, part.dtype) for part in parts], dtype=dtype, casting=casting).dtype
        parts = [part.astype(dtype) for part in parts]
    return joined(parts, 0 if axis is None else axis_of(axis, parts[0].ndim))


def stack(arrays: Sequence, axis: int = 0, **options: Any) -> Any:
    """As numpy.stack."""
    parts = as_arrays(arrays)
    axis = axis_of(axis, parts[0].ndim + 1)
    return concatenate([x.reshape(*x.shape[:axis], 1, *x.shape[axis:]) for x in parts], axis, **options)


def select(condlist: Sequence, choicelist: Sequence, default: Any = 0) -> Any:
    """As numpy.select."""
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ValueError(f"select: a choice for each condition, not {len(choicelist)} for {len(condlist)}")
    if any(as_array(condition).dtype != bool for condition in condlist):
        raise TypeError("select: each condition is a mask of booleans")
    return selection(zip(reversed(condlist), reversed(choicelist)), default)


def moved(move: Callable[[Any], Any], tree: Any) -> Any:
    """What a function that moves elements makes of an array, or of nested lists of them: it is given their numbers."""
    parts = [as_array(x) for x in flatten(tree)]
    ends = itertools.accumulate(x.size for x in parts)
    numbers = [np.arange(end - x.size, end).reshape(x.shape) for x, end in zip(parts, ends)]
    elements = concatenate(parts or [np.empty(0)], None)
    return map_tree(lambda places: elements[np.asarray(places, int)], move(unflatten(tree, numbers)))


def _moving(name: str, *holders: str, home: ModuleType = np) -> Callable[..., Any]:
    """NumPy's function of this name; `holders` are the arguments whose elements move, the first if none is named."""
    plain = getattr(home, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        if args and not holders:
            return moved(lambda numbers: plain(numbers, *data_of(args[1:]), **data_of(kwargs)), args[0])
        call = signature(plain).bind(*args, **kwargs)
        given = call.arguments
        trees = {key: given.pop(key) for key in holders or [*given][:1] if key in given}
        given.update(data_of(given))

        def move(numbers: dict) -> Any:
            given.update(numbers)
            return plain(*call.args, **call.kwargs)

        return moved(move, trees)

    return function


repeat, tile, delete, diagonal, roll, flip, fliplr, flipud, rot90, resize, hsplit, vsplit, dsplit = map(
    _moving, "repeat tile delete diagonal roll flip fliplr flipud rot90 resize hsplit vsplit dsplit".split()
)
append, block = _moving("append", "arr", "values"), _moving("block", "arrays")
compress, extract = _moving("compress", "a"), _moving("extract", "arr")


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: Any = "xy") -> tuple:
    """As numpy.meshgrid."""
    parts = [as_array(x) for x in xi]
    edges = np.meshgrid(*(np.empty(x.size) for x in parts), sparse=True, indexing=indexing)
    grids = tuple(x.reshape(edge.shape) for x, edge in zip(parts, edges))
    return grids if sparse else broadcast_arrays(*grids)


PLACES: dict[str, Callable] = {
    "raise": lambda i, n: i,
    "wrap": lambda i, n: i % n,
    "clip": lambda i, n: OPERATIONS["minimum"](OPERATIONS["maximum"](i, 0), n - 1),
}  # what take makes of places outside


def take(a: Tensor, indices: Tensor, axis: int | None = None, *, mode: str = "raise") -> Any:
    """As numpy.take."""
    x, axis = along(a, axis)
    indices = indices if indices.size else indices.astype(int)
    i = PLACES[mode](indices + 0 if indices.dtype.kind == "b" else indices, x.shape[axis])
    return _at(x, (slice(None),) * axis + (i,), i)


def take_along_axis(arr: Tensor, indices: Tensor, axis: int | None = -1) -> Any:
    """As numpy.take_along_axis."""
    x, axis = along(arr, axis)
    if indices.ndim != x.ndim or indices.dtype.kind not in "iu":
        raise IndexError(f"indices are integers with the array's {x.ndim} axes, not {indices.dtype} of {indices.shape}")
    places = [np.arange(n).reshape(-1, *(1,) * (x.ndim - k - 1)) for k, n in enumerate(x.shape)]
    return _at(x, (*places[:axis], indices, *places[axis + 1 :]), indices)


def segment_sum(data: Any, segment_ids: Any, num_segments: int) -> Any:
    """For each k < num_segments the sum of data[segment_ids == k] along the first axis, as jax.ops.segment_sum.

    Raises ValueError unless each entry of data has an integer, and IndexError for one that is out of bounds.
    """
    data, ids = as_array(data), as_array(segment_ids)
    if data.shape[: ids.ndim] != ids.shape:
        raise ValueError(f"segment_sum: segment_ids has shape {ids.shape}, data {data.shape}: give each entry a number")
    places = OPERATIONS["bounded"](ids, num_segments)
    return OPERATIONS["scatter_add"](data, places, (num_segments, *data.shape[ids.ndim :]))


def choose(a: Any, choices: Sequence, *, mode: str = "raise") -> Any:
    """As numpy.choose."""
    if not is_node(a):
        return moved(lambda numbers: np.choose(a, numbers[0], mode=mode), [choices])  # type: ignore[call-overload]
    i, *parts = broadcast_arrays(a, *choices)
    return take_along_axis(stack(parts), PLACES[mode](i, len(parts))[None], 0)[0]


def _at(x: Any, index: tuple, i: Any) -> Any:
    """x[index], in which i is a node or not; x may be no node."""
    return indexed(x, index) if is_node(i) else x[index]


def _splitting(name: str) -> Callable[..., Any]:
    """The function that cuts an array as NumPy's function of this name does."""
    plain = getattr(np, name)

    def function(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        axis = axis_of(axis, ary.ndim)
        pieces = plain(np.arange(ary.shape[axis]), indices_or_sections)
        return [cut(ary, axis, *(piece[[0, -1]] + [0, 1] if piece.size else [0])) for piece in pieces]

    return function


split, array_split = _splitting("split"), _splitting("array_split")


def pad(array: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """As numpy.pad, in the modes constant, edge, reflect, symmetric and wrap."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: the mode {mode!r} is not differentiated here")
    if mode != "constant":
        return moved(lambda numbers: np.pad(numbers, pad_width, mode), array)  # type: ignore[call-overload]
    element = np.pad(np.ones((1,) * array.ndim), pad_width)  # where one would stand
    inside = tuple(slice(i, i + n) for i, n in zip(np.argwhere(element)[0].tolist(), array.shape))
    out = OPERATIONS["scatter"](array, inside, tuple(n + m - 1 for n, m in zip(array.shape, element.shape)))
    if not np.any(constant_values):
        return out
    return out + np.pad(np.zeros(array.shape, array.dtype), pad_width, constant_values=constant_values)


insert = lambda arr, obj, values, axis=None: moved(
    lambda numbers: np.insert(numbers[0], data_of(obj), numbers[1], axis), [arr, values]
).astype(as_array(arr).dtype)
diag = lambda v, k=0: (
    diagonal(v, k)
    if v.ndim == 2
    else OPERATIONS["scatter"](v, np.nonzero(np.diag(np.ones(v.shape), k)), (v.size + abs(k),) * 2)
)
diagflat = lambda v, k=0: diag(v.ravel(), k)
trace = lambda a, offset=0, axis1=0, axis2=1, dtype=None: diagonal(a, offset, axis1, axis2).sum(-1, dtype=dtype)
_beside = lambda parts, **options: concatenate(parts, 0 if parts[0].ndim == 1 else 1, **options)
hstack = lambda tup, **options: _beside([atleast_1d(x) for x in as_arrays(tup)], **options)
vstack = lambda tup, **options: concatenate([atleast_2d(x) for x in as_arrays(tup)], **options)
dstack = lambda tup: concatenate([atleast_3d(x) for x in as_arrays(tup)], 2)
column_stack = lambda tup: concatenate([x if x.ndim > 1 else x.reshape(-1, 1) for x in as_arrays(tup)], 1)
broadcast_arrays = lambda *args, subok=False: tuple(
    broadcast_to(x, np.broadcast_shapes(*(as_array(x).shape for x in args))) for x in args
)
sliding_window_view = _moving("sliding_window_view", home=np.lib.stride_tricks)
__all__ = [*record(globals(), as_given=list), *record(globals(), np.lib.stride_tricks, as_given=list)]


class Joining:
    """numpy.r_ or numpy.c_, also of Tensors."""

    def __init__(self, plain: Any):
        self.plain = plain

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not holds_node(parts):
            return self.plain[key]
        directive = parts[:1] if isinstance(parts[0], str) else ()
        arrays = [np.r_[part] if isinstance(part, slice) else part for part in parts[len(directive) :]]
        return moved(lambda numbers: self.plain[(*directive, *numbers)], as_weak(arrays))


r_, c_ = Joining(np.r_), Joining(np.c_)
