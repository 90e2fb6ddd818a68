"""How a node behaves as an object of Python: what reads, prints and copies it, and what it refuses."""

import copy
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from .callers import called, only_float_may_read
from .users import users_frame


class Conduct:
    """The part of Node that concerns Python, not graphs."""

    __slots__ = ()
    data: Any
    grad: Any
    operation: Any

    def detach(self) -> Self:
        """A leaf with the same number and no history."""
        raise NotImplementedError

    def item(self) -> float:
        """The number, as a float."""
        raise NotImplementedError

    def __float__(self) -> float:
        only_float_may_read(self, sys._getframe(1))
        return self.item()

    def __int__(self) -> int:
        only_float_may_read(self, sys._getframe(1))
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

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
                "copy node.detach(), or use .data for the numbers"
            )
        twin = self.detach()
        twin.data, twin.grad = copy.deepcopy(self.data), copy.deepcopy(self.grad)
        return twin

    def __copy__(self) -> Self:
        return self.__deepcopy__({})

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: save .data, or a Module with nn.save")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a node cannot be changed in place, since its history would then be wrong: build the new one "
            "with where(mask, new, old) or concatenate, or assign to .data of a leaf"
        )

    def _repr_html_(self) -> str | None:
        from .drawing import beside_numbers

        return beside_numbers(self)
