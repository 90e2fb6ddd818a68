"""Value and Tensor: a number or an array, and how it was made.

A node keeps its operation and that operation's arguments; an argument that is no node is a constant. There is nothing
else: no tape, no flag, no closure, no reference from an argument to what was made of it. So a graph that nobody holds
is freed at once, and the order of creation (`when`) is an order in which everything comes after what it was made of.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .arguments import holds_node, no_mask, numeric, real_number, tensor_constant, value_constant
from .conduct import Conduct
from .failing import again
from .indexing import indexed
from .meeting import meet
from .operation import OPERATIONS, PLAIN_ARRAYS, PLAIN_FLOATS, Reading
from .recording import attend, hooks, tick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .typed import TensorMethods, ValueMethods
else:  # attached by methods.py
    TensorMethods = ValueMethods = object


class Node(Conduct):
    """What Value and Tensor share: `data`, `grad`, `name`, and the operation and arguments that it was made by."""

    __slots__ = {
        "number": "What `data` reads, and checks when it is assigned to: the float or the array itself.",
        "grad": "The gradient: of a leaf the sum of all backward() calls, else the last; at first 0.0 or None.",
        "name": "What pictures call it; an empty text for none.",
        "operation": "The row of the table that this was made by; None for a leaf.",
        "x": "The first argument of the operation; see args.",
        "y": "The second argument, or a tuple of all after the first; see args.",
        "when": "A counter, larger than that of everything that this was made of.",
        "__weakref__": "",
    }
    reading: Reading
    _grad_before: float | None = None  # what `grad` is before a backward()
    name: str
    label: str  # micrograd's word for it
    operation: Any  # an Operation, or None for a leaf
    x: Any
    y: Any
    when: int

    def __init_subclass__(cls, final: bool = True):
        if final:
            raise TypeError(
                f"{cls.__name__} cannot be a subclass of Value or Tensor: hold a node as an attribute instead"
            )

    def _called(self, name: str) -> Self:
        if not isinstance(name, str):
            raise TypeError(f"the name of a node is a string, not {name!r}")
        self.name = name
        return self

    def _become_leaf(self, data: Any, name: str) -> None:
        if name.__class__ is not str:
            self._called(name)
        self.number, self.grad, self.name = data, self._grad_before, name
        self.operation = self.x = self.y = None
        self.when = tick()

    @property
    def args(self) -> tuple[Any, ...]:
        """What the operation was applied to, nodes and constants; () for a leaf."""
        count = 0 if self.operation is None else len(self.operation.names)
        return (self.x, *self.y) if count > 2 else (self.x, self.y)[:count]

    def detach(self) -> Self:
        """A leaf with the same number and no history."""
        if kinds.tracing and self.operation is None:  # the program reads its number at each call
            return kinds.recorded("detached", self)
        leaf = object.__new__(type(self))
        leaf._become_leaf(self.number, self.name)
        return leaf


SIMPLE = {int, slice, type(None), type(...), np.ndarray}  # parts of an index that hold no node and no mask


class Value(Node, ValueMethods, final=False):
    """A float and how it was made; `+ - * / **` with other Values and numbers record what they do.

    Beside an array or a Tensor it acts as one of shape (), and its gradient is a float. Raises TypeError for anything
    but a real number.
    """

    __slots__ = ()
    _grad_before = 0.0  # as in micrograd
    data: float
    grad: float

    def __new__(cls, data: "float | Value", name: str = "", *, label: str = "") -> Self:
        if data.__class__ is not float:
            if isinstance(data, Value):
                return OPERATIONS["alias"](data)._called(name or label)
            data = real_number(data)
        node = object.__new__(cls)
        node._become_leaf(data, name or label)
        return node

    def item(self) -> float:
        """The number, as a float."""
        return self.data

    def __repr__(self) -> str:
        return f"Value({self.number!r}{_named(self)})"


class Tensor(Node, TensorMethods, final=False):
    """An array and how it was made; NumPy's arithmetic and indexing on it record what they do.

    Integers and booleans become float64; floats keep their dtype, unless another is given. The data is copied: later
    changes do not reach it. Raises TypeError for what holds no real numbers, ValueError for lists that are no array.
    """

    __slots__ = ()
    data: "NDArray[Any]"
    grad: "NDArray[Any] | None"

    def __new__(cls, data: Any, dtype: Any = None, name: str = "") -> Self:
        array = data if isinstance(data, Tensor) else numeric(data)
        held = _dtype(dtype if dtype is not None else array.dtype if array.dtype.kind == "f" else float)
        if isinstance(data, Tensor):
            return OPERATIONS["cast"](data, held)._called(name)
        node = object.__new__(cls)
        node._become_leaf(np.array(array, held), name)
        return node

    @property
    def shape(self) -> tuple[int, ...]:
        """As numpy.ndarray.shape."""
        return self.number.shape

    @property
    def ndim(self) -> int:
        """As numpy.ndarray.ndim."""
        return self.number.ndim

    @property
    def size(self) -> int:
        """As numpy.ndarray.size."""
        return self.number.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """As numpy.ndarray.dtype."""
        return self.number.dtype

    @property
    def T(self) -> "Tensor":
        """The axes in reverse order."""
        return OPERATIONS["transpose"](self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> "Tensor":
        """The last two axes exchanged."""
        return OPERATIONS["swapaxes"](self, -1, -2)

    def item(self) -> float:
        """The number of a Tensor that has a single element, as a float; TypeError if it has more."""
        if self.size != 1:
            raise TypeError(f"a Tensor of shape {self.shape} is not one number; .data is the array")
        return self.data.item()

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"the truth of a Tensor of shape {self.shape} is ambiguous: write (x > 0).all() or .any()")
        return bool(self.data)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a Tensor of shape () has no len()")
        return len(self.number)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> "Tensor":
        if index.__class__ not in SIMPLE:
            parts = index if index.__class__ is tuple else (index,)
            if not SIMPLE.issuperset(map(type, parts)):
                no_mask(parts)
                if holds_node(parts):
                    return indexed(self, parts)
        return OPERATIONS["getitem"](self, index)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self.number), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        return f"Tensor({text}{dtype}{_named(self)})"

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another float dtype; as integers or booleans they are a plain array, but inside jit."""
        dtype = _dtype(dtype, "fiub")
        plain = dtype.kind != "f" and not kinds.tracing
        return np.asarray(self.number).astype(dtype) if plain else kinds.recorded("cast", self, dtype)


