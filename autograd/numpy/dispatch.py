"""One name, two functions: what is recorded where a node takes part, and NumPy's own where none does.

The other modules hold functions of nodes and arrays under NumPy's names. Their last line, `record(globals())`,
lets each call choose. An argument that has one of the names in `ARRAY_ARGUMENTS`, as in NumPy, reaches such a function
as a Tensor or an array.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial, wraps
from itertools import chain, repeat
from operator import attrgetter
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from ..arguments import holds_node, is_node, is_value, no_mask
from ..failing import refuse, refused
from ..meeting import as_array, as_tensors, unlisted
from ..node import Tensor, Value, kinds
from ..operation import OPERATIONS, Operation
from ..recording import hooks, read
from ..tree import flatten, map_tree, unflatten
from ..users import warning_there

ARRAYS = {Tensor, np.ndarray}
GIVEN = {*ARRAYS, type(None)}  # what is no array yet is made one, but None
SIMPLE = {*ARRAYS, float, int, bool, type(None)}  # what every function takes as it is
ARRAY_ARGUMENTS = {*"a a1 a2 arr array ary b element indices test_elements v x x1 x2".split()}
BY_ROWS = {Tensor, Value, float, int}  # what every row takes as it is
OURS = {"affine", "log_softmax", "logsumexp", "norm", "segment_sum", "softmax"}  # functions of arrays that NumPy lacks
NO_OUT = (
    "{}: a result that takes part in derivatives is not written into an array: "
    "write a = a + t instead of a += t, and leave out="
)
COMPILED = {"concatenate": "arrays axis out", "concat": "arrays axis out", "dot": "a b out"}  # those that have `out`
signature = cache(inspect.signature)


@cache
def by_place(plain: Any) -> list[str]:
    """The arguments that NumPy's function takes by place; before NumPy 2.4 not all that is compiled tells them."""
    if plain is None:
        return []
    if isinstance(plain, np.ufunc):
        return [*map(str, range(plain.nin)), "out"]
    try:
        given = signature(plain).parameters.values()
    except ValueError:
        return COMPILED.get(plain.__name__, "").split()
    return [x.name for x in given if x.kind < x.VAR_POSITIONAL]


@cache
def out_place(plain: Any) -> int:
    """Where `out` stands among the arguments that NumPy's function takes by place; behind all others if it has none."""
    return by_place(plain).index("out") if "out" in by_place(plain) else sys.maxsize


def recorded(
    name: str, function: Callable[..., Any], home: ModuleType = np, as_given: Callable = as_tensors
) -> Callable[..., Any]:
    """The function, or where no node takes part NumPy's function of this name.

    Where NumPy has none, the numbers go through the function as a Tensor. Lists of nodes and Values, as others are
    `as_given`, become Tensors, of a function of numbers (`as_nodes`) lists alone. The methods and keywords of a ufunc
    come back by its protocol.
    """
    plain: Any = getattr(home, name, None)
    of_ufunc = isinstance(plain, np.ufunc) and plain.signature is None  # an elementwise one
    code = getattr(function, "__code__", None)
    names = {*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]} if code else set()
    arrays = set() if as_given is as_nodes else names & ARRAY_ARGUMENTS
    simple, options = ARRAYS if len(arrays) > 1 else SIMPLE, names - arrays

    @wraps(function, updated=())
    def either(*args: Any, **kwargs: Any) -> Any:
        types = {*map(type, args)}
        try:
            given = Tensor in types and types <= simple and (type(args[0]) in ARRAYS or not arrays)
            if given and (len(args) < 3 or len(args) <= out_place(plain)):
                if not kwargs:  # most calls
                    return function(*args)
                if kwargs.keys() <= options and SIMPLE.issuperset(map(type, kwargs.values())):
                    return function(*args, **kwargs)
            with_node = Tensor in types or holds_node((*args, *kwargs.values()) if kwargs else args)
            if not with_node and of_ufunc and "out" not in kwargs and len(args) <= plain.nin:
                return warning_there(plain, *args, **kwargs)
            if not with_node or kwargs and of_ufunc:
                return plain(*args, **kwargs) if plain else _of_numbers(function, *args, **kwargs)
            args, kwargs = _entered(function, arrays, as_given, *_without_out(name, plain, args, kwargs))
            if kinds.tracing and _with_integers(args, kwargs):
                return _of_integers(plain, function, args, kwargs)
            return function(*args, **kwargs)
        except Exception as error:
            raise refused(error, name, (*args, *kwargs.values())) from None

    return _called(name, either, plain)


