"""Module: something with parameters and buffers, which are found among its attributes.

Tensors are parameters, arrays are buffers (saved and not trained); they and Modules are found as attributes and in
lists, tuples and dicts of any depth. Whatever could hold them unseen is refused.
"""

import collections
import contextlib
import dataclasses
import operator
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import starmap
from typing import Any, NamedTuple, Self

import numpy as np

from autograd import Tensor, Value
from autograd.arguments import no_mask
from autograd.compiler import Compiled, assigning
from autograd.node import Node, kinds
from autograd.tables import table
from autograd.tree import flatten

UNORDERED = (set, frozenset, collections.deque)
VIEWS: tuple[type, ...] = (types.GeneratorType, map, filter, zip, type({}.keys()), type({}.values()), type({}.items()))


class Place(NamedTuple):
    """Where a module holds something."""

    name: str  # the path to it: "layers.0.weight"
    owner: Any  # what it is an attribute or an element of
    key: Any  # the attribute's name, or the element's index or key
    held: Any


class Module:
    """The base of layers and networks; a subclass defines `forward`, or `__call__` itself.

    Its parameters are the Tensors that it holds as attributes or in lists, tuples and dicts, and those of Modules held
    in the same way; super().__init__() is not needed. A Tensor that an operation made, such as a stored activation, is
    none. Arrays and NumPy's numbers, except in tuples, are buffers: saved, not trained; forward may assign new ones, as
    in self.mean = mean.detach(). Raises TypeError for a Tensor or Module where it cannot be found, such as in a set,
    and for a Tensor that an operation made in __init__ itself.
    """

    training = True  # for layers that do something else in use, see train and eval
    _replaced: Mapping[str, None] = {}  # buffers in place of which forward has put what an operation made of them
    _form = ""  # which attributes stand in parentheses after its name: "{n_in} -> {n_out}"

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if vars(cls).get("__slots__"):
            raise TypeError(f"{cls.__name__} has __slots__, where parameters are not found: leave them out")
        for name, x in vars(cls).items():
            if isinstance(x, Tensor) or isinstance(x, Module) and x.parameters():
                raise TypeError(f"{cls.__name__}.{name} would be the same for all instances: make it in __init__")
            if isinstance(x, Compiled) and name in ("forward", "__call__"):
                raise TypeError(f"{cls.__name__}.{name} is compiled without its self: compile the whole, jit(model)")
        if "forward" in vars(cls) and "__call__" not in vars(cls):
            cls.__call__ = vars(cls)["forward"]  # type: ignore[method-assign]  # itself, which is faster

    def __setattr__(self, name: str, x: Any) -> None:
        if kinds.tracing:
            assigning(self, name)
        elif isinstance(x, (Tensor, list, tuple, dict)) and (frame := sys._getframe(1)).f_code.co_name == "__init__":
            _refuse_results(f"{type(self).__name__}.{name}", x, frame)
        elif type(x) is Tensor and (name in self._replaced or isinstance(vars(self).get(name), np.ndarray)):
            if x.operation is not None:
                object.__setattr__(self, "_replaced", {**self._replaced, name: None})
            elif _is_method_of(self, sys._getframe(1)):
                x = x.number  # detached by forward, say: what stood there was no parameter
        object.__setattr__(self, name, x)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `forward` gives."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """From a batch to a batch."""
        raise TypeError(f"{type(self).__name__} defines neither forward nor __call__, so it cannot be called")

    def _places(self) -> list[Place]:
        """Where it holds Tensors, Modules and arrays, directly or in lists, tuples and dicts."""
        found: list[Place] = []
        for name, x in vars(self).items():
            _look(name, self, name, x, found)
        moved: dict[str, Any] = {name: vars(self).get(name) for name in self._replaced}
        found += [Place(name, self, name, x.data) for name, x in moved.items() if getattr(x, "operation", None)]
        for name, _, _, x in found:
            if not isinstance(x, FOUND) and _hides(x):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {type(x).__name__}: parameters are Tensors, and they and "
                    "Modules are found as attributes and in lists, tuples and dicts"
                )
        return found

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The Tensors and Modules that are held directly, with their names."""
        for name, _, _, held in self._places():
            if type(held) is Tensor or isinstance(held, Module):  # no traced Tensor that a forward left behind
                yield name, held

    def _all_places(self, prefix: str = "", above: tuple["Module", ...] = ()) -> Iterator[Place]:
        """All that is held here and by the modules below, with the whole path as the name."""
        for name, owner, key, held in self._places():
            yield Place(prefix + name, owner, key, held)
            if isinstance(held, Module) and not any(held is module for module in (*above, self)):
                yield from held._all_places(f"{prefix}{name}.", (*above, self))

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Every parameter below this module, under the path to it: "layers.0.weight"."""
        return ((name, held) for name, _, _, held in self._all_places(prefix) if type(held) is Tensor)

    def parameters(self) -> list[Tensor]:
        """Every parameter below this module, a shared one once."""
        return list({id(parameter): parameter for _, parameter in self.named_parameters()}.values())

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def modules(self) -> list["Module"]:
        """This module and all below it, a shared one once."""
        found = (self, *(place.held for place in self._all_places() if isinstance(place.held, Module)))
        return list({id(module): module for module in found}.values())

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules below."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set `training` to False, here and in all modules below."""
        return self.train(False)

    def _state(self) -> dict[str, Place]:
        """Where the numbers of parameters and buffers stand, by name."""
        found: dict[str, Place] = {}
        for place in self._all_places():
            if type(place.held) is Tensor:
                place = Place(place.name, place.held, "number", place.held.data)
            elif not _is_buffer(place):
                continue
            if place.name in found:
                raise ValueError(f"{type(self).__name__} has two arrays named {place.name}: use other names or keys")
            found[place.name] = place
        return found

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of the numbers of parameters and buffers, by name."""
        return {name: np.array(place.held) for name, place in self._state().items()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over numbers by name; ValueError and no change unless names, shapes and dtypes are this module's."""
        places = self._state()
        check_state(state, {name: place.held for name, place in places.items()}, type(self).__name__)
        fresh = [np.array(state[name])[() if isinstance(p.held, np.generic) else ...] for name, p in places.items()]
        puts = [operator.setitem if isinstance(p.owner, (dict, list)) else ASSIGN for p in places.values()]
        together = zip(puts, [p.owner for p in places.values()], [p.key for p in places.values()], fresh)
        collections.deque(starmap(operator.call, together), maxlen=0)  # as by set_together

    def describe(self) -> str:
        """One line about this module, without its parameters."""
        return type(self).__name__ + (f"({self._form.format_map(vars(self))})" if self._form else "")

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """A table of what it holds: name, kind, shapes and count."""
        rows = [("", self.describe(), "shapes", "count")]
        for name, part in [*self.parts(), ("", self)]:
            own, text = (part.parameters(), part.describe()) if isinstance(part, Module) else ([part], "Tensor")
            shapes = " ".join(str(parameter.shape) for parameter in own)
            rows.append((name, text, shapes, str(sum(parameter.size for parameter in own))))
        return [*rows[:-1], ("", "total", "", rows[-1][3])]

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        return table(head[1], ("name", "kind", *head[2:]), rows)

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join(
            "  ".join((*(row[i].ljust(widths[i]) for i in range(3)), row[3].rjust(widths[3]))) for row in rows
        )


