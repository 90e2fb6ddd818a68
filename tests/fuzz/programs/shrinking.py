"""Of a program that fails a smaller one that fails in the same way."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy

from .comparing import Discarded, numbers, sort_of
from .drawing import needed
from .text import NAME, Line, Program, looped, wrapped


def smallest(program: Program, said: str, difference: Callable, most: float) -> tuple[Program, str]:
    """The smallest program, reached by dropping things, that fails in the same way; for at most so many seconds."""
    sort, end, again = sort_of(said), time.monotonic() + most, True
    while again:
        again = False
        for smaller in _smaller(program):
            if time.monotonic() > end:
                return program, said
            found = _failure(smaller, difference)
            if found and sort_of(found) == sort:
                program, said, again = smaller, found, True
                break
    return program, said


def _failure(program: Program, difference: Callable) -> str | None:
    try:
        return difference(program)
    except (Discarded, NameError, SyntaxError):
        return None


def _smaller(program: Program) -> Iterator[Program]:
    """Programs with something dropped."""
    for output in program.outputs if len(program.outputs) > 1 else ():
        yield replace(program, outputs=(output,)).needed()
    if program.as_large:
        yield replace(program, as_large=False)
    if program.mode != "values":
        yield replace(program, mode="values")
    if len(program.outputs) == 1:
        for line in program.lines[:-1]:
            yield replace(program, outputs=line.names[:1]).needed()
    yield from _with_inputs(program)
    yield from _renamed(program)
    for i, of in enumerate(program.layouts):
        if any(of):
            yield replace(program, layouts=tuple(() if k == i else x for k, x in enumerate(program.layouts)))


def _with_inputs(program: Program) -> Iterator[Program]:
    """With an input in the place of what is computed."""
    for i, line in reversed([*enumerate(program.lines)]):
        for name in line.names:
            shown = replace(program, outputs=(name,), mode="values")
            try:
                with numpy.errstate(all="ignore"):
                    eager = shown.function(vmap=looped)
                    found = tuple(numbers(eager(*map(wrapped, program.arguments(call))))[0] for call in range(2))
            except Exception:
                continue
            following = tuple(each.renamed({name: f"x9{i}"}) for each in program.lines)
            outputs = tuple(f"x9{i}" if x == name else x for x in program.outputs)
            inputs = {**program.inputs, f"x9{i}": found}
            yield replace(program, inputs=inputs, lines=following, outputs=outputs).needed()


def _renamed(program: Program) -> Iterator[Program]:
    """With an earlier variable in the place of another."""
    names = [*program.inputs, *(name for line in program.lines for part in (*line.body, line) for name in part.names)]
    for late, early in itertools.product(names[::-1], names):
        if names.index(early) < names.index(late):
            lines = tuple(_with(line, {late: early}) for line in program.lines)
            outputs = tuple(early if x == late else x for x in program.outputs)
            smaller = replace(program, lines=lines, outputs=outputs).needed()
            if len(smaller.source()) < len(program.source()):
                yield smaller


def _with(line: Line, of: dict[str, str]) -> Line:
    """A line with other variables, and only what is then needed of the function in it."""
    line = line.renamed(of)
    return replace(line, body=needed([*line.body], {*NAME.findall(line.result)})) if line.body else line
