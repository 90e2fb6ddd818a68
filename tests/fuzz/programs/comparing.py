"""A program by eager code and by each backend, and how they differ.

How far a result may be off is found by eager code whose every step is off by a little: what that changes much, or in
another way each time, is not compared.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy

from autograd import Tensor, Value, jit
from autograd.compiler import Program as Whole
from autograd.compiler import executable, leaf, llvm, record
from autograd.node import Node
from autograd.tree import flatten

from .text import BACKENDS, Program, looped, wrapped

# refusals that are documented
CANNOT = re.compile(
    "is not printed|of a node was called inside|asked for the numbers of a node|that JAX has not|^resize: "
    "|defined by Python functions|for array\\[i\\] write|no median|quantile: index"
    "|(convolve|cross): of|'(Traced)?Value' object"
)
BITS = re.compile("[&|^~]|<<|>>")  # which numbers of Python have in another way
ABSOLUTE = {"values": 1, "second": 10_000}  # of derivatives 100: they may be of what cancels


class Discarded(Exception):
    """A program that eager code does not run, or whose results say nothing."""


def difference(program: Program, peers: Sequence = ()) -> str | None:
    """How the programs of the backends, and those of the peers, differ from eager code; None if they do not."""
    eager, off = program.function(vmap=looped), program.function("rounded", vmap=looped)
    others = {backend: program.function(compiled=jit(backend=backend)) for backend in BACKENDS}
    if program.uses("vmap"):
        batched = program.function()
        others["eager vmap"] = lambda *args: batched(*map(wrapped, args))
    if program.mode == "values":
        others["iterated"] = iterated(program)
    with numpy.errstate(all="ignore"):
        expected = [_expected(eager, off, program, call) for call in range(2)]
        if any(is_number(x[0]) for x in program.inputs.values()) and is_of_floats(program):
            others |= of_numbers(program, eager, others["python"])
        with patch.multiple(llvm, ON_THE_STACK=0, LONG=0) if program.as_large else nullcontext():
            found = (_compared(name, function, program, expected) for name, function in others.items())
            said = next(filter(None, found), None)
        return said or next(filter(None, (peer.difference(program, expected) for peer in peers)), None)


def is_number(x: numpy.ndarray) -> bool:
    return x.shape == () and x.dtype == "f8"


def is_of_floats(program: Program) -> bool:
    """Whether it is the same of numbers of Python, which widen no float32, and have other masks, in programs floats."""
    whole = replace(program, mode="values").function(vmap=looped)(*program.arguments(0))
    floats = all(x.dtype.kind == "f" for x in numbers(whole))
    return floats and not program.is_single() and not BITS.search(program.source())


def of_numbers(program: Program, eager: Callable, compiled: Callable) -> dict[str, Callable]:
    """The same of Values, where values are compared, and of floats of Python where derivatives are."""
    number, array = (Value, wrapped) if program.mode == "values" else (float, lambda x: x)

    def given(args: Sequence) -> list:
        return [number(float(x)) if is_number(x) else array(x) for x in args]

    return {"numbers": lambda *args: eager(*given(args)), "numbers, compiled": lambda *args: compiled(*given(args))}


def iterated(program: Program) -> Callable:
    """Machine code that runs both calls as iterations."""
    found: list = []

    def call(*args: Any) -> Any:
        if not found:
            recording = record(program.function(), args, [*program.inputs])
            outputs = [y if isinstance(y, Tensor) else leaf(numpy.asarray(y)) for y in flatten(recording.output)]
            whole = Whole(recording.inputs, outputs)
            run = executable(whole, "program", "llvm", [True] * len(args))
            found.extend(zip(*run.iterate(2, [*map(numpy.stack, program.inputs.values())])))
        return [*found.pop(0)]

    return call


def numbers(tree: Any) -> list[numpy.ndarray]:
    """The arrays of a result."""
    return [numpy.array(x.data if isinstance(x, Node) else x) for x in flatten(tree)]


def _expected(eager: Callable, off: Callable, program: Program, call: int) -> list[tuple]:
    """The results of eager code, each with how far it may be off; None where nothing can be said."""
    args = program.arguments(call)
    try:
        found = numbers(eager(*map(wrapped, args)) if program.mode == "values" else eager(*args))
        near = [numbers(off(*(map(wrapped, args) if program.mode == "values" else args))) for _ in range(3)]
    except Exception as error:
        raise Discarded(str(error)) from error
    off_by = 1e-4 if program.is_single() else 1e-9
    return [
        (x, _tolerance(x, versions, off_by, ABSOLUTE.get(program.mode, 100))) for x, versions in zip(found, zip(*near))
    ]


def _tolerance(x: numpy.ndarray, versions: tuple, relative: float, factor: float) -> numpy.ndarray:
    """By the differences of some versions; NaN where they are no measure."""
    if x.dtype.kind != "f":
        return numpy.where(numpy.all([x == y for y in versions], axis=0), 0.0, numpy.nan)
    spread = numpy.max([abs(x - y) for y in versions], axis=0, initial=0)
    alike = numpy.all([numpy.isnan(x) == numpy.isnan(y) for y in versions], axis=0)
    alike &= numpy.all([(abs(x) == numpy.inf) == (abs(y) == numpy.inf) for y in versions], axis=0)
    usual = relative * abs(x) + relative * factor / 100
    known = alike & (numpy.isfinite(spread) | ~numpy.isfinite(x)) & ~((spread > 0.01 * abs(x)) & (spread > 1e-8))
    return numpy.where(known, numpy.where(numpy.isfinite(x), 10 * spread + usual, 0), numpy.nan)


def _compared(name: str, function: Callable, program: Program, expected: list) -> str | None:
    """What is wrong with a backend's results, with what becomes of them, or with what it does to arguments."""
    before = None
    # a loop hands gradients of 0 on, of which products with infinite matrices make NaN
    lenient = program.uses("scan") and program.mode != "values"
    # NumPy's quantiles of integers, which eager code leaves to it, are NaN beside infinity, and of int32 overflow
    beside = any(map(program.uses, ("quantile", "percentile")))
    narrow = any(x[0].dtype == "i4" for x in program.inputs.values())
    for call, theirs in enumerate(expected):
        args = program.arguments(call)
        kept = [x.copy() for x in args]
        try:
            results = [x.data if isinstance(x, Node) else x for x in flatten(function(*args))]
        except Exception as error:
            if CANNOT.search(str(error)) and isinstance(error, (TypeError, ValueError, IndexError, AttributeError)):
                return None
            return f"{name}: {type(error).__name__}: {error}"
        if any(a.tobytes() != b.tobytes() for a, b in zip(args, kept)):
            return f"{name}: an argument was changed"
        if before and any(x.tobytes() != y for x, y in zip(*before)):
            return f"{name}: a result was changed by the next call"
        held = [x for x in results if isinstance(x, numpy.ndarray)]
        if name in BACKENDS and any(numpy.shares_memory(x, y) for x in held for y in args):
            return f"{name}: a result is an argument"
        before = held, [x.tobytes() for x in held]
        for i, (ours, (x, tolerance)) in enumerate(zip(results, theirs, strict=True)):
            said = _unlike(numpy.asarray(ours), x, tolerance)
            if said and not (lenient and numpy.isnan(ours).any() or beside and (narrow or numpy.isnan(x).any())):
                return f"{name}: call {call}, result {i}: {said}"
    return None


def _unlike(ours: numpy.ndarray, theirs: numpy.ndarray, tolerance: numpy.ndarray) -> str | None:
    if ours.dtype != theirs.dtype:
        return f"dtype {ours.dtype}, not {theirs.dtype}"
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, not {theirs.shape}"
    if ours.dtype.kind != "f":
        wrong = (ours != theirs) & ~numpy.isnan(tolerance)
    else:
        same = (ours == theirs) | (abs(ours - theirs) <= tolerance) | numpy.isnan(ours) & numpy.isnan(theirs)
        wrong = ~same & ~numpy.isnan(tolerance)
    return f"value\n{ours}\nnot\n{theirs}" if wrong.any() else None


def sort_of(said: str | None) -> str:
    """What kind of failure it is, so that shrinking keeps to one."""
    return re.sub(r"call.*result \d+|\d+", "", (said or "").split("\n")[0])
