"""Matrix products as machine code: a tile of the result stays in registers while rows of the right factor go by."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from .arrays import Array, Arrays, Memory
from .text import TYPES, literal

ROWS, COLUMNS = 4, {"double": 8, "float": 16}  # a tile fills half of the sixteen registers that most processors have


def matmul(p: Arrays, x: Array, y: Array) -> Array:
    """Stacks of matrices (..., n, k) @ (..., k, m)."""
    type = max(x.type, y.type, key=list(reversed(TYPES.values())).index)  # the wider one
    x, y = (p.memory(p.cast(a, type)) for a in (x, y))
    if _in_rows(y):
        return _product(p, x, y, _tiles)
    if _in_rows(_turned(p, x)):
        return _turned(p, _product(p, _turned(p, y), _turned(p, x), _tiles))
    if x.shape[-2] == 1 or y.shape[-1] == 1:
        return _product(p, x, y, _dots)
    packed = p.allocate(y.shape, type)
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

    def tile(place: Sequence[str], left: int, width: int, top: int, height: int) -> None:
        j, i = p.code.linear(place[:1], [width], left), p.code.linear(place[1:], [height], top)
        _tile(p, height, width, _from(p, x, i, "0"), _from(p, y, "0", j), _from(p, out, i, j))

    for left, width, across in _parts(out.shape[1], COLUMNS[x.type]):
        for top, height, down in _parts(out.shape[0], ROWS):
            p.code.nest((across, down), functools.partial(tile, left=left, width=width, top=top, height=height))


def _parts(n: int, size: int) -> list[tuple[int, int, int]]:
    """Where the whole parts of a length start, their size and number; the same of the rest."""
    return [part for part in ((0, size, n // size), (n - n % size, n % size, 1)) if part[1] and part[2]]


def _from(p: Arrays, x: Memory, i: str, j: str) -> Memory:
    """The matrix that starts at an element."""
    return p.stored(p.address(x, [i, j]), x.shape, x.type, x.strides)


def _tile(p: Arrays, height: int, width: int, x: Memory, y: Memory, out: Memory) -> None:
    """The upper left tile of a product, a vector register for each row."""
    code, vector = p.code, f"<{width} x {x.type}>"
    align = f"align {8 if x.type == 'double' else 4}"

    def add(k: str, *so_far: str) -> list[str]:
        row = code.emit(f"load {vector}, ptr {p.address(y, [k, '0'])}, {align}")
        products = [times(x.at([str(i), k]), row) for i in range(height)]
        return [code.emit(f"fadd contract {vector} {pair[0]}, {pair[1]}") for pair in zip(so_far, products)]

    def times(number: str, row: str) -> str:
        lane = code.emit(f"insertelement {vector} poison, {x.type} {number}, i64 0")
        lanes = code.emit(f"shufflevector {vector} {lane}, {vector} poison, <{width} x i32> zeroinitializer")
        return code.emit(f"fmul contract {vector} {lanes}, {row}")

    rows = code.loop(x.shape[1], add, ["zeroinitializer"] * height, vector)
    for i, row in enumerate(rows):
        code.do(f"store {vector} {row}, ptr {p.address(out, [str(i), '0'])}, {align}")
