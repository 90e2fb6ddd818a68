"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does."""

import inspect
import sys
from collections.abc import Callable, Iterable
from functools import cache, partial, wraps
from types import ModuleType
from typing import Any

import numpy

from ..arguments import is_node, no_mask
from ..meeting import as_tensors, unlisted
from ..node import Node, Tensor
from ..operation import Operation

SIMPLE = {Tensor, numpy.ndarray, float, int, bool, type(None)}  # what every function takes as it is
LISTS = {list, tuple}
NO_OUT = (
    "{}: a result that takes part in derivatives is not written into an array: "
    "write a = a + t instead of a += t, and leave out="
)


def first_node(args: Iterable) -> Node | None:
    """A node among these, or in lists and tuples among them."""
    for x in args:
        if isinstance(x, Node):
            return x
        if isinstance(x, (list, tuple)) and (node := first_node(x)) is not None:
            return node
    return None


signature = cache(inspect.signature)


@cache
def out_place(plain: Callable) -> int:
    """Where `out` stands among the arguments that NumPy's function takes by place; behind all others if it has none."""
    names = [name for name, given in signature(plain).parameters.items() if given.kind < given.VAR_POSITIONAL]
    return names.index("out") if "out" in names else sys.maxsize


def _as_taken(called: str, plain: Any, as_given: Callable, args: tuple, kwargs: dict) -> tuple[Iterable, dict]:
    """A call's arguments as our function takes them: from NumPy's `out` on by name, lists and Values as Tensors."""
    place = out_place(plain) if plain else sys.maxsize
    if len(args) > place:
        kwargs = {**dict(zip([*signature(plain).parameters][place:], args[place:])), **kwargs}
    args = args[:place]
    if kwargs.pop("out", None) is not None:
        raise TypeError(NO_OUT.format(called))
    no_mask((*args, *kwargs.values()) if kwargs else args)
    if kwargs and not SIMPLE.issuperset(map(type, kwargs.values())):
        kwargs = dict(zip(kwargs, as_given(kwargs.values())))
    return args if SIMPLE.issuperset(map(type, args)) else as_given(args), kwargs


def recorded(
    name: str = "", of_arrays: bool = True, of_lists: bool = False, home: ModuleType = numpy
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: where no node takes part, NumPy's function of this name is called instead.

    The name is the function's own if none is given. Where NumPy has none, the numbers go through the function as a
    Tensor. A list with nodes in it reaches the function as a Tensor, unless it is `of_lists`; to a function of arrays a
    Value is one of shape (). The methods and keywords of a ufunc come back by its protocol.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        called = name or function.__name__
        plain = getattr(home, called, None)
        as_given: Callable = list if of_lists else as_tensors if of_arrays else partial(map, unlisted)
        of_ufunc = isinstance(plain, numpy.ufunc) and plain.signature is None  # an elementwise one

        @wraps(function, updated=())
        def either(*args: Any, **kwargs: Any) -> Any:
            kinds = {*map(type, args)}
            few = len(args) < 3 or not plain or len(args) <= out_place(plain)
            if few and Tensor in kinds and kinds <= SIMPLE and not kwargs:  # most calls
                return function(*args)
            with_node = Tensor in kinds or first_node((*args, *kwargs.values())) is not None
            if not with_node or kwargs and of_ufunc:
                return plain(*args, **kwargs) if plain else function(Tensor(args[0]), *args[1:], **kwargs).data
            taken, kwargs = _as_taken(called, plain, as_given, args, kwargs)
            return function(*taken, **kwargs)

        vars(either).update(attributes(plain))
        either.__name__ = either.__qualname__ = called
        return either

    return decorate


def called(
    name: str, function: Callable[..., Any], home: ModuleType = numpy, of_lists: bool = False
) -> Callable[..., Any]:
    """The function, recorded as NumPy's of this name."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As {home.__name__}.{name}."
    return recorded(home=home, of_lists=of_lists)(function)


def attributes(plain: Any) -> dict[str, Any]:
    """The methods of a ufunc and what else it has; nothing of other functions."""
    return {key: getattr(plain, key) for key in dir(plain) if key[0] != "_"} if isinstance(plain, numpy.ufunc) else {}


def operation(row: Operation | Callable[..., Any]) -> Callable[..., Any]:
    """A row that NumPy has no function for, as a function: it knows by itself what it is given."""

    @wraps(row, updated=())
    def function(*args: Any) -> Any:
        return row(*args) if LISTS.isdisjoint(map(type, args)) else row(*map(unlisted, args))

    function.__qualname__ = row.__name__
    return function


def data_of(x: Any) -> Any:
    """The numbers of nodes, also of those in lists and tuples."""
    return x.data if is_node(x) else type(x)(map(data_of, x)) if type(x) in (list, tuple) else x


def blank_of(x: Any) -> Any:
    """Zeros in the place of nodes: for what asks for shapes and dtypes, which stand where numbers do not yet."""
    if isinstance(x, Tensor):
        return numpy.broadcast_to(numpy.zeros((), x.dtype), x.shape)
    return 0.0 if is_node(x) else type(x)(map(blank_of, x)) if type(x) in (list, tuple) else x


def constant(name: str, home: ModuleType = numpy, data_of: Callable = data_of) -> Callable[..., Any]:
    """NumPy's function on the numbers of nodes: its result is no function of them that could be differentiated."""
    plain = getattr(home, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        if is_node(kwargs.get("weights")):
            raise TypeError(f"{name}: its weights are not differentiated: give their .data")
        return plain(*map(data_of, args), **{key: data_of(arg) for key, arg in kwargs.items()})

    vars(function).update(attributes(plain))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{home.__name__}.{name} of the numbers; a plain result."
    return function
