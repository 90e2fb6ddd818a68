"""Matrix products: tiny ones are written out for their sizes, others call functions for every size (tiles.py)."""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..program import Unprintable
from .arrays import Array, Arrays, Memory, contiguous
from .text import SIZES, kind, literal
from .tiles import DEPTH, WIDTHS, Matrix, heights, lanes_of, product, rows_of_block, tile

# measured with vectors of 32 and of 64 bytes
TINY = 4096  # multiply-adds up to which code for just these sizes is faster
FAR = 1 << 18  # rows of x times bytes from row to row of y, from which panels are copied
WIDE, LONG = 256, 2048  # columns of y, and bytes from row to row of x, from which blocks of x are copied
ROWS, BYTES = 4, 64  # of a tile that is written out


def matmul(p: Arrays, x: Array, y: Array) -> Array:
    """Stacks of matrices (..., m, k) @ (..., k, n)."""
    type = x.type
    if kind(type) != "f":
        raise Unprintable("matmul of integers is not printed")
    a, b = p.memory(x), p.memory(y)
    if len(a.shape) == 2 or math.prod(b.shape[:-2]) != 1 or not _evenly_apart(a):
        return _stacks(p, a, b)
    rows = p.stored(a.pointer, (math.prod(a.shape[:-1]), a.shape[-1]), type, a.strides[-2:], a.offset)
    out = _stacks(p, rows, p.stored(b.pointer, b.shape[-2:], type, b.strides[-2:], b.offset))
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2])
    strides = (*(out.strides[0] * s for s in contiguous(shape)), out.strides[1])
    return p.stored(out.pointer, (*shape, b.shape[-1]), type, strides, out.offset)


def _evenly_apart(x: Memory) -> bool:
    """Whether the rows of a stack of matrices are those of one tall matrix."""
    return all(far == n * near for far, n, near in zip(x.strides[:-2], x.shape[1:], x.strides[1:]))


def _stacks(p: Arrays, x: Memory, y: Memory) -> Memory:
    (m, k), n = x.shape[-2:], y.shape[-1]
    tiny, vector, least = m * k * n <= TINY, 1 in (m, n), lanes_of(x.type)
    if not tiny and not vector and n >= least:
        return _product(p, x, y, _blocks)
    if not tiny and not vector and m >= least and _in_rows(_turned(p, x)):
        return _turned(p, _product(p, _turned(p, y), _turned(p, x), _blocks))
    by_rows, turned = _rows if vector and not tiny else _tiles, _in_rows(_turned(p, x))
    if _in_rows(y) and not (turned and n < min(m, least)):
        return _product(p, x, y, by_rows)
    if turned:
        return _turned(p, _product(p, _turned(p, y), _turned(p, x), by_rows))
    if vector:
        return _product(p, x, y, _dots)
    packed = p.allocate(y.shape, y.type)
    p.fill(packed, y)
    return _product(p, x, packed, _tiles)


def _in_rows(x: Memory) -> bool:
    """Whether its rows are long and lie in one piece."""
    return x.strides[-1] == 1 and x.shape[-1] > 1


def _turned(p: Arrays, x: Memory) -> Memory:
    """The transposes of a stack of matrices, in the same memory."""

    def swapped(axes: tuple[int, ...]) -> tuple[int, ...]:
        return (*axes[:-2], axes[-1], axes[-2])

    return p.stored(x.pointer, swapped(x.shape), x.type, swapped(x.strides), x.offset)


def _product(p: Arrays, x: Memory, y: Memory, of_matrices: Callable) -> Memory:
    """The product of every pair of matrices of two stacks that are broadcast against each other."""
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    out = p.allocate((*lead, x.shape[-2], y.shape[-1]), x.type)

    def matrix(stack: Memory, outer: Sequence[str]) -> Memory:
        own = outer[len(outer) - len(stack.shape) + 2 :]
        place = ["0" if n == 1 else i for i, n in zip(own, stack.shape)]
        pointer = p.address(stack, [*place, "0", "0"])
        return p.stored(pointer, stack.shape[-2:], stack.type, stack.strides[-2:])

    p.code.nest(lead, lambda outer: of_matrices(p, *(matrix(stack, outer) for stack in (x, y, out))))
    return out


