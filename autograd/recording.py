"""Hooks: functions that are called with each new node. no_grad() cuts it off, detect_anomaly() looks at it.

Each thread, and each task of asyncio, has hooks of its own, until the block that set them ends.
"""

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, ParamSpec, TypeVar

from .arguments import is_node
from .tree import map_tree

P = ParamSpec("P")
R = TypeVar("R")

tick = itertools.count(1).__next__


class Hook(NamedTuple):
    """A function called with each node made after a tick; it may return another node to stand for that one."""

    action: Callable[[Any], Any]
    since: int


hooks: list[Hook] = []  # all that are open, whoever's: where there is none, nobody is asked
ours: ContextVar[tuple[Hook, ...]] = ContextVar("hooks", default=())  # of this thread and task, or of who began it


@contextlib.contextmanager
def hooked(action: Callable[[Any], Any]) -> Iterator[int]:
    """Call this with each node that is made here from now on; `cut` is called before all others."""
    hook, before = Hook(action, tick()), ours.get()
    try:  # around all, since Ctrl-C may come anywhere
        ours.set((hook, *before) if action is cut else (*before, hook))
        hooks.append(hook)
        yield hook.since
    finally:
        if hook in hooks:
            hooks.remove(hook)
        ours.set(tuple([other for other in ours.get() if other is not hook]))


class Derivative(threading.local):
    """When the derivative that this thread computes began: a no_grad() from before does not apply inside it."""

    since = 0


derivative = Derivative()


def attend(node: Any) -> Any:
    """Call the hooks of this thread and task with a new node, in order; returns the node, or what replaces it."""
    for hook in ours.get():  # a task may have outlived the block that it was started in
        if hook in hooks and (hook.action is not cut or hook.since > derivative.since):
            other = hook.action(node)
            if other is not None:
                return other
    return node


def cut(node: Any) -> None:
    """Cut a node off from what it was made of."""
    node.operation = node.x = node.y = None


def no_grad() -> "contextlib._GeneratorContextManager[int]":
    """Record nothing in this thread, or task of asyncio: results are leaves. A context manager, and a decorator.

    `grad` and its kin called inside give the derivative all the same, without a history of its own.
    """
    return hooked(cut)


inspector_here: ContextVar[Any] = ContextVar("inspector", default=None)


class Inspection(threading.local):
    """The open detect_anomaly() here, if there is one; and what it puts around the pullbacks of a sweep."""

    around: Callable[[dict], Any] | None = None

    @property
    def inspector(self) -> Any:
        """Who looks, until that block ends; asked for where there are `hooks`, by which it is known at once."""
        found = inspector_here.get()
        return found if found is not None and found.is_open else None

    @inspector.setter
    def inspector(self, inspector: Any) -> None:
        inspector_here.set(inspector)


inspection = Inspection()


def inspected(sweep: Callable) -> Callable:
    """A sweep, run by the open detect_anomaly() if there is one."""

    @functools.wraps(sweep)
    def looked_at(*how: Any) -> Any:
        inspector = inspection.inspector if hooks else None
        return sweep(*how) if inspector is None else inspector.sweep(sweep, *how)

    return looked_at


def read(*nodes: Any) -> None:
    """Tell who looks here that a mask or a place is made of the numbers of nodes, if of anybody's."""
    if (inspector := inspection.inspector) is not None:
        inspector.used(nodes)


def recording_is_off(since: int) -> bool:
    """Whether a no_grad() that was entered here after a tick is still open."""
    return any(hook in hooks and hook.action is cut and hook.since > since for hook in ours.get())


def records_for_itself(derivatives: Callable[P, R]) -> Callable[P, R]:
    """The function, which records what it needs inside no_grad() too; there its result has no history."""

    @functools.wraps(derivatives)
    def recorded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not recording_is_off(derivative.since):
            return derivatives(*args, **kwargs)
        before, derivative.since = derivative.since, tick()
        try:
            result = derivatives(*args, **kwargs)
        finally:
            derivative.since = before
        return map_tree(lambda x: x.detach() if is_node(x) else x, result)

    return recorded