ASSIGN = object.__setattr__  # of C, and no code of Python, in which an interruption could come
FOUND = (Tensor, Module, np.random.Generator)
PLAIN = {int, float, str, bool, type(None)}  # passed over at once, since a vocabulary may be long
WATCHED = (*FOUND, Value, np.ndarray, np.generic, types.SimpleNamespace, *UNORDERED, *VIEWS)


def _refuse_results(name: str, x: Any, init: types.FrameType) -> None:
    """Raise TypeError for what an __init__ computed, which trains nothing; it may hold what it was given."""
    arguments = init.f_code.co_varnames[: init.f_code.co_argcount + init.f_code.co_kwonlyargcount]
    for made in (part for part in flatten(x) if isinstance(part, Tensor) and part.operation is not None):
        if not any(made is given for given in flatten([init.f_locals[argument] for argument in arguments])):
            raise TypeError(
                f"{name} was made by {made.operation.name}, so it would be no parameter: make the Tensor of the array "
                "when that is finished, as in Tensor(0.1 * array), or compute it in forward from parameters"
            )


def _is_method_of(module: Module, frame: types.FrameType) -> bool:
    """Whether this is a call of one of its methods."""
    first = frame.f_code.co_varnames[: frame.f_code.co_argcount][:1]
    return any(frame.f_locals.get(name) is module for name in first)


