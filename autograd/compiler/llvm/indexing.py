"""Words that take, put and join elements by their places, as loops."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...on_arrays import basic_parts, refusal
from ..program import Unprintable
from .arrays import Array, Arrays, Memory
from .loops import expand, plus, reshape
from .text import SIZES, converted, kind


def getitem(p: Arrays, x: Array, index: Any) -> Any:
    """x[index]: a view for numbers, slices, None and an ellipsis; else elements by a table of their positions."""
    x, parts = p.memory(x), basic_parts(index)
    if parts is None:
        table = p.constant(_positions(x.shape, index))
        flat = reshape(p, x, (math.prod(x.shape),))
        return p.lazy(table.shape, x.type, lambda i: flat.at([table.at(i)]), lambda i: flat.at([table.flat(i)]))
    return p.readable(_view(p, x, parts))


def _view(p: Arrays, x: Memory, parts: tuple) -> Memory:
    """The part of an array that numbers, slices, None and an ellipsis name."""
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
    return p.stored(x.pointer, tuple(sizes), x.type, tuple(steps), offset)


def _positions(shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Which elements of a contiguous array of this shape an index names."""
    return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index], np.int64)


def scatter(p: Arrays, x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros with x added at an index."""
    out = p.allocate(shape, x.type)
    p.fill(out, p.constantly(0, shape, x.type))
    if (parts := basic_parts(index)) is not None:
        view = _view(p, out, parts)
        p.fill(view, expand(p, x, view.shape))
        return out
    table = p.constant(_positions(shape, index))
    flat, x = p.stored(out.pointer, (math.prod(shape),), x.type), expand(p, x, table.shape)

    def add(indices: Sequence[str]) -> None:
        place = [table.at(indices)]
        p.store(plus(p, x.type, flat.at(place), x.at(indices), "fadd"), flat, place)

    p.code.nest(table.shape, add)
    return out


def bounded(p: Arrays, x: Array, n: int) -> Array:
    """Indices into n elements as places from 0 to n - 1; 0 for what is none, which the caller is told of."""
    if not n:
        raise Unprintable("an index into nothing is not printed")

    def at(indices: Sequence[str]) -> str:
        code, given = p.code, x.at(indices)
        place = converted(code, given, x.type, "i64")
        tests = [f"icmp slt i64 {place}, {-n}", f"icmp sge i64 {place}, {n}"]
        if kind(x.type) == "f":
            tests.append(f"fcmp une {x.type} {converted(code, place, 'i64', x.type)}, {given}")
        wrong = functools.reduce(lambda a, b: code.emit(f"or i1 {a}, {b}"), map(code.emit, tests))
        p.refuse(wrong, IndexError, refusal(n))
        negative = code.emit(f"icmp slt i64 {place}, 0")
        place = code.emit(f"add i64 {place}, {code.emit(f'select i1 {negative}, i64 {n}, i64 0')}")
        return code.emit(f"select i1 {wrong}, i64 0, i64 {place}")

    return p.lazy(x.shape, "i64", at)


def gather(p: Arrays, x: Array, places: Array) -> Array:
    """Rows of x, at places along its first axis."""
    rows, count = p.memory(x), len(places.shape)
    return p.lazy((*places.shape, *x.shape[1:]), x.type, lambda i: rows.at([places.at(i[:count]), *i[count:]]))


def scatter_add(p: Arrays, x: Array, places: Array, shape: tuple[int, ...]) -> Array:
    """Zeros with rows of x added at places along the first axis."""
    out, count = p.allocate(shape, x.type), len(places.shape)
    p.fill(out, p.constantly(0, shape, x.type))

    def add(i: Sequence[str]) -> None:
        place = [places.at(i[:count]), *i[count:]]
        p.store(plus(p, x.type, out.at(place), x.at(i), "fadd"), out, place)

    p.code.nest(x.shape, add)
    return out


def searchsorted(p: Arrays, x: Array, y: Array, side: str) -> Array:
    """How many of rising numbers are before each of others, bit by bit."""
    if {kind(x.type), kind(y.type)} != {"f"}:
        raise Unprintable("searchsorted of integers is not printed")
    (n,), type, emit = x.shape, max(x.type, y.type, key=SIZES.__getitem__), lambda text: p.code.emit(text)
    rising, others = p.memory(p.cast(x, type)), p.cast(y, type)

    def less(a: str, b: str) -> str:
        """Whether a is before b; what is no number is last."""
        last = emit(f"and i1 {emit(f'fcmp ord {type} {a}, {a}')}, {emit(f'fcmp uno {type} {b}, {b}')}")
        return emit(f"or i1 {emit(f'fcmp olt {type} {a}, {b}')}, {last}")

    def count(indices: Sequence[str]) -> str:
        def bit(i: str, so_far: str) -> list[str]:
            more = emit(f"add i64 {so_far}, {emit(f'lshr i64 {1 << n.bit_length() - 1}, {i}')}")
            exists = emit(f"icmp sle i64 {more}, {n}")
            element = rising.at([emit(f"sub i64 {emit(f'select i1 {exists}, i64 {more}, i64 1')}, 1")])
            before = less(element, number) if side == "left" else emit(f"xor i1 {less(number, element)}, true")
            return [emit(f"select i1 {emit(f'and i1 {exists}, {before}')}, i64 {more}, i64 {so_far}")]

        number = others.at(indices)
        return p.code.loop(n.bit_length(), bit, ["0"], "i64")[0] if n else "0"

    return p.lazy(y.shape, "i64", count)


def concatenate(p: Arrays, x: Array, y: Array, axis: int) -> Memory:
    """x and y, one after the other along an axis."""
    shape = (*x.shape[:axis], x.shape[axis] + y.shape[axis], *x.shape[axis + 1 :])
    out, before = p.allocate(shape, x.type), (slice(None),) * axis
    p.fill(_view(p, out, (*before, slice(None, x.shape[axis]))), x)
    p.fill(_view(p, out, (*before, slice(x.shape[axis], None))), p.cast(y, x.type))
    return out


def flip(p: Arrays, x: Array, axis: int) -> Array:
    """The elements along an axis in reverse."""
    return getitem(p, x, (slice(None),) * axis + (slice(None, None, -1),))


BY_PLACE: dict[str, Callable] = {
    "getitem": getitem,
    "scatter": scatter,
    "bounded": bounded,
    "gather": gather,
    "scatter_add": scatter_add,
    "searchsorted": searchsorted,
    "concatenate": concatenate,
    "flip": flip,
}
