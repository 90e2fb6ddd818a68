"""Everything that nodes can do besides being nodes, attached to their classes in this one place.

The elementwise rows of the table are operators and methods; functions of arrays are methods of Tensor.
"""

import functools
import numbers
from collections.abc import Callable
from typing import Any

import numpy

from . import copying
from . import numpy as names
from .arguments import numeric, real_number, unpacked
from .backward import backward
from .failing import naming
from .node import Node, Tensor, Value, kinds
from .numpy import protocols
from .numpy.dispatch import data_of
from .operation import ELEMENTWISE, OPERATIONS, Lazy, Operation, Reading
from .recording import hooks, read

BINARY = ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv")
UNARY = ("neg", "abs")
BITS = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift"}
COMPARISONS = {
    "__lt__": "less",
    "__le__": "less_equal",
    "__gt__": "greater",
    "__ge__": "greater_equal",
    "__eq__": "equal",
    "__ne__": "not_equal",
}
OF_ARRAYS = """
sum mean max min prod var std cumsum cumprod norm logsumexp reshape ravel transpose swapaxes squeeze repeat diagonal
trace clip round copy take dot any all argmax argmin argsort nonzero""".split()
OF_TWO = ("take", "dot")


def install(reading: Reading) -> None:
    """Give a class of nodes its operators and methods: the elementwise rows of the table."""
    for row in ELEMENTWISE:
        if row.name in BINARY:
            _method(reading.kind, f"__{row.name}__", reading.record, row)
            _method(reading.kind, f"__r{row.name}__", reading.reflected, row)
        elif row.name in UNARY:
            _method(reading.kind, f"__{row.name}__", reading.record, row)
        elif len(row.arguments) == 1 and row.name not in names.INTERNAL:
            _method(reading.kind, row.name, reading.record, row)
    _method(reading.kind, "__pos__", reading.record, OPERATIONS["alias"])


def install_bits(reading: Reading) -> None:
    """Give a class of nodes the operators of masks and integers."""
    for symbol, name in BITS.items():
        _method(reading.kind, f"__{symbol}__", reading.record, OPERATIONS[name])
        _method(reading.kind, f"__r{symbol}__", reading.reflected, OPERATIONS[name])
    _method(reading.kind, "__invert__", reading.record, OPERATIONS["invert"])


def _method(kind: type, name: str, recorders: Lazy, operation: Operation) -> None:
    """Give a class an operation as a method, compiled when it is first called."""

    def record(self: Node, *others: Any) -> Node:
        recorder = functools.update_wrapper(recorders[operation], first_call)
        setattr(kind, name, recorder)
        return recorder(self, *others)

    def unary(self: Node) -> Node:
        return record(self)

    def binary(self: Node, other: Any) -> Node:
        return record(self, other)

    first_call = unary if len(operation.arguments) == 1 else binary
    _attach(kind, name, first_call, operation.__doc__)


def _attach(kind: type, name: str, function: Callable, doc: str | None) -> None:
    """Give a class a function as a method, under its name there."""
    function.__name__, function.__qualname__, function.__doc__ = name, f"{kind.__name__}.{name}", doc
    setattr(kind, name, function)


def compare_by(kind: type, compare: Callable[[str], Callable]) -> None:
    """Give a class of nodes the operators of comparison; to None, a text and the like a node is not equal."""
    numeric = (Node, numbers.Real, numpy.bool_, numpy.ndarray, *((list, tuple) if issubclass(kind, Tensor) else ()))

    def equality(comparison: Callable) -> Callable:
        return lambda self, other: comparison(self, other) if isinstance(other, numeric) else NotImplemented

    for symbol, name in COMPARISONS.items():
        comparison = compare(symbol)
        comparison = equality(comparison) if symbol in ("__eq__", "__ne__") else comparison
        _attach(kind, symbol, comparison, f"As numpy.{name} of the numbers.")
    # by identity, as in a set of nodes, though == compares numbers
    kind.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]


def _comparison_of_numbers(symbol: str) -> Callable:
    def compare(self: Node, other: Any) -> Any:
        if kinds.tracing:  # a node from outside, whose numbers the program reads at each call
            return kinds.recorded(COMPARISONS[symbol], self, other)
        if hooks:
            read(self, other)
        number = other.number if isinstance(other, Node) else type(self).reading.scope["__constant"](other)
        if number is NotImplemented:
            number = data_of(other)
        return getattr(self.number if number.__class__ is float else numpy.asarray(self.number), symbol)(number)

    return compare


def _read(node: Node) -> Any:
    """The number or array; inside jit one from outside has none, since the program reads it at each call."""
    if hooks and kinds.kept and node.operation is None:
        return kinds.recorded("alias", node).data
    return node.number


def _assign(node: Node, data: Any) -> None:
    """Let a node hold another number or array: what Value() and Tensor() take, but an array of floats as it is."""
    if isinstance(node, Tensor):
        array = numeric(data)
        node.number = array if array.dtype.kind == "f" else array.astype(float)
    else:
        node.number = real_number(data)


for _kind in (Value, Tensor):
    install(_kind.reading)
    compare_by(_kind, _comparison_of_numbers)
_attach(Tensor, "tolist", lambda self: self.data.tolist(), "As numpy.ndarray.tolist: plain numbers.")
for _name, _function in {
    **{name: getattr(names, name) for name in OF_ARRAYS},
    **{name: getattr(Tensor, name) for name in ("astype", "item")},
    "flatten": names.ravel,
    "__matmul__": names.matmul,
}.items():
    # what is of a Tensor alone need not ask whether it was given one
    _inner = _function if _name in OF_TWO else getattr(_function, "__wrapped__", _function)
    setattr(Tensor, _name, naming(_name.strip("_"), _inner))
_expand = naming("expand", lambda self, *sizes: names.broadcast_to(self, unpacked(sizes)))
_attach(Tensor, "expand", _expand, names.broadcast_to.__doc__)
_attach(Tensor, "__contains__", lambda self, item: bool(names.any(self == item)), "Whether an element equals this.")
_attach(Tensor, "__rmatmul__", lambda self, other: names.matmul(other, self), names.matmul.__doc__)
for _name, _function in {
    "data": property(
        _read,  # generated code reads `number`, since a property takes longer
        _assign,
        doc="The number, a float, or the array, numpy.ndarray. Of a leaf it may be assigned to.",
    ),
    "backward": backward,
    "__divmod__": lambda self, other: (self // other, self % other),
    "__rdivmod__": lambda self, other: (other // self, other % self),
    "__round__": names.round,
    "label": vars(Node)["name"],  # this and the next two are what micrograd's lectures read
    "_prev": property(lambda self: {x for x in self.args if isinstance(x, Node)}),
    "_op": property(lambda self: self.operation.name if self.operation else ""),
    "__copy__": copying.copied,
    "__deepcopy__": copying.deep_copied,
    "__reduce__": copying.pickled,
    "__array_ufunc__": protocols.ufunc,
    "__array_function__": protocols.function,
}.items():
    setattr(Node, _name, _function)
