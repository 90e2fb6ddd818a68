"""save and load: the numbers of a module or an optimizer, as a file."""

import os
import warnings
from collections.abc import Mapping

import numpy as np

from autograd.files import read_arrays, write_arrays
from autograd.users import at_users_line

from .module import Module, check_state
from .optim import Optimizer


def save(path: str | os.PathLike[str], what: Module | Optimizer | Mapping[str, np.ndarray]) -> None:
    """Write the state of a module or an optimizer, or arrays by name, to an npz file.

    Raises TypeError for what is neither numbers nor text, ValueError for a name that a zip would not give back.
    """
    named = what if isinstance(what, Mapping) else what.state_dict() if hasattr(what, "state_dict") else None
    if named is None:
        hint = ": the path comes first" if isinstance(what, (str, os.PathLike)) else ""
        raise TypeError(f"save: {type(what).__name__} is neither a Module nor a dict of arrays by name{hint}")
    write_arrays(path, named)


def load(
    path: str | os.PathLike[str], module: Module | Optimizer | None = None, limit: int = 2**30
) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file; into a module (or an optimizer) if one is given, which changes only if all fit.

    Nothing is unpacked before names, shapes and dtypes are known to be the module's or, without one, the arrays to
    have at most `limit` bytes together. Raises ValueError for that, and for a file that is no npz, is damaged, of a
    newer format, or holds Python objects. A module's arrays with NaN in them are taken over with a warning.
    """
    if module is not None and not hasattr(module, "load_state_dict"):
        raise TypeError(f"load: {type(module).__name__} is no Module that takes over arrays; the path comes first")

    def accept(forms: dict[str, np.ndarray]) -> None:
        if module is not None:
            check_state(forms, module.state_dict(), f"{os.fspath(path)} for {type(module).__name__}")
        elif (size := sum(form.nbytes for form in forms.values())) > limit:
            raise ValueError(f"{os.fspath(path)} holds {size:,} bytes, more than limit={limit:,}: give a larger limit=")

    arrays = read_arrays(path, accept)
    if module is not None:
        warn_of_nan(os.fspath(path), arrays)
        module.load_state_dict(arrays)
    return arrays


def warn_of_nan(path: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Warn, at the user's line, of the arrays that have NaN in them, by name."""
    if found := [name for name, array in arrays.items() if array.dtype.kind == "f" and np.isnan(array).any()]:
        at_users_line(warnings.warn, f"{path} has NaN in {', '.join(found)}", RuntimeWarning)
