"""Words along axes, as loops: functions of the writer, symbolic arrays, and the rows' static arguments."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...on_arrays import count, inverse
from ..program import Unprintable
from .arrays import ADD, Array, Arrays, Memory, contiguous
from .matrices import matmul
from .text import SIZES, kind, literal


def _axes(x: Array, axis: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that are reduced, and the shape of the result: of all axes a number, else with lengths 1 kept."""
    if axis is None:
        return tuple(range(len(x.shape))), ()
    axes = axis if isinstance(axis, tuple) else (axis,)  # a row of the user's may say 0 for (0,)
    return axes, tuple(1 if i in axes else n for i, n in enumerate(x.shape))


def reduced(p: Arrays, word: str, type: str) -> tuple[float, Callable[[str, str], str]]:
    """What a reduction begins with, and its next value after one more element."""
    if word not in EXTREMES:
        return 0.0, lambda so_far, more: plus(p, type, so_far, more)
    extreme = EXTREMES[word]
    if kind(type) == "f":  # LLVM's own passes NaN on, too, and is vectorised; of 0.0 and -0.0 it may give either
        name = f"llvm.{extreme}.f{8 * SIZES[type]}"
        return _worst(extreme, type), lambda so_far, more: p.code.call(name, type, so_far, more, flags="nsz ")
    return _worst(extreme, type), lambda so_far, more: p.written(extreme, type, [more, so_far])


def reduce(p: Arrays, x: Array, axis: tuple[int, ...] | None, word: str = "sum") -> Array:
    """step(step(first, element), element) ... along axes."""
    axes, shape = _axes(x, axis)
    first, step = reduced(p, word, x.type)
    kept = [i for i in range(len(x.shape)) if i not in axes]
    if kept and kept[-1] == len(x.shape) - 1 and axes:
        return reduce_rows(p, x, axes, shape, first, step)
    start = [literal(first, x.type)]

    def total(outer: Sequence[str]) -> str:
        def inner(indices: Sequence[str], so_far: str) -> list[str]:
            place = [*outer] or [""] * len(x.shape)
            for i, index in zip(axes, indices):
                place[i] = index
            return [step(so_far, x.at(place))]

        return p.code.nest([x.shape[i] for i in axes], inner, start, x.type)[0]

    def line(outer: Any) -> str:
        length = p.code.parameter("i64", str(math.prod(x.shape)))
        return p.code.loop(length, lambda i, so_far: [step(so_far, x.flat(i))], start, x.type)[0]

    return p.lazy(shape, x.type, line if x.flat and not kept else total)


def reduce_rows(
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


def plus(p: Arrays, type: str, a: str, b: str, add: str = ADD) -> str:
    """The sum of two numbers."""
    return p.code.emit(f"{add if kind(type) == 'f' else 'add'} {type} {a}, {b}")


def mean(p: Arrays, x: Array, axis: Any) -> Array:
    """mean"""
    return p.elementwise("truediv", [reduce(p, x, axis), count(x.shape, axis)], x.type)


EXTREMES = {"max": "maximum", "top": "maximum", "min": "minimum"}


def _extreme(word: str, of_nothing: bool = False) -> Callable:
    def reduction(p: Arrays, x: Array, axis: Any) -> Array:
        if not math.prod(x.shape) and not of_nothing:
            raise Unprintable("an extreme of nothing is not printed")
        return reduce(p, x, axis, word)

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
    return p.elementwise("truediv", [equal, p.memory(reduce(p, equal, axis))], x.type)


def cumsum(p: Arrays, x: Array, axis: int) -> Array:
    """Running sums along an axis."""
    out = p.allocate(x.shape, x.type)
    others = [n for i, n in enumerate(x.shape) if i != axis]

    def line(outer: Sequence[str]) -> None:
        def body(i: str, so_far: str) -> list[str]:
            place = [*outer[:axis], i, *outer[axis:]]
            following = plus(p, x.type, so_far, x.at(place), "fadd")
            p.store(following, out, place)
            return [following]

        p.code.loop(x.shape[axis], body, [literal(0, x.type)], x.type)

    p.code.nest(others, line)
    return out


def expand(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast to a shape."""
    lead = len(shape) - len(x.shape)
    if not isinstance(x, Memory):
        flat = (lambda i: x.flat("0")) if x.flat and math.prod(x.shape) == 1 else None
        return p.lazy(shape, x.type, lambda i: x.at(["0" if n == 1 else j for j, n in zip(i[lead:], x.shape)]), flat)
    strides = (0,) * lead + tuple(0 if n == 1 else s for n, s in zip(x.shape, x.strides))
    return p.stored(x.pointer, shape, x.type, strides, x.offset)


def sum_to(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """The sum over the axes along which an array of this shape would be broadcast."""
    lead = len(x.shape) - len(shape)
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1))
    return reshape(p, reduce(p, x, axes), shape)


def reshape(p: Arrays, x: Array, shape: tuple[int, ...]) -> Array:
    """The same elements in another shape."""
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


def cast(p: Arrays, x: Array, dtype: Any) -> Array:
    """Another dtype."""
    return p.cast(x, p.type(np.dtype(dtype)))


ALONG_AXES: dict[str, Callable] = {
    "sum": reduce,
    "mean": mean,
    "max": _extreme("max"),
    "min": _extreme("min"),
    "argmax": argmax,
    "ties": ties,
    "top": _extreme("top", of_nothing=True),
    "cumsum": cumsum,
    "matmul": matmul,
    "expand": expand,
    "sum_to": sum_to,
    "reshape": reshape,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "cast": cast,
}