def _look(path: str, owner: Any, key: Any, x: Any, found: list[Place]) -> None:
    """Append the place of this, or of what it holds as a list, tuple or dict, where it matters."""
    if isinstance(x, (list, tuple, dict)):
        for inner, part in x.items() if isinstance(x, dict) else enumerate(x):
            if type(part) not in PLAIN:
                _look(f"{path}.{inner}", x, inner, part, found)
    elif isinstance(x, WATCHED) and getattr(x, "operation", None) is None or dataclasses.is_dataclass(x):
        found.append(Place(path, owner, key, x))


def _hides(x: Any) -> bool:
    """Whether parameters are in this where nobody can find them, or may be."""
    if isinstance(x, np.ndarray):
        x = x.ravel() if x.dtype.hasobject else ()
    elif isinstance(x, types.SimpleNamespace) or dataclasses.is_dataclass(x):
        return any(
            isinstance(y, (Tensor, Module)) and not getattr(y, "operation", None)
            for y in getattr(x, "__dict__", {}).values()
        )
    elif not isinstance(x, UNORDERED):
        return not isinstance(x, np.generic)
    return any(isinstance(part, (Value, *FOUND)) for part in flatten([*x]))


def _is_buffer(place: Place) -> bool:
    held = place.held
    numbers = isinstance(held, (np.ndarray, np.generic)) and held.dtype.kind in "fiub"
    return numbers and not isinstance(place.owner, tuple)  # which could not take over what is loaded


@contextlib.contextmanager
def buffers_stay(modules: Iterable[Any]) -> Iterator[None]:
    """While forward is recorded: put back what it changes in buffers, where a program would not; ValueError for that.

    Arrays of floats that it assigns anew to attributes are taken care of by the recording.
    """
    found = [place for module in modules if isinstance(module, Module) for place in module._all_places()]
    found = [place for place in found if place.key not in getattr(place.owner, "_replaced", ())]
    before = [(p, np.array(p.held)) for p in found if isinstance(p.held, (np.ndarray, np.generic))]
    yield
    for (name, owner, key, held), numbers in before:
        inside, floats = isinstance(owner, (list, tuple, dict)), numbers.dtype.kind == "f"
        now = owner[key] if inside else getattr(owner, key, held)
        cached = isinstance(now, np.ndarray) and now.shape != numbers.shape  # for this form of arguments
        if isinstance(now, Node) or not cached and not np.array_equal(now, numbers, equal_nan=floats):
            if isinstance(held, np.ndarray):
                held[...] = numbers
            if not isinstance(owner, tuple):
                operator.setitem(owner, key, held) if inside else ASSIGN(owner, key, held)
            raise ValueError(
                f"TrainStep: forward changes the buffer {name}; it takes over arrays of floats that are assigned anew "
                "to attributes of a Module, as in self.count = self.count + 1.0, not what is changed in place, in a "
                "list or dict, or an integer"
            )


def settle_buffers(modules: Iterable[Any]) -> None:
    """Put arrays in place of what operations have made of buffers, whose history ends here."""
    for module in modules:
        if isinstance(module, Module):
            for place in module._all_places():
                if isinstance(place.held, np.ndarray) and isinstance(place.owner, Module):
                    ASSIGN(place.owner, place.key, place.held)


def set_together(owners: Iterable, names: Iterable, values: Iterable, put: Callable = setattr) -> None:
    """Set attributes, all or none: it is one call of C, which nothing interrupts half-way."""
    any(map(put, owners, names, values))  # each of which gives None


def check_state(state: Mapping[str, Any], expected: Mapping[str, Any], owner: str) -> None:
    """Raise unless the names, shapes and dtypes of a state are the expected ones."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"{owner}: a state is a dict of arrays by name, as state_dict() gives, not {type(state).__name__}"
        )
    if missing := sorted(expected.keys() - state.keys()):
        raise ValueError(f"{owner}: the state has no {', '.join(missing)}")
    if unknown := sorted(state.keys() - expected.keys()):
        raise ValueError(f"{owner}: the state has {', '.join(unknown)}, which is unknown here")
    for name, array in expected.items():
        no_mask((state[name],))
        given, array = np.asarray(state[name]), np.asarray(array)
        if given.shape != array.shape or given.dtype != array.dtype:
            raise ValueError(
                f"{owner}: {name} is {given.dtype} of shape {given.shape} in the state, "
                f"expected {array.dtype} of shape {array.shape}"
            )
