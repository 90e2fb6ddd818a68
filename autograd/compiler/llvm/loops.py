"""The table's words along axes, as loops: functions of the writer, symbolic arrays, and the rows' static arguments."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...on_arrays import inverse
from ..program import Unprintable
from .arrays import Array, Arrays, Memory, contiguous
from .matrices import matmul
from .text import converted, kind, literal

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
    start = [literal(first, x.type)]
    element = x.flat

    def total(outer: Sequence[str]) -> str:
        def inner(indices: Sequence[str], so_far: str) -> list[str]:
            place = [*outer] or [""] * len(x.shape)
            for i, index in zip(axes, indices):
                place[i] = index
            return [step(so_far, x.at(place))]

        return p.code.nest([x.shape[i] for i in axes], inner, start, x.type)[0]

    def line(outer: Any) -> str:
        count = p.code.parameter("i64", str(math.prod(x.shape)))
        return p.code.loop(count, lambda i, so_far: [step(so_far, element(i))], start, x.type)[0]

    return p.lazy(shape, x.type, line if element and not kept else total)


def _reduce_rows(
    p: Arrays, x: Array, axes: tuple[int, ...], shape: tuple[int, ...], first: float, step: Callable
) -> Array:
    """Along outer axes only: whole rows are taken together, so that the inner loop runs along memory."""
    out = p.allocate(shape, x.type)
    p.fill(out, p.constantly(first, shape, x.type))

    def body(indices: Sequence[str]) -> None:
        place = ["0" if i in axes else index for i, index in enumerate(indices)]
        element = x.at(indices)
        p.store(step(out.at(place), element), out, place)

    p.code.nest(x.shape, body)
    return out


def total(p: Arrays, x: Array, axis: Any) -> Array:
    """sum"""
    return _reduce(p, x, axis, 0.0, lambda a, b: _sum(p, x.type, a, b))


def _sum(p: Arrays, type: str, a: str, b: str, add: str = ADD) -> str:
    return p.code.emit(f"{add if kind(type) == 'f' else 'add'} {type} {a}, {b}")


def mean(p: Arrays, x: Array, axis: Any) -> Array:
    """mean"""
    axes, _ = _axes(x, axis)
    return p.elementwise("truediv", [total(p, x, axis), math.prod(x.shape[i] for i in axes)], x.type)


def _extreme(word: str, of_nothing: bool = False) -> Callable:
    def reduction(p: Arrays, x: Array, axis: Any) -> Array:
        if not math.prod(x.shape) and not of_nothing:
            raise Unprintable("an extreme of nothing is not printed")
        return _reduce(p, x, axis, _worst(word, x.type), lambda a, b: p.written(word, x.type, [b, a]))

    return reduction


def _worst(word: str, type: str) -> float:
    """What every number of a type is at least, or at most."""
    if kind(type) == "f":
        return -math.inf if word == "maximum" else math.inf
    bits = int(type[1:])
    least, most = (0, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return least if word == "maximum" else most


def argmax(p: Arrays, x: Array, axis: int) -> Array:
    """Where along an axis the first of the largest elements is, or the first that is no number."""
    if not math.prod(x.shape):
        raise Unprintable("an extreme of nothing is not printed")
    x = p.cast(x, "i64") if x.type == "i1" else x
    test = "fcmp ugt" if kind(x.type) == "f" else "icmp sgt"

    def at(outer: Sequence[str]) -> str:
        def better(i: str, place: str, most: str) -> list[str]:
            number = x.at([*outer[:axis], i, *outer[axis + 1 :]])
            wins = p.code.emit(f"{test} {x.type} {number}, {most}")
            if kind(x.type) == "f":  # one that is no number stays
                wins = p.code.emit(f"and i1 {wins}, {p.code.emit(f'fcmp ord {x.type} {most}, {most}')}")
            chosen = [("i64", i, place), (x.type, number, most)]
            return [p.code.emit(f"select i1 {wins}, {type} {a}, {type} {b}") for type, a, b in chosen]

        first = ["0", literal(_worst("maximum", x.type), x.type)]
        return p.code.loop(x.shape[axis], better, first, ["i64", x.type])[0]

    return p.lazy((*x.shape[:axis], 1, *x.shape[axis + 1 :]), "i64", at)


def ties(p: Arrays, x: Array, extreme: Array, axis: Any) -> Array:
    """1 / k where k elements are equal to the extreme, 0 elsewhere; a NaN is every extreme."""
    among = [p.elementwise("equal", [x, extreme], x.type), p.elementwise("not_equal", [x, x], x.type)]
    equal = p.cast(p.memory(p.elementwise("maximum", among, "i1")), x.type)
    return p.elementwise("truediv", [equal, p.memory(total(p, equal, axis))], x.type)


def cumsum(p: Arrays, x: Array, axis: int) -> Array:
    """Running sums along an axis."""
    out = p.allocate(x.shape, x.type)
    others = [n for i, n in enumerate(x.shape) if i != axis]

    def line(outer: Sequence[str]) -> None:
        def body(i: str, so_far: str) -> list[str]:
            place = [*outer[:axis], i, *outer[axis:]]
            following = _sum(p, x.type, so_far, x.at(place), "fadd")
            p.store(following, out, place)
            return [following]

        p.code.loop(x.shape[axis], body, [literal(0, x.type)], x.type)

    p.code.nest(others, line)
    return out


def expand(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast to a shape."""
    lead = len(shape) - len(x.shape)
    if not isinstance(x, Memory):
        same = x.flat if math.prod(x.shape) == 1 and x.flat else None
        flat = same and (lambda i: same("0"))
        return p.lazy(shape, x.type, lambda i: x.at(["0" if n == 1 else j for j, n in zip(i[lead:], x.shape)]), flat)
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
    if x.flat and not isinstance(x, Memory) and shape:
        return p.lazy(shape, x.type, lambda i: x.flat(p.code.linear(i, contiguous(shape))), x.flat)
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
    if not _is_basic(parts):
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
    p.fill(out, p.constantly(0, shape, x.type))
    if _is_basic(index):
        view = _view(p, out, index if isinstance(index, tuple) else (index,))
        p.fill(view, expand(p, x, view.shape))
        return out
    table = p.constant(_positions(shape, index))
    flat, x = p.stored(out.pointer, (math.prod(shape),), x.type), expand(p, x, table.shape)

    def add(indices: Sequence[str]) -> None:
        place = [table.at(indices)]
        p.store(_sum(p, x.type, flat.at(place), x.at(indices), "fadd"), flat, place)

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
        said = code.emit(f"select i1 {wrong}, i64 {n + 1}, i64 {p.status.at(())}")
        p.store(said, p.status, ())
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
        p.store(_sum(p, x.type, out.at(place), x.at(i), "fadd"), out, place)

    p.code.nest(x.shape, add)
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
    "max": _extreme("maximum"),
    "min": _extreme("minimum"),
    "argmax": argmax,
    "ties": ties,
    "top": _extreme("maximum", of_nothing=True),
    "cumsum": cumsum,
    "matmul": matmul,
    "expand": expand,
    "sum_to": sum_to,
    "reshape": reshape,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "getitem": getitem,
    "scatter": scatter,
    "bounded": bounded,
    "gather": gather,
    "scatter_add": scatter_add,
    "concatenate": concatenate,
    "flip": flip,
    "cast": cast,
}
