"""What a program was recorded from besides its arguments, and whether it is still as it was.

A function is its closure, its defaults and (if it is no library's) the global names in its code; an object is its
attributes; lists, tuples and dicts are what they hold, arrays their numbers. Of modules and classes only the identity
counts. The numbers of Values and Tensors are read at each call and need no watch. An object that cannot be called (a
settings object, say) counts by those attributes that the code around it names.
"""

import contextlib
import functools
import pickle
import sysconfig
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import call, is_
from typing import Any

import numpy as np

from ..failing import TracingError
from ..node import Node
from ..operation import Operation
from ..users import LIBRARIES

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
OPAQUE = (Node, Operation, type, types.ModuleType, str, bytes, int, float, complex, np.generic, np.ufunc, np.dtype)
END = (object(),)  # between two places, so that nothing slips from one into the next unseen


def attributes(owner: Any, names: Iterable[str]) -> list[Callable]:
    """Functions that say what some attributes of an object are at the moment, None for one that is missing."""
    return [functools.partial(getattr, owner, name, None) for name in sorted(names)]


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # this variable of a closure has no value yet
        return None


class Watch:
    """Some objects, and what some functions say, as they are now, with all that they hold but some attributes."""

    def __init__(self, *roots: Any, getters: Iterable[Callable] = (), but: Iterable[tuple[Any, str]] = ()):
        self._but: dict[int, set[str]] = defaultdict(set)  # what does not count, by the id of its owner
        for owner, name in but:
            self._but[id(owner)].add(name)
        self._containers: list[tuple[Iterable, list]] = []  # with what each of them holds
        self._owners: list[tuple[Any, dict, set[str]]] = []  # with their attributes, and which do not count
        self._getters: list[tuple[Callable, Any]] = []  # with what each of them says
        self._dicts: list[tuple[dict, dict]] = []  # with what stood in each of them
        self._arrays: list[tuple[np.ndarray, tuple]] = []
        self._places: list[Iterable] = []  # the containers, and what stands in them one after the other
        self._held: list = []
        self._generators: list = [np.random.mtrand._rand]  # of random numbers, NumPy's own among them
        self._functions: list[Callable] = []  # the getters, and what they say
        self._got: list = []
        seen: dict[int, Any] = {}
        stack: list[tuple[Any, set[str] | None]] = [(root, None) for root in (*roots, *self._gotten(getters))]
        while stack:
            x, names = stack.pop()
            if id(x) not in seen and not isinstance(x, OPAQUE):
                seen[id(x)] = x
                stack += self._parts(x, names)

    @contextlib.contextmanager
    def undrawn(self) -> Iterator[None]:
        """Refuse numbers that are drawn in the meantime, which a program would repeat for ever."""
        before = self._states()
        yield
        if self._states() != before:
            raise TracingError(
                "random numbers were drawn inside jit, which would be the same at each call: draw them with "
                "autograd.random, such as uniform(rng, shape), or outside, and give them as an argument"
            )

    def _states(self) -> list[bytes]:
        """Where the generators have got to."""
        return [pickle.dumps(x) for x in self._generators]

    def settle(self) -> "Watch":
        """Leave out what was changed since: after a recording that is what the function does, not what it needs.

        Where some attributes of an object were, or entries of a dict, the others still count, and so does an attribute
        that is new from now on.
        """
        containers = [(x, held) for x, held in self._containers if _same([*x], held)]
        for x, before, but in self._owners:
            if not _same([*(own := x.__dict__), *own.values()], [*before, *before.values()]):
                before = {name: getattr(type(x), name, None) for name in own} | before
                self._getters += zip(attributes(x, names := before.keys() - but), map(before.get, sorted(names)))
                containers.append((own, [*own]))
        for x, held in self._dicts:
            if not _same([*x, *x.values()], [*held, *held.values()]):
                self._getters += [(functools.partial(x.get, key), value) for key, value in held.items()]
        self._getters = [(get, got) for get, got in self._getters if get() is got]
        self._arrays = [(x, numbers) for x, numbers in self._arrays if _snapshot(x) == numbers]
        self._places = [place for x, _ in containers for place in (x, END)]
        self._held = [x for _, held in containers for x in (*held, *END)]
        self._functions, self._got = [get for get, _ in self._getters], [got for _, got in self._getters]
        return self

    def changed(self) -> bool:
        """Whether anything is no longer as it was."""
        return bool(
            self._places
            and not all(map(is_, chain.from_iterable(self._places), self._held))
            or self._functions
            and not all(map(is_, map(call, self._functions), self._got))
            or self._arrays
            and any(_snapshot(x) != numbers for x, numbers in self._arrays)
        )

    def _parts(self, x: Any, names: set[str] | None) -> list[tuple[Any, set[str] | None]]:
        """What an object holds, with the names of the attributes that count in it; None for all of them."""
        if isinstance(x, np.ndarray):
            self._arrays.append((x, _snapshot(x)))
            return []
        if isinstance(x, (np.random.Generator, np.random.RandomState)):
            self._generators.append(x)
            return []
        if isinstance(x, types.FunctionType):
            return self._parts_of_function(x)
        if isinstance(x, types.MethodType):
            return [(x.__func__, None), (x.__self__, _names(x.__func__.__code__))]
        if isinstance(x, functools.partial):
            return [(part, None) for part in (x.func, x.args, x.keywords)]
        if hasattr(x, "__wrapped__"):
            return [(x.__wrapped__, None)]
        return [(part, names) for part in self._parts_of_object(x, names)]

    def _parts_of_function(self, function: types.FunctionType) -> list[tuple[Any, set[str] | None]]:
        names, scope = _names(function.__code__), function.__globals__
        getters = [functools.partial(_contents, cell) for cell in function.__closure__ or ()]
        if _is_users(function):
            getters += [functools.partial(scope.get, name) for name in sorted(names & scope.keys())]
        return [(x, names) for x in (*self._gotten(getters), function.__defaults__, function.__kwdefaults__)]

    def _parts_of_object(self, x: Any, names: set[str] | None) -> list:
        """What a tuple, a list, a set, a dict or any other object holds."""
        if isinstance(x, (tuple, frozenset)):
            return [*x]
        if isinstance(x, dict):
            self._dicts.append((x, {**x}))
            return [*self._contents_of(x), *self._contents_of(x.values())]
        if isinstance(x, (list, set)):
            return self._contents_of(x)
        slots = {name for kind in type(x).__mro__ for name in _slots(kind)}
        own, methods, but = getattr(x, "__dict__", {}), _methods(type(x)), self._but.get(id(x), set())
        if names is not None and not callable(x):
            named = _with_methods(methods, names)
            methods = {name: method for name, method in methods.items() if name in named}
            return [*methods.values(), *self._gotten(attributes(x, (slots | own.keys() | _defaults(type(x))) & named))]
        if own:
            self._owners.append((x, {**own}, but))
        if but:
            return [*methods.values(), *self._contents_of(own), *self._gotten(attributes(x, slots | own.keys() - but))]
        return [*methods.values(), *self._gotten(attributes(x, slots)), *self._contents_of(own.values())]

    def _contents_of(self, container: Iterable) -> list:
        """What a container holds, which is watched from now on."""
        self._containers.append((container, [*container]))
        return [*container]

    def _gotten(self, getters: Iterable[Callable]) -> list:
        """What these functions say, which is watched from now on."""
        pairs = [(get, get()) for get in getters]
        self._getters += pairs
        return [got for _, got in pairs]


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    return [name for name in ([slots] if isinstance(slots, str) else slots) if not name.startswith("__")]