def _blocks(p: Arrays, x: Memory, y: Memory, out: Memory) -> None:
    """By the function for products of every size."""
    (m, k), n = x.shape, y.shape[1]
    copy_x = n >= WIDE and max(map(abs, x.strides)) * SIZES[x.type] >= LONG
    copy_y = y.strides[1] != 1 or m * abs(y.strides[0]) * SIZES[y.type] >= FAR
    panel = p.allocate((copy_y * DEPTH, WIDTHS[-1] * lanes_of(y.type)), y.type)
    block = p.allocate((copy_x * min(m + heights()[0], rows_of_block(x.type)), DEPTH), x.type)
    name, parameters = product(x.type)
    p.code.module.declared.add(f"declare void @{name}({parameters})")
    left, right = (x.pointer, *x.strides, int(copy_x)), (y.pointer, *y.strides, int(copy_y))
    given = m, k, n, *left, *right, out.pointer, p.pointer(panel), p.pointer(block)
    arguments = ", ".join(f"{type} {each}" for type, each in zip(parameters.split(", "), given, strict=True))
    p.code.do(f"call void @{name}({arguments})")


def _rows(p: Arrays, x: Memory, y: Memory, out: Memory) -> None:
    """One row times a matrix: the rows of the matrix are added up, a few at a time."""
    p.code.nest(out.shape, lambda place: p.store(literal(0, x.type), out, place))

    def add(k: str, count: int, start: int) -> None:
        rows = [p.code.linear([k], [count], start + i) for i in range(count)]
        numbers = [x.at(["0", row]) for row in rows]

        def element(j: str) -> None:
            total = out.at(["0", j])
            for row, number in zip(rows, numbers):
                more = p.code.emit(f"fmul contract {x.type} {number}, {y.at([row, j])}")
                total = p.code.emit(f"fadd contract {x.type} {total}, {more}")
            p.store(total, out, ["0", j])

        p.code.loop(out.shape[1], element)

    for start, count, times in _parts(x.shape[1], ROWS):
        p.code.loop(times, functools.partial(add, count=count, start=start))


def _dots(p: Arrays, x: Memory, y: Memory, out: Memory) -> None:
    """Every element by itself, along both factors."""

    def element(place: Sequence[str]) -> None:
        def add(k: str, so_far: str) -> list[str]:
            term = p.code.emit(f"fmul contract {x.type} {x.at([place[0], k])}, {y.at([k, place[1]])}")
            return [p.code.emit(f"fadd reassoc contract {x.type} {so_far}, {term}")]

        p.store(p.code.loop(x.shape[1], add, [literal(0, x.type)], x.type)[0], out, place)

    p.code.nest(out.shape, element)


def _tiles(p: Arrays, x: Memory, y: Memory, out: Memory) -> None:
    """Tiles of a few rows and as many columns as there are lanes; at the edges they are smaller."""

    def part(place: Sequence[str], left: int, width: int, top: int, height: int) -> None:
        j, i = p.code.linear(place[:1], [width], left), p.code.linear(place[1:], [height], top)
        a, b, c = (
            Matrix(p.code, each.type, p.address(each, at), *each.strides)
            for each, at in ((x, [i, "0"]), (y, ["0", j]), (out, [i, j]))
        )
        for row, sums in enumerate(tile(a, b, x.shape[1], range(height), [0], width)):
            c.store(sums, row, 0, width)

    for left, width, across in _parts(out.shape[1], BYTES // SIZES[x.type]):
        for top, height, down in _parts(out.shape[0], ROWS):
            p.code.nest((across, down), functools.partial(part, left=left, width=width, top=top, height=height))


def _parts(n: int, size: int) -> list[tuple[int, int, int]]:
    """Where the whole parts of a length start, their size and number; the same of the rest."""
    return [part for part in ((0, size, n // size), (n - n % size, n % size, 1)) if part[1] and part[2]]
