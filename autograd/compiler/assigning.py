"""What a function that is traced assigns to attributes of objects: no trace leaves its nodes there."""

import dis
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from types import CodeType
from typing import Any

import numpy as np

from ..failing import TracingError, purpose, refuse
from ..node import kinds
from ..tree import flatten
from ..users import at_users_line

MISSING = object()
FROZEN = (
    " inside {}, which happens only while it is recorded: nn.TrainStep changes float arrays, as in self.count = "
    "self.count + 1.0 where that began as np.array(0.0)"
)


class Assigned(threading.local):
    """What attributes were before this thread's trace assigned to them; by the id of their owner and their name.

    With the owner, and the code and the instruction that did it first.
    """

    before: dict[tuple[int, str], tuple[Any, Any, CodeType, int]] = {}


assigned = Assigned()


def assigning(owner: Any, name: str) -> None:
    """Remember what an attribute is that the caller's caller is about to assign to in a trace."""
    frame = sys._getframe(2)
    assigned.before.setdefault((id(owner), name), (owner, vars(owner).get(name, MISSING), frame.f_code, frame.f_lasti))


def take_back() -> list[tuple[Any, str, Any]]:
    """Make attributes what they were, where nodes of this trace were assigned to them, or floats in place of floats.

    The latter are buffers that change: their owners and names, and the nodes or arrays that were assigned last. Of
    Python's numbers, which no program changes, a warning tells. TracingError for what is no buffer and was read before,
    which the next call would have gone on from.
    """
    changed, lost, frozen = [], [], []
    for (_, name), (owner, before, code, place) in assigned.before.items():
        held, now = vars(owner), vars(owner).get(name)
        is_buffer = _is_floats(before) and now is not before and (_is_traced(now) or _is_floats(now))
        if is_buffer:
            changed.append((owner, name, now))
        is_traced = not is_buffer and any(map(_is_traced, flatten(now)))
        if is_traced and before is not MISSING and _reads(name, code, place):
            lost.append(f"{type(owner).__name__}.{name} was read, and then assigned to")
        if is_buffer or is_traced:
            held.pop(name) if before is MISSING else held.update({name: before})
        runs_anew = purpose.name == "vmap" and not kinds.kept  # each time that it is called
        if {type(before), type(now)} <= {int, float} and now != before and not runs_anew:
            frozen.append(f"{type(owner).__name__}.{name} went from {before} to {now}")
    assigned.before.clear()
    for what in frozen:
        at_users_line(warnings.warn, what + FROZEN.format(purpose.name), RuntimeWarning)
    for what in lost:
        refuse(
            what,
            "hold it as a float array since __init__, which nn.TrainStep takes over, or let forward take and return it",
        )
    return changed


@contextmanager
def taken_back() -> Iterator[None]:
    """Take back all that is assigned meanwhile; TracingError for a buffer, whose change would be lost."""
    before, assigned.before = assigned.before, {}
    try:
        yield
        for owner, name, x in take_back():
            now = vars(owner)[name]
            if _is_traced(x) or np.shape(x) == np.shape(now) and not np.array_equal(x, now, equal_nan=True):
                refuse(
                    f"{type(owner).__name__}.{name} was assigned to",
                    "nn.TrainStep takes it over, but not out of scan or vmap; or put the model into eval()",
                )
    finally:
        with suppress(TracingError):  # another error is on its way
            take_back()
        assigned.before = before


def _reads(name: str, code: CodeType, place: int) -> bool:
    """Whether a method reads this attribute of its object before the instruction at that place."""
    before = (step for step in dis.get_instructions(code) if step.offset < place)
    return any(
        then.opname == "LOAD_ATTR" and then.argval == name and _named(step) == code.co_varnames[0]
        for step, then in pairwise(before)
    )


def _named(step: dis.Instruction) -> str:
    """The variable that an instruction names, the second of two."""
    return step.argval[-1] if isinstance(step.argval, tuple) else step.argval


def _is_floats(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f"


def _is_traced(x: Any) -> bool:
    return hasattr(x, "example")
