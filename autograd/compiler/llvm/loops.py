"""The table's words along axes, as loops: functions of the writer, symbolic arrays, and the rows' static arguments."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...on_arrays import inverse
from ..program import Unprintable
from .arrays import Array, Arrays, Memory, contiguous
from .matrices import matmul
from .text import literal
from .words import WORDS

ADD = "fadd reassoc contract"  # the order of a sum is free; nothing else is


def _axes(x: Array, axis: tuple[int, ...] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that are reduced, and the shape of the result: of all axes a number, else with lengths 1 kept."""
    if axis is None:
        return tuple(range(len(x.shape))), ()
    return axis, tuple(1 if i in axis else n for i, n in enumerate(x.shape))


def _reduce(p: Arrays, x: Array, axis: tuple[int, ...] | None, first: float, step: Callable[[str, str], str]) -> Array:
    """step(step(first, element), element) ... along axes."""
    axes, shape = _axes(x, axis)
    kept = [i for i in range(len(x.shape)) if i not in axes]
    if kept and kept[-1] == len(x.shape) - 1 and axes:
        return _reduce_rows(p, x, axes, shape, first, step)

    def total(outer: Sequence[str]) -> str:
        def inner(indices: Sequence[str], so_far: str) -> list[str]:
            where = dict(zip(kept, outer)) | dict(zip(axes, indices))
            return [step(so_far, x.at([where[i] for i in range(len(x.shape))]))]

        return p.code.nest([x.shape[i] for i in axes], inner, [literal(first, x.type)], x.type)[0]

    if not kept:
        register = total(())
        return p.number(register, x.type) if not shape else Array(shape, x.type, lambda indices: register)
    out = p.allocate(shape, x.type)
    p.code.nest(
        [x.shape[i] for i in kept],
        lambda outer: p.store(total(outer), out, [dict(zip(kept, outer)).get(i, "0") for i in range(len(x.shape))]),
    )
    return out


def _reduce_rows(
    p: Arrays, x: Array, axes: tuple[int, ...], shape: tuple[int, ...], first: float, step: Callable
) -> Array:
    """Along outer axes only: whole rows are taken together, so that the inner loop runs along memory."""
    out = p.allocate(shape, x.type)
    p.code.nest(shape, lambda i: p.store(literal(first, x.type), out, i))

    def body(indices: Sequence[str]) -> None:
        place = ["0" if i in axes else index for i, index in enumerate(indices)]
        element = x.at(indices)
        p.store(step(out.at(place), element), out, place)

    p.code.nest(x.shape, body)
    return out


def total(p: Arrays, x: Array, axis: Any) -> Array:
    """sum"""
    return _reduce(p, x, axis, 0.0, lambda a, b: p.code.emit(f"{ADD} {x.type} {a}, {b}"))


def mean(p: Arrays, x: Array, axis: Any) -> Array:
    """mean"""
    axes, _ = _axes(x, axis)
    return p.elementwise("truediv", [total(p, x, axis), math.prod(x.shape[i] for i in axes)], x.type)


def _extreme(word: str, first: float, of_nothing: bool = False) -> Callable:
    def reduction(p: Arrays, x: Array, axis: Any) -> Array:
        if not math.prod(x.shape) and not of_nothing:
            raise Unprintable("an extreme of nothing is not printed")
        return _reduce(p, x, axis, first, lambda a, b: WORDS[word](p.code, x.type, b, a))

    return reduction


def ties(p: Arrays, x: Array, extreme: Array, axis: Any) -> Array:
    """1 / k where k elements are equal to the extreme, 0 elsewhere; a NaN is every extreme."""
    among = [p.elementwise("equal", [x, extreme], x.type), p.elementwise("not_equal", [x, x], x.type)]
    equal = p.memory(p.elementwise("maximum", among, x.type))
    return p.elementwise("truediv", [equal, _stored(p, total(p, equal, axis))], x.type)


def _stored(p: Arrays, x: Array) -> Array:
    return p.number(x.at(()), x.type) if not x.shape else p.memory(x)


def cumsum(p: Arrays, x: Array, axis: int) -> Array:
    """Running sums along an axis."""
    out = p.allocate(x.shape, x.type)
    others = [n for i, n in enumerate(x.shape) if i != axis]

    def line(outer: Sequence[str]) -> None:
        def body(i: str, so_far: str) -> list[str]:
            place = [*outer[:axis], i, *outer[axis:]]
            following = p.code.emit(f"fadd {x.type} {so_far}, {x.at(place)}")
            p.store(following, out, place)
            return [following]

        p.code.loop(x.shape[axis], body, [literal(0, x.type)], x.type)

    p.code.nest(others, line)
    return out


