"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does."""

import functools
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy

from ..arguments import is_node, no_mask
from ..node import Node, Tensor, Value
from ..operation import Operation


def first_node(args: Iterable) -> Node | None:
    """A node among these, or in lists and tuples among them."""
    for x in args:
        if isinstance(x, Node):
            return x
        if isinstance(x, (list, tuple)) and (node := first_node(x)) is not None:
            return node
    return None


def recorded(
    name: str = "", of_arrays: bool = True, home: ModuleType = numpy
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: where no node takes part, NumPy's function of this name is called instead.

    The name is the function's own if none is given. Where NumPy has none, the numbers go through the function as a
    Tensor. A Value is refused by a function of arrays.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        called = name or function.__name__
        plain = getattr(home, called, None)

        @functools.wraps(function, updated=())
        def either(*args: Any, **kwargs: Any) -> Any:
            node = first_node(args)
            if node is None and kwargs:
                node = first_node(kwargs.values())
            if node is None:
                return plain(*args, **kwargs) if plain else function(Tensor(args[0]), *args[1:], **kwargs).data
            if of_arrays and isinstance(node, Value):
                raise TypeError(f"{called}() is of arrays; a Value is one number: use a Tensor")
            no_mask((*args, *kwargs.values()) if kwargs else args)
            return function(*args, **kwargs)

        either.__name__ = either.__qualname__ = called
        return either

    return decorate


def operation(row: Operation) -> Callable[..., Any]:
    """A row that NumPy has no function for, as a function: it knows by itself what it is given."""

    @functools.wraps(row, updated=())
    def function(*args: Any) -> Any:
        return row(*args)

    function.__qualname__ = row.name
    return function


def data_of(x: Any) -> Any:
    """The numbers of nodes, also of those in lists and tuples."""
    return x.data if is_node(x) else type(x)(map(data_of, x)) if type(x) in (list, tuple) else x


def constant(name: str) -> Callable[..., Any]:
    """NumPy's function on the numbers of nodes: its result is no function of them that could be differentiated."""
    plain = getattr(numpy, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        return plain(*map(data_of, args), **{key: data_of(arg) for key, arg in kwargs.items()})

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"numpy.{name} of the numbers; a plain result."
    return function
