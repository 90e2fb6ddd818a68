"""How a node behaves as an object of Python: what reads and prints it, and what it refuses."""

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .callers import WRITTEN, called, only_float_may_read, writes
from .users import users_frame


class Conduct:
    """The part of Node that concerns Python, not graphs."""

    __slots__ = ()
    data: Any
    grad: Any

    def item(self) -> float:
        """The number, as a float."""
        raise NotImplementedError

    def __float__(self) -> float:
        only_float_may_read(self, sys._getframe(1))
        return float(self.item())  # NumPy's longdouble gives its own

    def __int__(self) -> int:
        only_float_may_read(self, sys._getframe(1))
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __bool__(self) -> bool:
        return bool(self.data)

    if not TYPE_CHECKING:  # a type checker would take a node for an array, and array + node for one

        def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
            frame = users_frame()
            if writes(frame):
                raise TypeError(WRITTEN.format(type(self).__name__))
            name = called(frame)
            raise TypeError(
                f"{name + ': ' if name else ''}a {type(self).__name__} does not turn into an array, which would lose "
                "its history: use .data for the numbers, or a function of autograd.numpy"
            )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a node cannot be changed in place, since its history would then be wrong: build the new one "
            "with where(mask, new, old) or concatenate, or assign to .data of a leaf"
        )

    def _repr_html_(self) -> str | None:
        from .drawing import beside_numbers

        return beside_numbers(self)
