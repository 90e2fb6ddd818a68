"""Matrix products of any size: copies of blocks that fit into the caches, and tiles that stay in registers.

As in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008). These are functions of sizes
and strides, compiled once in a process, which programs call by name.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as binding

from .machine import MachineCode, awaited, registers
from .text import SIZES, Code, Module

DEPTH = 256  # of a block: so many products are added up in registers before a tile goes to memory
BLOCK = 1 << 19  # bytes of a block of the left factor, which stays in the second cache
WIDTHS = 1, 2, 3  # of a tile, in vectors: with a quarter of the registers as rows, it takes three quarters
SQUARE = 4  # rows and columns that are transposed in registers; the lanes of a vector are a multiple
LOCK = awaited(threading.Lock())


def product(type: str) -> tuple[str, str]:
    """The function c = a @ b for a type of numbers, which programs can call from now on: its name and parameters.

    They are m, k and n >= lanes_of(type); a (m, k), its strides and whether to copy its blocks; b (k, n), its strides
    and whether to copy its panels, as it must where the second stride is not 1; c (m, n) in C order; room for a panel
    and for a block.
    """
    name = f"product.{type}"
    with LOCK:
        binding.add_symbol(name, functions(type).address(name))
    return name, "i64, i64, i64, ptr, i64, i64, i1, ptr, i64, i64, i1, ptr, ptr, ptr"


@functools.cache
def functions(type: str) -> MachineCode:
    """The functions for a type."""
    texts = [
        _Product(type).definition(),
        _copy(type),
        *(_tile(type, rows, width) for rows in heights() for width in WIDTHS),
    ]
    zeros = f"@zeros.{type} = internal constant [{WIDTHS[-1] * lanes_of(type)} x {type}] zeroinitializer"
    lines = [zeros, "attributes #0 = { nounwind willreturn memory(none) }", *sorted(set().union(*texts))]
    return MachineCode("\n".join(lines), f"product.{type}")


def heights() -> tuple[int, int]:
    """The rows of a tile, and of the last one where few are left."""
    return registers()[0] // 4, registers()[0] // 8


def lanes_of(type: str) -> int:
    """The numbers in a vector."""
    return registers()[1] // SIZES[type]


def rows_of_block(type: str) -> int:
    """The rows of the left factor that are multiplied at a time."""
    return BLOCK // (DEPTH * SIZES[type])


class Size:
    """A register that holds a size, a stride or an index; arithmetic with it writes code."""

    def __init__(self, code: Code, register: str):
        self.code, self.register = code, register

    def __str__(self) -> str:
        return self.register

    def _made(self, word: str, other: Any) -> "Size":
        return Size(self.code, self.code.emit(f"{word} i64 {self}, {other}"))

    def __add__(self, other: Any) -> "Size":
        return self._made("add nsw", other)

    def __sub__(self, other: Any) -> "Size":
        return self._made("sub nsw", other)

    def __mul__(self, other: Any) -> "Size":
        return self._made("mul nsw", other)

    def __floordiv__(self, other: Any) -> "Size":
        return self._made("udiv", other)

    __radd__, __rmul__ = __add__, __mul__

    def parts(self, size: int) -> "Size":
        """How many parts of a size it has, the last of which may be smaller."""
        return (self + (size - 1)) // size

    def least(self, other: Any) -> "Size":
        """The smaller one of two."""
        return Size(self.code, self.code.call("llvm.smin.i64", "i64", str(self), str(other)))

    def test(self, relation: str, other: Any) -> str:
        """A comparison, in a register."""
        return self.code.emit(f"icmp {relation} i64 {self}, {other}")

    def loop(self, body: Callable[["Size"], None]) -> None:
        """body(i) for i in range(self)."""
        self.code.loop(str(self), lambda i: body(Size(self.code, i)))


class Matrix:
    """A matrix in memory: a pointer, and the strides of rows and columns in elements, known now or by registers."""

    def __init__(self, code: Code, type: str, pointer: str, down: Any, along: Any):
        self.code, self.type, self.pointer, self.down, self.along = code, type, pointer, down, along

    def at(self, i: Any, j: Any) -> str:
        """The pointer to an element."""
        place = i * self.down + j * self.along
        return self.code.emit(f"getelementptr {self.type}, ptr {self.pointer}, i64 {place}")

    def load(self, i: Any, j: Any, lanes: int = 0) -> str:
        """An element, or a vector of those from there on in its row."""
        return self.code.emit(f"load {self._kind(lanes)}, ptr {self.at(i, j)}, align {SIZES[self.type]}")

    def store(self, value: str, i: Any, j: Any, lanes: int = 0) -> None:
        """The same, written."""
        self.code.do(f"store {self._kind(lanes)} {value}, ptr {self.at(i, j)}, align {SIZES[self.type]}")

    def _kind(self, lanes: int) -> str:
        return f"<{lanes} x {self.type}>" if lanes else self.type


def tile(a: Matrix, b: Matrix, depth: Any, rows: Sequence, columns: Sequence, lanes: int) -> list[str]:
    """These rows of a times vectors that begin at these columns of b: registers, row by row."""
    code, vector = a.code, f"<{lanes} x {a.type}>"

    def filled(number: str) -> str:
        lane = code.emit(f"insertelement {vector} poison, {a.type} {number}, i64 0")
        return code.emit(f"shufflevector {vector} {lane}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def add(index: str, *so_far: str) -> list[str]:
        k = Size(code, index)
        right = [b.load(k, j, lanes) for j in columns]
        left = [filled(a.load(i, k)) for i in rows]
        products = [code.emit(f"fmul contract {vector} {x}, {y}") for x in left for y in right]
        return [code.emit(f"fadd contract {vector} {x}, {y}") for x, y in zip(so_far, products)]

    return code.loop(depth, add, ["zeroinitializer"] * (len(rows) * len(columns)), vector)


def _function(code: Code, name: str, parameters: str) -> set[str]:
    """What is written, as a definition, and what it uses."""
    lines = [f"define void @{name}({parameters}) nounwind {{", "entry:", *code.lines, "  ret void", "}"]
    return {"\n".join(lines), *code.module.declared}


def _tile(type: str, height: int, width: int) -> set[str]:
    """c = before + a @ b of m <= height rows, and of n columns in so many vectors.

    Where there are fewer rows the last one is computed again, and the last vector may overlap the one before it.
    """
    code, lanes = Code(Module()), lanes_of(type)
    k, m, n, a0, a1, b0, c0, before0 = (Size(code, f"%{name}") for name in "k m n a0 a1 b0 c0 before0".split())
    a, b, c = Matrix(code, type, "%a", a0, a1), Matrix(code, type, "%b", b0, 1), Matrix(code, type, "%c", c0, 1)
    before = Matrix(code, type, "%before", before0, 1)
    rows, columns = [(m - 1).least(i) for i in range(height)], [*range(0, (width - 1) * lanes, lanes), n - lanes]
    places, found = [(i, j, lanes) for i in rows for j in columns], tile(a, b, k, rows, columns, lanes)
    # all are read before the first is written
    sums = [code.emit(f"fadd <{lanes} x {type}> {before.load(*at)}, {more}") for at, more in zip(places, found)]
    for at, total in zip(places, sums):
        c.store(total, *at)
    parameters = "i64 %k, ptr %a, i64 %a0, i64 %a1, ptr %b, i64 %b0, ptr %c, i64 %c0, ptr %before, i64 %before0"
    return _function(code, f"tile{height}x{width}.{type}", f"{parameters}, i64 %m, i64 %n")


def _copy(type: str) -> set[str]:
    """x (k, n) into rows of a width, one after the other: by squares, if rows or columns lie in one piece."""
    code = Code(Module())
    k, n, x0, x1, width = (Size(code, f"%{name}") for name in "k n x0 x1 width".split())
    x, to = Matrix(code, type, "%x", x0, x1), Matrix(code, type, "%to", width, 1)
    by_rows, by_columns, vector = x1.test("eq", 1), x0.test("eq", 1), f"<{SQUARE} x {type}>"
    step = Size(code, code.emit(f"select i1 {by_rows}, i64 {x0}, i64 {x1}"))

    def square(i: Size, j: Size) -> None:
        inside = code.emit(f"and i1 {(i + SQUARE).test('sle', k)}, {(j + SQUARE).test('sle', n)}")
        fast = code.emit(f"and i1 {inside}, {code.emit(f'or i1 {by_rows}, {by_columns}')}")
        _once(code, fast, lambda: vectors(i, j))
        numbers = Size(code, code.emit(f"select i1 {fast}, i64 0, i64 {(k - i).least(SQUARE)}"))
        numbers.loop(lambda s: (n - j).least(SQUARE).loop(lambda t: to.store(x.load(i + s, j + t), i + s, j + t)))

    def vectors(i: Size, j: Size) -> None:
        corner = Matrix(code, type, x.at(i, j), step, 1)
        found = [corner.load(s, 0, SQUARE) for s in range(SQUARE)]
        for s, (row, column) in enumerate(zip(found, transposed(code, type, found))):
            to.store(code.emit(f"select i1 {by_rows}, {vector} {row}, {vector} {column}"), i + s, j, SQUARE)

    k.parts(SQUARE).loop(lambda i: n.parts(SQUARE).loop(lambda j: square(i * SQUARE, j * SQUARE)))
    return _function(code, f"copy.{type}", "ptr %to, i64 %width, ptr %x, i64 %x0, i64 %x1, i64 %k, i64 %n")


def _once(code: Code, test: str, body: Callable[[], None]) -> None:
    """What runs if a test is true."""
    Size(code, code.emit(f"zext i1 {test} to i64")).loop(lambda _: body())


def transposed(code: Code, type: str, rows: list[str]) -> list[str]:
    """The columns of a square, as vectors."""
    vector = f"<{SQUARE} x {type}>"

    def mixed(x: str, y: str, lanes: str) -> str:
        order = ", ".join(f"i32 {lane}" for lane in lanes)
        return code.emit(f"shufflevector {vector} {x}, {vector} {y}, <{SQUARE} x i32> <{order}>")

    a, b, c, d = (mixed(rows[i], rows[i + 1], lanes) for i in (0, 2) for lanes in ("0426", "1537"))
    return [mixed(*pair, lanes) for lanes in ("0145", "2367") for pair in ((a, c), (b, d))]


class _Product:
    """The code of the whole product, block by block of a and panel by panel of b."""

    def __init__(self, type: str):
        self.code, self.type, self.lanes = Code(Module()), type, lanes_of(type)
        self.m, self.k, self.n, *strides = (Size(self.code, f"%{name}") for name in "m k n a0 a1 b0 b1".split())
        self.a, self.b = self.matrix("%a", *strides[:2]), self.matrix("%b", *strides[2:])
        self.c = self.matrix("%c", self.n, 1)
        self.vectors = self.n.parts(self.lanes)
        self.panels = self.vectors.parts(WIDTHS[-1])  # among which the vectors are dealt evenly

    def matrix(self, pointer: str, down: Any, along: Any) -> Matrix:
        return Matrix(self.code, self.type, pointer, down, along)

    def either(self, test: str, x: Any, y: Any, kind: str = "i64") -> Any:
        register = self.code.emit(f"select i1 {test}, {kind} {x}, {kind} {y}")
        return Size(self.code, register) if kind == "i64" else register

    def definition(self) -> set[str]:
        most = rows_of_block(self.type)
        self.k.parts(DEPTH).loop(lambda p: self.m.parts(most).loop(lambda i: self.block(p * DEPTH, i * most, most)))
        factors = "ptr %a, i64 %a0, i64 %a1, i1 %copy_a, ptr %b, i64 %b0, i64 %b1, i1 %copy_b"
        parameters = f"i64 %m, i64 %k, i64 %n, {factors}, ptr %c, ptr %panel, ptr %block"
        return _function(self.code, f"product.{self.type}", parameters)

    def block(self, p: Size, i: Size, most: int) -> None:
        """Some rows of c, where a block of a that begins at (i, p) adds to them."""
        depth, rows, height = (self.k - p).least(DEPTH), (self.m - i).least(most), heights()[0]
        source, copied = self.matrix(self.a.at(i, p), self.a.down, self.a.along), self.matrix("%block", depth, 1)

        def copy(top: Size) -> None:
            turned = self.matrix(source.at(top, 0), source.along, source.down)
            self.copy(copied.at(top, 0), height, turned, depth, (rows - top).least(height))

        self.either("%copy_a", rows.parts(height), 0).loop(lambda t: copy(t * height))
        pointer = self.either("%copy_a", "%block", source.pointer, "ptr")
        left = self.matrix(pointer, self.either("%copy_a", depth, source.down), 1)
        self.panels.loop(lambda j: self.panel(p, i, j, depth, rows, left))

    def copy(self, to: str, width: Any, x: Matrix, rows: Size, columns: Size) -> None:
        given = f"ptr {to}, i64 {width}, ptr {x.pointer}, i64 {x.down}, i64 {x.along}, i64 {rows}, i64 {columns}"
        self.code.do(f"call void @copy.{self.type}({given})")

    def panel(self, p: Size, i: Size, j: Size, depth: Size, rows: Size, left: Matrix) -> None:
        """Some columns of these rows."""
        before, after = (x * self.vectors // self.panels for x in (j, j + 1))
        width, start = after - before, before * self.lanes
        whole, source = width * self.lanes, self.matrix(self.b.at(p, start), self.b.down, self.b.along)
        columns = (self.n - start).least(whole)
        _once(self.code, "%copy_b", lambda: self.copy("%panel", whole, source, depth, columns))
        right, stride = (
            self.either("%copy_b", "%panel", source.pointer, "ptr"),
            self.either("%copy_b", whole, source.down),
        )
        (height, low), first = heights(), p.test("eq", 0)
        down, along = self.either("%copy_a", 1, self.a.down), self.either("%copy_a", height, self.a.along)

        def multiply(h: int, w: int, start_row: Any, t: Size) -> None:
            top = t * h + start_row
            place = self.c.at(i + top, start)
            factors = f"ptr {left.at(top, 0)}, i64 {down}, i64 {along}, ptr {right}, i64 {stride}"
            so_far = (
                f"ptr {self.either(first, f'@zeros.{self.type}', place, 'ptr')}, i64 {self.either(first, 0, self.n)}"
            )
            sizes = f"i64 {(rows - top).least(h)}, i64 {columns}"
            given = f"i64 {depth}, {factors}, ptr {place}, i64 {self.n}, {so_far}, {sizes}"
            self.code.do(f"call void @tile{h}x{w}.{self.type}({given})")

        tall = (rows + (low - 1)) // height
        rest = self.either((tall * height).test("slt", rows), 1, 0)
        for w in WIDTHS:
            fits = width.test("eq", w)
            self.either(fits, tall, 0).loop(functools.partial(multiply, height, w, 0))
            self.either(fits, rest, 0).loop(functools.partial(multiply, low, w, tall * height))