def _dtype(given: Any, held: str = "f") -> np.dtype[Any]:
    try:
        dtype = np.dtype(given)
    except SyntaxError as error:  # of a text that NumPy reads as Python
        raise TypeError(f"{given!r} is no dtype: {error}") from None
    if dtype.kind not in held:
        raise TypeError(f"a Tensor holds floats, not {dtype}")
    return dtype


def _named(node: Node) -> str:
    return f", name={node.name!r}" if node.name else ""


def scope(constant: Callable, attend: Callable) -> dict[str, Any]:
    """What generated functions need to make a node."""
    return {
        "__new": object.__new__,
        "__tick": tick,
        "__hooks": hooks,
        "__attend": attend,
        "__again": again,
        "__constant": constant,
        "__meet": meet,
    }


def beside(numbers: Reading, arrays: Reading) -> None:
    """Let the nodes of two readings stand in one operation."""
    numbers.array, arrays.number = arrays.kind, numbers.kind


Value.reading = Reading(Value, PLAIN_FLOATS, scope(value_constant, attend))
Tensor.reading = Reading(Tensor, PLAIN_ARRAYS, scope(tensor_constant, attend))
beside(Value.reading, Tensor.reading)


class Kinds(threading.local):
    """The classes that numbers and arrays are wrapped in: Value and Tensor, or inside jit and vmap their doubles."""

    number, array, tracing, kept = Value, Tensor, False, False  # kept: a program that will run again, as jit's

    def recorded(self, row: str, x: Node, *rest: Any) -> Any:
        """A row of the table applied to a node, recorded by these classes even if the node is from outside jit."""
        kind = self.number if isinstance(x, Value) else self.array
        return kind.reading.record[OPERATIONS[row]](x, *rest)


kinds = Kinds()
