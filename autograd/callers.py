"""Who reads a node as a number: float() and its like, or a function that would lose its history."""

import dis
import functools
import math
import types
from collections.abc import Iterable
from typing import Any

# what reads a number, and has no derivative that could be lost
READING = {float, int, math.isnan, math.isinf, math.isfinite}
# what goes through an iterator, or calls the function that it is given
ITERATING = {all, any, dict, enumerate, filter, frozenset, list, map, max, min, next, set, sorted, sum, tuple, zip}
BUILT_IN = (type, types.BuiltinFunctionType)
WRITTEN = (
    "a {} is not written into an array of numbers, where its history would be lost: build the array of its parts, "
    "with stack, concatenate or where of autograd.numpy (and as an index give .data)"
)
MOST = 4096  # instructions that are remembered

Path = tuple[bool, str, tuple[str, ...]]  # whether a name is global; the name; attributes
NOTHING: Path = (True, "", ())
FLOAT: Path = (True, "float", ())  # looked for first


class Site:
    """What the program says at one instruction: what is called, and what is handed to it, or on the way to another."""

    __slots__ = ("code", "reads", "callee", "handed")

    def __init__(self, code: types.CodeType, reads: bool, callee: Path = NOTHING, handed: Iterable = ()):
        self.code = code  # held, so that its id stays its own
        self.reads = reads  # whether it is no call, but text formatting, a loop and the like
        self.callee = callee
        self.handed: list[tuple[Path, Path]] = [*handed]  # names, each with that of the function it is handed to


_sites: dict[tuple[int, int], Site] = {}


def only_float_may_read(node: Any, caller: types.FrameType) -> None:
    """Refuse a conversion that float() or int() was not called for: math.exp(node) would silently lose its history.

    All reach __float__ alike, so the instruction that the calling frame is at must tell. Code without position
    information cannot be looked into and is let through, and so is an iterator that was made elsewhere.
    """
    site = _sites.get((id(caller.f_code), caller.f_lasti)) or _remembered(caller.f_code, caller.f_lasti)
    if site.reads or (callee := _found(site.callee, caller)) is float or _is_one_of(READING, callee):
        return
    functions = []
    for path, called in site.handed:
        function = _found(path, caller)
        if _is_one_of(READING, function) and _is_one_of(ITERATING, _found(called, caller)):
            return
        functions.append(function)
    if _is_one_of(ITERATING, callee) and not any(isinstance(f, types.BuiltinFunctionType) for f in functions):
        return
    kind = type(node).__name__
    if writes(caller):
        raise TypeError(WRITTEN.format(kind))
    raise TypeError(
        f"only float(x) and int(x) read a {kind} as a number; this call would lose its history: use the {kind}'s own "
        "methods or autograd.numpy (x.exp(), not math.exp(x)), or .data for the number"
    )


def writes(frame: types.FrameType) -> bool:
    """Whether the program is at an assignment to an element."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("STORE_SUBSCR", "STORE_SLICE")


def called(frame: types.FrameType) -> str:
    """What the program calls at the instruction that a frame is at, as it is written there; nothing for no name."""
    site = _sites.get((id(frame.f_code), frame.f_lasti)) or _remembered(frame.f_code, frame.f_lasti)
    _, name, attributes = site.callee
    return ".".join((name, *attributes))


def _is_one_of(known: set, function: Any) -> bool:
    return isinstance(function, BUILT_IN) and function in known


def _found(path: Path, frame: types.FrameType) -> Any:
    """What a frame has under a name and its attributes; None if it has nothing."""
    is_global, name, attributes = path
    found = None if is_global else frame.f_locals.get(name)
    if found is None:
        found = frame.f_globals.get(name)
        if found is None:
            found = frame.f_builtins.get(name)
    for attribute in attributes:
        found = getattr(found, attribute, None)
    return found


def _remembered(code: types.CodeType, offset: int) -> Site:
    if len(_sites) >= MOST:
        _sites.clear()
    site = _sites[id(code), offset] = _site(code, offset)
    return site


@functools.lru_cache(maxsize=1)
def _steps(code: types.CodeType) -> list[tuple]:
    """Each instruction: where, what it does, a name, where its text begins and ends; twice if it loads two names."""
    instructions = list(dis.get_instructions(code))
    steps = []
    for i, following in zip(instructions, [*instructions[1:], instructions[-1]]):
        names = i.argval if isinstance(i.argval, tuple) and "_FAST" in i.opname else (i.argval,)
        for number, name in enumerate(names):
            # the second name's place is told by what is done with it next, if anything
            used = number and following.opname in ("PUSH_NULL", "LOAD_ATTR")
            steps.append((i.offset, "LOAD" if number else i.opname, name, *_place(following if used else i)))
    return steps


def _place(instruction: dis.Instruction) -> tuple:
    """Where the text of an instruction begins and ends, as far as that is known."""
    at = instruction.positions
    if at is None or at.lineno is None or at.col_offset is None:
        return None, None
    return (at.lineno, at.col_offset), (at.end_lineno, at.end_col_offset)


def _site(code: types.CodeType, offset: int) -> Site:
    """Read what is called at an instruction: the names that were loaded since where its expression begins."""
    *before, (_, last, _, start, end) = [step for step in _steps(code) if step[0] <= offset]
    last = last.removeprefix("PRE")  # where Python 3.11 calls what it has called here often
    if not last.startswith(("CALL", "STORE")) or "INTRINSIC" in last or start is None:
        return Site(code, reads=True)
    paths: dict[tuple[int, int], list[Path]] = {}
    calls = {}
    for _, does, name, place, its_end in before:
        if place is None or not start <= place < end:
            continue
        known = paths.setdefault(place, [])
        if does.startswith("CALL"):  # what was called on the way is not handed over itself
            calls[place] = its_end, known[0] if known else NOTHING
            known.clear()
        elif does in ("LOAD_ATTR", "LOAD_METHOD"):
            known[-1:] = [(*path[:2], (*path[2], name)) for path in known[-1:]]
        elif does.startswith("LOAD") and does != "LOAD_CONST":
            if (place, its_end) == (start, end):  # rewritten code, in which all has the place of its statement
                return Site(code, reads=True)
            known.append((does == "LOAD_GLOBAL", name, ()))
    callee = (paths.pop(start, None) or [NOTHING])[0]
    callee = callee if last.startswith("CALL") else NOTHING
    calls[start] = end, callee
    around = {place: max(p for p in calls if p < place < calls[p][0]) for place in paths if paths[place]}
    handed = [(path, calls[around[place]][1]) for place in around for path in paths[place]]
    return Site(code, False, callee, sorted(handed, key=lambda pair: pair[0] != FLOAT))
