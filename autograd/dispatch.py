"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does."""

import functools
from collections.abc import Callable
from typing import Any

import numpy

from .arguments import is_node
from .node import Tensor, Value


def takes_node(args: Any) -> bool:
    """Whether there is a node among these, or in lists and tuples among them."""
    return any(is_node(x) or isinstance(x, (list, tuple)) and takes_node(x) for x in args)


def either(name: str, recorded: Callable, plain: Callable | None) -> Callable:
    """The function that records where a node takes part, and is NumPy's own otherwise (without a graph, if NumPy has none)."""

    @functools.wraps(recorded, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        if takes_node(args) or takes_node(kwargs.values()):
            return recorded(*args, **kwargs)
        return plain(*args, **kwargs) if plain else recorded(Tensor(args[0]), *args[1:], **kwargs).data

    function.__name__ = function.__qualname__ = name
    return function


def of_arrays(function: Callable) -> Callable:
    """The function, with a clear error for a Value."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if any(isinstance(x, Value) for x in (arg if isinstance(arg, (list, tuple)) else [arg])):
                raise TypeError(f"{function.__name__}() is of arrays; a Value is one number: use a Tensor")
        return function(*args, **kwargs)

    return checked


def data_of(x: Any) -> Any:
    """The numbers of nodes, also of those in lists and tuples."""
    return x.data if is_node(x) else type(x)(map(data_of, x)) if type(x) in (list, tuple) else x


def unrecorded(name: str) -> Callable:
    """NumPy's function on the numbers of nodes: its result is no function of them that could be differentiated."""
    plain = getattr(numpy, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        return plain(*map(data_of, args), **{key: data_of(arg) for key, arg in kwargs.items()})

    function.__name__, function.__doc__ = name, f"numpy.{name} of the numbers; a plain result."
    return function