def _of_numbers(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of nodes makes of numbers alone, as numbers."""
    given = signature(function).bind(*args, **kwargs)
    return numbers_of(function(Tensor(given.args[0]), *given.args[1:], **given.kwargs))


def _without_out(called: str, plain: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """A call's arguments as our function takes them: from NumPy's `out` on by name."""
    place = out_place(plain)
    if len(args) > place:
        if len(args) > len(by_place(plain)):
            raise TypeError(f"{called} takes {len(by_place(plain))} arguments by place, not {len(args)}")
        kwargs = {**dict(zip(by_place(plain)[place:], args[place:])), **kwargs}
    if kwargs.pop("out", None) is not None:
        raise TypeError(NO_OUT.format(called))
    no_mask((*args, *kwargs.values()))
    return args[:place], kwargs


def _entered(function: Callable, arrays: set[str], as_given: Callable, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """A call's arguments: lists of nodes and Values `as_given`, and what is to be an array as one."""
    found = as_given((*args, *kwargs.values()))
    if arrays:
        names = chain([name for name, _ in zip(chain(signature(function).parameters, repeat("")), args)], kwargs)
        found = [as_array(x) if name in arrays and type(x) not in GIVEN else x for name, x in zip(names, found)]
    return (*found[: len(args)],), dict(zip(kwargs, found[len(args) :]))


def _called(name: str, function: Any, plain: Any) -> Callable[..., Any]:
    """The function, with the name of NumPy's, and of a ufunc the methods and what else it has."""
    if isinstance(plain, np.ufunc):
        vars(function).update({key: getattr(plain, key) for key in dir(plain) if key[0] != "_"})
    function.__name__ = function.__qualname__ = name
    return function


def record(
    names: dict[str, Any], home: ModuleType = np, as_given: Callable = as_tensors, plain: bool = False
) -> list[str]:
    """Let the functions that a module defines under NumPy's names be NumPy's own where no node takes part.

    With `plain` results they are that also where one does, and the module's are recorded in traces. Returns the names.
    """
    functions = [name for name, x in names.items() if inspect.isfunction(x) and x.__module__ == names["__name__"]]
    found = [name for name in functions if name[:2] != "__" and (hasattr(home, name) or name in OURS)]
    for name in found:
        function = names[name]
        function.__name__ = function.__qualname__ = name
        function.__doc__ = function.__doc__ or (
            OPERATIONS[name].__doc__ if name in OURS else f"As {home.__name__}.{name}."
        )
        made = recorded(name, function, home, as_given)
        names[name] = constant(name, home, traced=made) if plain else made
    return found


def numbers_of(x: Any) -> Any:
    """What a node holds, in a trace the example."""
    return getattr(x, type(x).reading.held)


def _with_integers(args: Sequence, kwargs: dict) -> bool:
    """Whether there are traced nodes of integers or masks among these."""
    return any(isinstance(x, kinds.array) and x.dtype.kind != "f" for x in flatten([args, kwargs]))


def _of_integers(plain: Callable | None, function: Callable, args: Sequence, kwargs: dict) -> Any:
    """A function of integers in a trace, with the dtypes of NumPy's own result: as it is, or by floats."""

    def given(change: Callable, f: Callable) -> Any:
        changed, by_name = on_nodes(change, [args, kwargs])
        return f(*changed, **by_name)

    as_floats = lambda x: Tensor(x) if isinstance(x, kinds.array) else x
    if plain is None:
        return given(as_floats, function)
    dtypes = [np.asarray(x).dtype for x in flatten(given(numbers_of, plain))]
    whole = next((dtype for dtype in dtypes if dtype.kind == "i"), None)  # what sums and products of int32 are in
    for change in (lambda x: x, lambda x: x.astype(whole) if whole and x.dtype.kind != "f" else x):
        with suppress(TypeError, ValueError):
            out = given(change, function)
            if all(not is_node(x) or x.dtype == dtype for x, dtype in zip(flatten(out), dtypes, strict=True)):
                return out
    out = given(as_floats, function)
    parts = [x.astype(dtype) if is_node(x) else x for x, dtype in zip(flatten(out), dtypes, strict=True)]
    return unflatten(out, parts)


def operation(row: Operation | Callable[..., Any]) -> Callable[..., Any]:
    """A row that NumPy has no function for, as a function: of integers, masks and lists as floats."""

    @wraps(row, updated=())
    def function(*args: Any) -> Any:
        return row(*[x if type(x) in BY_ROWS or is_value(x) else floats(x) for x in args])

    function.__qualname__ = row.__name__
    return function


def floats(x: Any) -> Any:
    """A Tensor or an array of floats."""
    x = as_array(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def on_nodes(f: Callable, tree: Any) -> Any:
    """A function of each node in nested lists, tuples and dicts; all else as it is."""
    return f(tree) if is_node(tree) else map_tree(lambda x: f(x) if is_node(x) else x, tree)


# lists with nodes in them as Tensors and all else as it is, for functions of numbers
as_nodes = lambda given: [*map(unlisted, given)]
data_of = partial(on_nodes, attrgetter("data"))
# zeros in the place of nodes: for what asks for shapes and dtypes, which stand where numbers do not yet
blank_of = partial(
    on_nodes, lambda x: np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, Tensor) else 0.0
)


def constant(
    name: str, home: ModuleType = np, data_of: Callable = data_of, traced: Callable | None = None
) -> Callable[..., Any]:
    """NumPy's function on the numbers of nodes: its result is no function of them that could be differentiated.

    In a trace, which has no numbers, the function `traced` is recorded, if there is one.
    """
    plain = getattr(home, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        if holds_node((kwargs.get("out"), *args[out_place(plain) :])):
            raise TypeError(NO_OUT.format(name))
        if is_node(kwargs.get("weights")):
            raise TypeError(f"{name}: its weights are not differentiated: give their .data")
        if kinds.tracing and data_of is not blank_of and holds_node((*args, *kwargs.values())):
            if traced is None:
                not_differentiated(f"{home.__name__}.{name}")
            return traced(*map(entered, args), **{key: entered(arg) for key, arg in kwargs.items()})
        if hooks:
            read(*flatten([args, kwargs]))
        try:
            return plain(*map(data_of, args), **{key: data_of(arg) for key, arg in kwargs.items()})
        except Exception as error:
            raise refused(error, name) from None

    function.__doc__ = f"{home.__name__}.{name} of the numbers; a plain result."
    return _called(name, function, plain)


def entered(x: Any) -> Any:
    """A node, or a list with nodes in it, as a node of the trace that this thread is in; all else as it is."""
    x = unlisted(x)
    inside = not is_node(x) or type(x) in (kinds.number, kinds.array)
    return x if inside else kinds.recorded("alias", x)


def not_differentiated(called: str) -> NoReturn:
    """Refuse a node in a function of NumPy that is not here."""
    if kinds.tracing:
        refuse(
            f"{called}() of a node was called",
            "use one of autograd.numpy or autograd.scipy; keep shapes that depend on no number, as where(mask, x, 0.0) "
            "does; or give what it returns as an argument",
        )
    raise TypeError(
        f"{called} is not differentiated: use one of autograd.numpy or autograd.scipy, or .data for a constant"
    )
