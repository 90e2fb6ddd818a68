"""Files of numbers by name: npz, read without pickle, written whole or not at all."""

import io
import os
import zipfile
from collections.abc import Mapping

import numpy as np

from autograd.files import write_whole

from .module import Module


def save(path: str | os.PathLike, what: Module | Mapping[str, np.ndarray]) -> None:
    """Write a module's parameters, or arrays by name, to an npz file."""
    arrays = (
        what.state_dict() if isinstance(what, Module) else {name: np.asarray(array) for name, array in what.items()}
    )
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"save: {name} holds Python objects; a file holds numbers and text only")
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


def load(path: str | os.PathLike, module: Module | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file; into a module if one is given, which changes only if all of them fit.

    Raises ValueError for a file that is no npz, is damaged, holds Python objects, or has other names, shapes or dtypes
    than the module.
    """
    with open(path, "rb") as file:
        try:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            arrays = {name: found[name] for name in found.files}
        except (ValueError, EOFError, zipfile.BadZipFile, KeyError, OSError) as error:
            raise ValueError(f"{os.fspath(path)} is not a file of arrays that nn.save writes: {error}") from None
    if module is not None:
        module.load_state_dict(arrays)
    return arrays