def expand(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast to a shape."""
    lead = len(shape) - len(x.shape)
    if not isinstance(x, Memory):
        return p.lazy(shape, x.type, lambda i: x.at(["0" if n == 1 else j for j, n in zip(i[lead:], x.shape)]))
    strides = (0,) * lead + tuple(0 if n == 1 else s for n, s in zip(x.shape, x.strides))
    return p.stored(x.pointer, shape, x.type, strides, x.offset)


def sum_to(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """The sum over the axes along which an array of this shape would be broadcast."""
    lead = len(x.shape) - len(shape)
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1))
    return reshape(p, total(p, x, axes), shape) if axes else x


def reshape(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """The same elements in another shape."""
    size = math.prod(x.shape)
    if -1 in shape:
        known = -math.prod(shape)
        shape = tuple(size // known if n == -1 and known else n for n in shape)
    if size == 1:
        register = x.at(["0"] * len(x.shape))
        return p.number(register, x.type) if not shape else Array(shape, x.type, lambda indices: register)
    x = p.memory(x)
    if x.strides != contiguous(x.shape):
        copy = p.allocate(x.shape, x.type)
        p.fill(copy, x)
        x = copy
    return p.stored(x.pointer, shape, x.type, offset=x.offset)


def transpose(p: Arrays, x: Array, axes: tuple[int, ...]) -> Array:
    """The axes in another order."""
    shape = tuple(x.shape[i] for i in axes)
    if isinstance(x, Memory):
        return p.stored(x.pointer, shape, x.type, tuple(x.strides[i] for i in axes), x.offset)
    back = inverse(axes)
    return p.lazy(shape, x.type, lambda i: x.at([i[j] for j in back]))


def swapaxes(p: Arrays, x: Array, i: int, j: int) -> Array:
    """Two axes exchanged."""
    axes = list(range(len(x.shape)))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(p, x, tuple(axes))


def getitem(p: Arrays, x: Array, index: Any) -> Any:
    """x[index]: a view for numbers, slices, None and an ellipsis; else elements by a table of their positions."""
    x, parts = p.memory(x), index if isinstance(index, tuple) else (index,)
    if not _is_basic(index):
        table = p.constant(_positions(x.shape, index))
        flat = reshape(p, x, (math.prod(x.shape),))
        return _stored(p, p.lazy(table.shape, x.type, lambda indices: flat.at([table.at(indices)])))
    given = sum(part is not None and part is not Ellipsis for part in parts)
    fill = [slice(None)] * (len(x.shape) - given)
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    sizes, steps, offset, axis = [], [], x.offset, 0
    for part in [*parts[:at], *fill, *parts[at + 1 :]]:
        if part is None:
            sizes.append(1)
            steps.append(0)
            continue
        n, stride = x.shape[axis], x.strides[axis]
        axis += 1
        if isinstance(part, slice):
            positions = range(n)[part]
            sizes.append(len(positions))
            steps.append(stride * positions.step)
            offset += stride * (positions.start if positions else 0)
        else:
            offset += stride * range(n)[part]
    part = p.stored(x.pointer, tuple(sizes), x.type, tuple(steps), offset)
    return part if sizes else p.number(part.at(()), x.type)


def _is_basic(index: Any) -> bool:
    """Whether an index names a view."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts)


def _positions(shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Which elements of a contiguous array of this shape an index names."""
    return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index], np.int64)


def scatter(p: Arrays, x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros with x added at an index."""
    out = p.allocate(shape, x.type)
    p.code.nest(shape, lambda i: p.store(literal(0, x.type), out, i))
    view = getitem(p, out, index) if _is_basic(index) else None
    if isinstance(view, Memory):
        p.fill(view, expand(p, x, view.shape))
        return out
    table = p.constant(_positions(shape, index))
    flat, x = p.stored(out.pointer, (math.prod(shape),), x.type), expand(p, x, table.shape)

    def add(indices: Sequence[str]) -> None:
        place = [table.at(indices)]
        p.store(p.code.emit(f"fadd {x.type} {flat.at(place)}, {x.at(indices)}"), flat, place)

    p.code.nest(table.shape, add)
    return out


def concatenate(p: Arrays, x: Array, y: Array, axis: int) -> Array:
    """x and y, one after the other along an axis."""
    shape = (*x.shape[:axis], x.shape[axis] + y.shape[axis], *x.shape[axis + 1 :])
    out, before = p.allocate(shape, x.type), (slice(None),) * axis
    p.fill(getitem(p, out, (*before, slice(None, x.shape[axis]))), x)
    p.fill(getitem(p, out, (*before, slice(x.shape[axis], None))), p.cast(y, x.type))
    return out


def flip(p: Arrays, x: Array, axis: int) -> Array:
    """The elements along an axis in reverse."""
    return getitem(p, x, (slice(None),) * axis + (slice(None, None, -1),))


def cast(p: Arrays, x: Array, dtype: Any) -> Array:
    """Another dtype."""
    return p.cast(x, p.type(np.dtype(dtype)))


LOOPS: dict[str, Callable] = {
    "sum": total,
    "mean": mean,
    "max": _extreme("maximum", -math.inf),
    "min": _extreme("minimum", math.inf),
    "ties": ties,
    "top": _extreme("maximum", -math.inf, of_nothing=True),
    "cumsum": cumsum,
    "matmul": matmul,
    "expand": expand,
    "sum_to": sum_to,
    "reshape": reshape,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "getitem": getitem,
    "scatter": scatter,
    "concatenate": concatenate,
    "flip": flip,
    "cast": cast,
}
