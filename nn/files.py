"""Files of numbers by name: npz, read without pickle, written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np

from .module import Module


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete; after an error the old one is still there."""
    path = pathlib.Path(path)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def save(path: str | os.PathLike, what: Module | Mapping[str, np.ndarray]) -> None:
    """Write a module's parameters, or arrays by name, to an npz file."""
    arrays = what.state_dict() if isinstance(what, Module) else {name: np.asarray(array) for name, array in what.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"save: {name} holds Python objects; a file holds numbers and text only")
    with whole_file(path) as file:
        np.savez(file, **arrays)


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
