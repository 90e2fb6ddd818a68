"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy

from .arguments import is_node
from .node import Node, Tensor, Value


def first_node(args: Iterable) -> Node | None:
    """A node among these, or in lists and tuples among them."""
    for x in args:
        if isinstance(x, Node):
            return x
        if isinstance(x, (list, tuple)) and (node := first_node(x)) is not None:
            return node
    return None


def either(name: str, recorded: Callable, plain: Callable | None, of_arrays: bool = True) -> Callable:
    """The function that records where a node takes part, and is NumPy's own (or one on arrays) otherwise."""

    @functools.wraps(recorded, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        node = first_node(args)
        if node is None and kwargs:
            node = first_node(kwargs.values())
        if node is None:
            return plain(*args, **kwargs) if plain else recorded(Tensor(args[0]), *args[1:], **kwargs).data
        if of_arrays and isinstance(node, Value):
            raise TypeError(f"{name}() is of arrays; a Value is one number: use a Tensor")
        return recorded(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    return function


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
