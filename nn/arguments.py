"""What may be given to layers, optimizers and schedules, and the messages for what may not."""

import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Annotated, Any, NamedTuple

from numpy import ndarray
from numpy.random import Generator, default_rng

import autograd.numpy as np
from autograd import Tensor
from autograd.arguments import holds_node, numeric
from autograd.node import Node
from autograd.on_arrays import Length
from autograd.operation import OPERATIONS


class Bounds(NamedTuple):
    """What a dataclass says of a setting: at least `low`, above it if `open_low`, at most `high`; help() shows it."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    def __repr__(self) -> str:
        most = f", <= {self.high:g}" if self.high < math.inf else ""
        return f"{'>' if self.open_low else '>='} {self.low:g}{most}" if self.low > -math.inf else "any"


Amount = Annotated[float, Bounds(0.0)]
Share = Annotated[float, Bounds(0.0, 1.0)]
Count = Annotated[int, Bounds(1.0)]
Positive = Annotated[float, Bounds(0.0, open_low=True)]
Real = Annotated[float, Bounds()]
Rate = Annotated[float | Callable[[Any], Any], Bounds(0.0)]  # or a schedule


class Settings:
    """The base of dataclasses whose settings are checked; where one may be a function, that passes."""

    def __post_init__(self) -> None:
        for setting in fields(self):  # type: ignore[arg-type]  # of a dataclass
            name, given = f"{type(self).__name__}: {setting.name}", getattr(self, setting.name)
            for bounds in getattr(setting.type, "__metadata__", ()):
                checked = function(name, given) if callable(given) else between(name, given, *bounds)
                object.__setattr__(self, setting.name, checked)  # schedules are frozen


def generator(rng: Any) -> Generator:
    """A generator from a generator, or from a seed."""
    message = f"rng is a seed or a numpy.random.Generator, so that a run can be repeated, not {rng!r}"
    if rng is None:
        raise TypeError(message)
    try:
        return default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{message}: {error}") from None


def positive(name: str, number: Any, least: int = 1) -> int:
    """A size, checked: at least 1, or 0 where that is the least."""
    if not isinstance(number, numbers.Integral) or isinstance(number, bool) or number < least:
        raise ValueError(f"{name} must be a positive integer{'' if least else ' or 0'}, not {number!r}")
    return int(number)


def sizes(name: str, each: str, given: Any) -> list[int]:
    """A list of sizes, checked."""
    if not isinstance(given, Iterable):
        raise TypeError(f"{name} is a list of sizes, such as [8, 8], not {given!r}")
    return [positive(each, number) for number in given]


def between(
    name: str, number: Any, low: float = 0.0, high: float = math.inf, open_low: bool = False, open_high: bool = False
) -> Any:
    """A number, checked, as Python's own, since NumPy's widen float32; TypeError for none, ValueError for others."""
    is_real = isinstance(number, (float, numbers.Real))  # float first, which is known at once
    if not is_real:
        raise TypeError(f"{name} must be a number, not {number!r}")
    if not low <= number <= high or open_low and number == low or open_high and number == high:
        least, most = "above" if open_low else "at least", "below" if open_high else "at most"
        raise ValueError(f"{name} must be {least} {low:g} and {most} {high:g}, not {number!r}")
    return number.item() if hasattr(number, "item") else number


def tensors(name: str, given: Any) -> list[Tensor]:
    """A list of at least one Tensor, checked, in which each is once, also one that layers share."""
    several = isinstance(given, Iterable) and not isinstance(given, Tensor)  # whose rows would be others
    found = list({id(x): x for x in given}.values()) if several else []
    if not found or not all(isinstance(x, Tensor) for x in found):
        hint = "model.parameters(), of a model that holds one or more as attributes"
        raise TypeError(f"{name} needs a list of the Tensors to change: {hint}")
    return found


def function(name: str, given: Any) -> Callable:
    """A layer or another function, and not the class of one."""
    if isinstance(given, type):
        raise TypeError(f"{name} is the class {given.__name__}: give {given.__name__}(...), made of it")
    if not callable(given):
        hint = ": give layers one by one, not in a list" if isinstance(given, (list, tuple)) else ""
        raise TypeError(f"{name} must be a layer or another function, not {type(given).__name__}{hint}")
    return given


def called(name: str, given: Any, known: Mapping[str, Callable]) -> Callable:
    """A function that is given itself, or by its name."""
    found = known.get(given.lower()) if isinstance(given, str) else given
    if not callable(found):
        raise TypeError(f"{name} is a function, or one of {', '.join(map(repr, known))}, not {given!r}")
    return found


def array(layer: Any, x: Any) -> Any:
    """What a layer or a loss was given, as a node or an array of real numbers; TypeError or ValueError for others."""
    if isinstance(x, Node) or x.__class__ is ndarray and x.dtype.kind in "fiub":
        return x
    try:
        return np.array(x) if holds_node(x) else numeric(x)
    except (TypeError, ValueError) as error:
        hint = "; of a recurrent layer's (outputs, state) give the first" if isinstance(x, tuple) else ""
        raise type(error)(f"{_called(layer)}: {error}{hint}") from None


def floats(x: Any, like: Any = None) -> Any:
    """An array of integers or a mask as floats, like these, in which there is room for sums and squares."""
    return x if x.dtype.kind == "f" else x.astype(float if like is None else like.dtype)


def taken(layer: Any, x: Any, takes: str, fits: Callable[[tuple[int, ...]], bool]) -> Any:
    """The same as `array`, checked: its shape fits; else the message says what the layer takes."""
    x = array(layer, x)
    if not fits(np.shape(x)):
        raise ValueError(f"{_called(layer)} takes {takes}, got an input of shape {np.shape(x)}")
    return x


def features(layer: Any, x: Any, count: int) -> Any:
    """The same, as floats, with so many features in the last axis; integers widen no weight."""
    x = taken(layer, x, f"{count} features in the last axis", lambda shape: shape[-1:] == (count,))
    return floats(x, layer.weight)


def places(indices: Any, count: int, refusal: str) -> Any:
    """Integers as places among so many; IndexError for others, -1 included, from a compiled program when it runs."""
    return OPERATIONS["bounded"](np.where(np.less(indices, 0), count, indices), Length.of(count, refusal))


def _called(layer: Any) -> str:
    return getattr(layer, "name", "") or layer.describe()