def _same(ours: list, theirs: list) -> bool:
    return len(ours) == len(theirs) and all(map(is_, ours, theirs))


def _snapshot(array: np.ndarray) -> tuple:
    return array.shape, array.dtype, array.tobytes()


def _is_users(function: types.FunctionType) -> bool:
    """Whether a function is of the user's program, and not of a library."""
    library = (function.__module__ or "autograd").split(".")[0] in LIBRARIES
    return not library and not function.__code__.co_filename.startswith(INSTALLED)


def _names(code: types.CodeType) -> set[str]:
    """The global variables and attributes that a function names, and the functions in it."""
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return {*code.co_names}.union(*map(_names, inner))


def _defaults(kind: type) -> set[str]:
    """The attributes that a class has for objects without their own: what is no method, property or slot."""
    return {name for base in kind.__mro__ for name, x in vars(base).items() if not hasattr(type(x), "__get__")}


def _methods(kind: type) -> dict[str, types.FunctionType]:
    """The functions of a class and its bases that are of the user's program."""
    found = {name: x for base in reversed(kind.__mro__) for name, x in vars(base).items()}
    return {name: x for name, x in found.items() if isinstance(x, types.FunctionType) and _is_users(x)}


def _with_methods(methods: dict[str, types.FunctionType], names: set[str]) -> set[str]:
    """Names, and those that the methods name which are among them."""
    found, fresh = set(names), set(names)
    while fresh:
        fresh = {n for name in fresh & methods.keys() for n in _names(methods[name].__code__)} - found
        found |= fresh
    return found
