"""Value and Tensor: a number or an array, and how it was made.

A node keeps its operation and that operation's arguments; an argument that is no node is a constant. There is nothing
else: no tape, no flag, no closure, no reference from an argument to what was made of it. So a graph that nobody holds
is freed at once, and the order of creation (`when`) is an order in which everything comes after what it was made of.
"""

import contextlib
import copy
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from .arguments import again, no_mask, numeric, tensor_constant, value_constant
from .callers import called, only_float_may_read
from .operation import OPERATIONS, PLAIN_ARRAYS, PLAIN_FLOATS, Reading
from .recording import attend, hooks, tick
from .users import users_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .typed import TensorMethods, ValueMethods
else:  # attached by methods.py
    TensorMethods = ValueMethods = object


class Node:
    """What Value and Tensor share: `data`, `grad`, `name`, and the operation and arguments that it was made by."""

    __slots__ = {
        "data": "The number, a float, or the array, numpy.ndarray. Of a leaf it may be assigned to.",
        "grad": "What backward() has added up here: of a leaf the derivative with respect to it; None before.",
        "name": "What pictures call it; an empty text for none.",
        "operation": "The row of the table that this was made by; None for a leaf.",
        "x": "What the operation was applied to first; see args.",
        "y": "What came second, or a tuple of all that came after the first; see args.",
        "when": "When it was made: everything has a larger number than what it was made of.",
        "__weakref__": "",
    }
    reading: Reading
    data: Any
    grad: Any
    name: str
    operation: Any  # an Operation, or None for a leaf
    x: Any
    y: Any
    when: int

    def __init_subclass__(cls, final: bool = True):
        if final:
            raise TypeError(
                f"{cls.__name__} cannot be a subclass of Value or Tensor: hold a node as an attribute instead"
            )

    def _become_leaf(self, data: Any, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a node is a string, not {name!r}")
        self.data, self.grad, self.name = data, None, name
        self.operation = self.x = self.y = None
        self.when = tick()

    @property
    def args(self) -> tuple[Any, ...]:
        """What the operation was applied to, nodes and constants; () for a leaf."""
        count = 0 if self.operation is None else len(self.operation.names)
        return (self.x, *self.y) if count > 2 else (self.x, self.y)[:count]

    def detach(self) -> Self:
        """A leaf with the same number and no history."""
        leaf = object.__new__(type(self))
        leaf._become_leaf(self.data, self.name)
        return leaf

    def _number(self) -> float:
        raise NotImplementedError

    def __float__(self) -> float:
        only_float_may_read(self, sys._getframe(1))
        return self._number()

    def __bool__(self) -> bool:
        return bool(self.data)

    if not TYPE_CHECKING:  # a type checker would take a node for an array, and array + node for one

        def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
            name = called(users_frame())
            raise TypeError(
                f"{name + ': ' if name else ''}a {type(self).__name__} does not turn into an array, which would lose "
                "its history: use .data for the numbers, or a function of autograd.numpy"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if self.operation is not None:
            raise TypeError(
                f"only a leaf can be copied; this {type(self).__name__} was made by {self.operation.name}: "
                "copy node.detach()"
            )
        twin = self.detach()
        twin.data, twin.grad = copy.deepcopy(self.data), copy.deepcopy(self.grad)
        return twin

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: save .data, or a Module with nn.save")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a node cannot be changed in place, since its history would then be wrong: build the new one "
            "with where(mask, new, old) or concatenate, or assign to .data of a leaf"
        )

    def _repr_svg_(self) -> str | None:
        from .drawing import svg

        with contextlib.suppress(
            OSError, ImportError, ValueError
        ):  # no Graphviz, or too large: the notebook shows repr
            return svg(self)
        return None


SIMPLE = {int, slice}  # indices that hide nothing


class Value(Node, ValueMethods, final=False):
    """A float and how it was made; `+ - * / **` with other Values and numbers record what they do.

    Raises TypeError for anything but a real number.
    """

    __slots__ = ()
    data: float
    grad: float | None

    def __init__(self, data: float, name: str = ""):
        self._become_leaf(value_constant(data), name)

    def _number(self) -> float:
        return self.data

    def __repr__(self) -> str:
        return f"Value({self.data!r}{_named(self)})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)


class Tensor(Node, TensorMethods, final=False):
    """An array and how it was made; NumPy's arithmetic and indexing on it record what they do.

    Integers and booleans become float64; floats keep their dtype, unless another is given. The data is copied, so that
    later changes of the original do not reach into the graph. Raises TypeError for what holds no real numbers,
    ValueError for nested lists that are no array.
    """

    __slots__ = ()
    data: "NDArray[Any]"
    grad: "NDArray[Any] | None"

    def __init__(self, data: Any, dtype: Any = None, name: str = ""):
        array = numeric(data)
        dtype = np.dtype(dtype if dtype is not None else array.dtype if array.dtype.kind == "f" else np.float64)
        if dtype.kind != "f":
            raise TypeError(f"a Tensor holds floats, not {dtype}")
        self._become_leaf(np.array(array, dtype), name)

    @property
    def shape(self) -> tuple[int, ...]:
        """As numpy.ndarray.shape."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """As numpy.ndarray.ndim."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """As numpy.ndarray.size."""
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """As numpy.ndarray.dtype."""
        return self.data.dtype

    @property
    def T(self) -> "Tensor":
        """The axes in reverse order."""
        return OPERATIONS["transpose"](self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> "Tensor":
        """The last two axes exchanged."""
        return OPERATIONS["swapaxes"](self, -1, -2)

    def _number(self) -> float:
        return self.item()

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
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> "Tensor":
        if index.__class__ not in SIMPLE:
            no_mask(index if index.__class__ is tuple else (index,))
        return OPERATIONS["getitem"](self, index)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self.data), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        return f"Tensor({text}{dtype}{_named(self)})"

    def astype(self, dtype: Any) -> "Tensor":
        """The same numbers in another float dtype; TypeError for any other."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"a Tensor holds floats, not {np.dtype(dtype)}")
        return OPERATIONS["cast"](self, np.dtype(dtype))


def _named(node: Node) -> str:
    return f", name={node.name!r}" if node.name else ""


SCOPE = {"__new": object.__new__, "__tick": tick, "__hooks": hooks, "__attend": attend, "__again": again}
Value.reading = Reading(Value, PLAIN_FLOATS, {**SCOPE, "__constant": value_constant})
Tensor.reading = Reading(Tensor, PLAIN_ARRAYS, {**SCOPE, "__constant": tensor_constant})


class Kinds(threading.local):
    """The classes that numbers and arrays are wrapped in: those of a trace while this thread is in one."""

    number, array = Value, Tensor


kinds = Kinds()
