"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does."""

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache, partial, wraps
from operator import attrgetter
from types import ModuleType
from typing import Any, NoReturn

import numpy

from ..arguments import is_node, is_value, no_mask
from ..failing import refuse
from ..meeting import as_tensors, unlisted
from ..node import Node, Tensor, Value, kinds
from ..operation import Operation
from ..tree import flatten, unflatten

SIMPLE = {Tensor, numpy.ndarray, float, int, bool, type(None)}  # what every function takes as it is
LISTS = {list, tuple}
BY_ROWS = {Tensor, Value, float, int}  # what every row takes as it is
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


def _as_taken(called: str, plain: Any, as_given: Callable, args: tuple, kwargs: dict) -> tuple[Any, dict]:
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
        as_given: Callable = list if of_lists else as_tensors if of_arrays else lambda given: [*map(unlisted, given)]
        of_ufunc = isinstance(plain, numpy.ufunc) and plain.signature is None  # an elementwise one

        @wraps(function, updated=())
        def either(*args: Any, **kwargs: Any) -> Any:
            types = {*map(type, args)}
            few = len(args) < 3 or not plain or len(args) <= out_place(plain)
            if few and Tensor in types and types <= SIMPLE and not kwargs:  # most calls
                return function(*args)
            with_node = Tensor in types or first_node((*args, *kwargs.values())) is not None
            if not with_node or kwargs and of_ufunc:
                return plain(*args, **kwargs) if plain else numbers_of(function(Tensor(args[0]), *args[1:], **kwargs))
            args, kwargs = _as_taken(called, plain, as_given, args, kwargs)
            of_integers = kinds.tracing and _holds_integers((*args, *kwargs.values()))
            return _of_integers(plain, function, args, kwargs) if of_integers else function(*args, **kwargs)

        vars(either).update(attributes(plain))
        either.__name__ = either.__qualname__ = called
        return either

    return decorate


def numbers_of(x: Any) -> Any:
    """What a node holds, in a trace the example."""
    return getattr(x, type(x).reading.held)


def _holds_integers(x: Any) -> bool:
    """Whether a traced node of integers or of a mask is in this."""
    return isinstance(x, kinds.array) and x.dtype.kind != "f" or type(x) in LISTS and any(map(_holds_integers, x))


def _of_integers(plain: Callable | None, function: Callable, args: Sequence, kwargs: dict) -> Any:
    """A function of integers in a trace, with the dtypes of NumPy's own result: as it is, or by floats."""

    def given(change: Callable, f: Callable) -> Any:
        return f(*[on_nodes(change, x) for x in args], **{key: on_nodes(change, x) for key, x in kwargs.items()})

    if plain is None:
        return given(_as_floats, function)
    dtypes = [numpy.asarray(x).dtype for x in flatten(given(numbers_of, plain))]
    whole = next((dtype for dtype in dtypes if dtype.kind == "i"), None)  # what sums and products of int32 are in
    for change in (lambda x: x, lambda x: x.astype(whole) if whole and x.dtype.kind != "f" else x):
        with suppress(TypeError, ValueError):
            out = given(change, function)
            if all(not is_node(x) or x.dtype == dtype for x, dtype in zip(flatten(out), dtypes, strict=True)):
                return out
    out = given(_as_floats, function)
    parts = [x.astype(dtype) if is_node(x) else x for x, dtype in zip(flatten(out), dtypes, strict=True)]
    return unflatten(out, parts)


def _as_floats(x: Any) -> Any:
    return Tensor(x) if isinstance(x, kinds.array) else x


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
    """A row that NumPy has no function for, as a function: of integers, masks and lists as floats."""

    @wraps(row, updated=())
    def function(*args: Any) -> Any:
        return row(*args) if BY_ROWS.issuperset(map(type, args)) else row(*map(_floats, args))

    function.__qualname__ = row.__name__
    return function


def _floats(x: Any) -> Any:
    """What a row takes: NumPy's functions make floats of integers, its operators do not."""
    if hasattr(x, "dtype") and x.dtype.kind in "fc":
        return x
    x = unlisted(x)
    return x if is_value(x) else _as_floats(x) if is_node(x) else numpy.multiply(x, 1.0)


def on_nodes(f: Callable, x: Any) -> Any:
    """A function of a node, also of those in lists and tuples; all else as it is."""
    return f(x) if is_node(x) else type(x)([on_nodes(f, part) for part in x]) if type(x) in LISTS else x


def _blank(x: Any) -> Any:
    return numpy.broadcast_to(numpy.zeros((), x.dtype), x.shape) if isinstance(x, Tensor) else 0.0


data_of = partial(on_nodes, attrgetter("data"))
# zeros in the place of nodes: for what asks for shapes and dtypes, which stand where numbers do not yet
blank_of = partial(on_nodes, _blank)


def constant(
    name: str, home: ModuleType = numpy, data_of: Callable = data_of, traced: Callable | None = None
) -> Callable[..., Any]:
    """NumPy's function on the numbers of nodes: its result is no function of them that could be differentiated.

    In a trace, which has no numbers, the function `traced` is recorded, if there is one.
    """
    plain = getattr(home, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        if is_node(kwargs.get("weights")):
            raise TypeError(f"{name}: its weights are not differentiated: give their .data")
        if kinds.tracing and data_of is not blank_of and first_node((*args, *kwargs.values())) is not None:
            if traced is None:
                not_differentiated(f"{home.__name__}.{name}")
            return traced(*map(entered, args), **{key: entered(arg) for key, arg in kwargs.items()})
        return plain(*map(data_of, args), **{key: data_of(arg) for key, arg in kwargs.items()})

    vars(function).update(attributes(plain))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{home.__name__}.{name} of the numbers; a plain result."
    return function


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: NumPy's function of this name on the numbers of nodes; in a trace this one is recorded."""
    return constant(function.__name__, traced=recorded()(function))


def entered(x: Any) -> Any:
    """A node, or a list with nodes in it, as a node of the trace that this thread is in; all else as it is."""
    x = unlisted(x)
    return kinds.recorded("alias", x) if is_node(x) else x


def not_differentiated(called: str) -> NoReturn:
    """Refuse a node in a function of NumPy that is not here."""
    if kinds.tracing:
        refuse(
            f"{called}() of a node was called",
            "keep shapes that depend on no number, as where(mask, x, 0.0) does, or give what it returns as an argument",
        )
    raise TypeError(f"{called} is not differentiated: use a function of autograd.numpy, or .data for a constant")
