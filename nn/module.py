"""Module: something with parameters, which are the Tensors and Modules among its attributes."""

import collections
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arguments import no_mask


class Module:
    """The base of layers and networks; Tensors and Modules held as attributes, or in lists, are its parts."""

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The Tensors and Modules that are held directly, with their names."""
        for name, held in vars(self).items():
            for suffix, part in enumerate(held) if isinstance(held, (list, tuple)) else [("", held)]:
                if isinstance(part, (Tensor, Module)):
                    yield f"{name}.{suffix}" if suffix != "" else name, part

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Every parameter below this module, under the path to it: "layers.0.weight"."""
        for name, part in self.parts():
            if isinstance(part, Module):
                yield from part.named_parameters(f"{prefix}{name}.")
            else:
                yield prefix + name, part

    def parameters(self) -> list[Tensor]:
        """Every parameter below this module, a shared one once."""
        return list({id(parameter): parameter for _, parameter in self.named_parameters()}.values())

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of the parameters' numbers by name."""
        return {name: np.array(parameter.data) for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over numbers by name; ValueError and no change unless names, shapes and dtypes are this module's."""
        parameters = dict(self.named_parameters())
        check_state(state, {name: parameter.data for name, parameter in parameters.items()}, type(self).__name__)
        set_together(parameters.values(), ["data"] * len(parameters), [np.array(state[name]) for name in parameters])

    def rows(self) -> Iterator[tuple[str, str, list[Tensor]]]:
        """What repr shows: name, description and parameters of each layer."""
        for name, part in self.parts():
            if isinstance(part, Module):
                yield name, part.describe(), part.parameters()

    def describe(self) -> str:
        """One line about this module, without its parameters."""
        return type(self).__name__

    def __repr__(self) -> str:
        rows = [
            (name, text, " ".join(str(p.shape) for p in parameters), str(sum(p.size for p in parameters)))
            for name, text, parameters in self.rows()
        ]
        total = str(sum(parameter.size for parameter in self.parameters()))
        rows = [("", self.describe(), "shapes", "count"), *rows, ("", "total", "", total)]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join(
            "  ".join((*(row[i].ljust(widths[i]) for i in range(3)), row[3].rjust(widths[3]))) for row in rows
        )


def set_together(owners: Iterable, names: Iterable[str], values: Iterable) -> None:
    """Set attributes, all of them or none: it is one call of C, which nothing can interrupt half-way."""
    collections.deque(map(setattr, owners, names, values), maxlen=0)


def check_state(state: Mapping[str, Any], expected: Mapping[str, np.ndarray], owner: str) -> None:
    """Raise unless the names, shapes and dtypes of a state are the expected ones."""
    if missing := sorted(expected.keys() - state.keys()):
        raise ValueError(f"{owner}: the state has no {', '.join(missing)}")
    if unknown := sorted(state.keys() - expected.keys()):
        raise ValueError(f"{owner}: the state has {', '.join(unknown)}, which is unknown here")
    for name, array in expected.items():
        no_mask((state[name],))
        given = np.asarray(state[name])
        if given.shape != array.shape or given.dtype != array.dtype:
            raise ValueError(
                f"{owner}: {name} is {given.dtype} of shape {given.shape} in the state, "
                f"expected {array.dtype} of shape {array.shape}"
            )
