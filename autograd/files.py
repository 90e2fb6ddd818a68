"""Files that are written whole or not at all, and files of arrays by name: npz, read without pickle.

An npz file is a zip of NAME.npy entries. np.savez takes names as keyword arguments and np.load finds "a" under "a.npy"
too, so the entries are written and read here one by one: every name comes back as it was given. The zip's comment says
which format this is; a file of the first one, as those that NumPy writes, has none.
"""

import errno
import io
import math
import os
import pathlib
import re
import reprlib
import stat
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.lib import format as npy

from .arguments import no_mask

FORMAT = 2  # 1 had no comment
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
LONGEST_HEADER = 10_000  # bytes; NumPy parses no more, either
LONGEST_NAME = 65_535  # bytes in a zip
UTF8_NAME = 0x800  # the flag of a name that is not in the character set of MS-DOS
END = struct.Struct("<4s6sH8sH")  # of a zip: a mark, disks, the number of entries, sizes, the length of the comment


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that takes its name only when it is complete; after an error the old one is still there.

    What is written outlasts the end of the process at any moment, and once this returns, that of the machine. As where
    a file is opened, a link stays a link, and a file that was there keeps its permissions. Raises
    IsADirectoryError where a folder has the name, FileExistsError where a device has it.
    """
    path = pathlib.Path(os.path.realpath(os.fsdecode(path)))
    if path.exists() and not path.is_file():
        code = errno.EISDIR if path.is_dir() else errno.EEXIST
        raise OSError(code, os.strerror(code), str(path))
    temporary = path.with_name(f"{path.name[:40]}{os.urandom(8).hex()}.part")
    try:
        with open(temporary, "xb") as file:
            if path.exists():
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # the folder is gone, say; the first error tells more
            os.unlink(temporary)
        raise
    keep_names(path.parent)


def keep_names(folder: pathlib.Path) -> None:
    """Return when the names in a folder are on the disk, too."""
    if sys.platform != "win32":  # where folders cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_arrays(path: str | os.PathLike[str], named: Mapping[str, Any]) -> None:
    """Write arrays, and what NumPy makes arrays of, by name to an npz file.

    Raises TypeError for what is neither numbers nor text, ValueError for a name that a zip would not give back.
    """
    no_mask(named.values())
    arrays = {_checked(name): np.asarray(array) for name, array in named.items()}
    for name, array in arrays.items():
        if array.dtype.kind in "US" and (array.astype(object) != np.asarray(named[name], object)).any():
            found = reprlib.repr(array.tolist())
            raise TypeError(f"save: {name} would come back as {found}: keep texts apart from others, and without NUL")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.comment = f"crabgrad {FORMAT}".encode()
        for name, array in arrays.items():
            if array.dtype.kind not in "biufcmMSU":
                held = "Python objects" if array.dtype.hasobject else array.dtype
                raise TypeError(f"save: {name} holds {held}; a file holds numbers and text only")
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                npy.write_array(entry, array, version=(1, 0), allow_pickle=False)
    write_whole(path, content.getvalue())


def read_arrays(path: str | os.PathLike[str], accept: Callable[[dict[str, np.ndarray]], None]) -> dict[str, np.ndarray]:
    """The arrays of an npz file, by name; ValueError for one that is no npz, is damaged or holds Python objects.

    Nothing is unpacked before `accept` has seen arrays of the same names, shapes and dtypes, which take no memory.
    """
    with open(path, "rb") as file:
        with _damage_named(path):
            archive = zipfile.ZipFile(file)
            entries = _entries(archive)
        accept({name: entry.form for name, entry in entries.items()})
        with _damage_named(path):
            return {name: _numbers(archive, entry) for name, entry in entries.items()}


class _Entry(NamedTuple):
    """What an entry of the zip says about its array."""

    info: zipfile.ZipInfo
    start: int  # of the numbers, after the header
    size: int  # of the numbers, in bytes
    form: np.ndarray  # of the array's shape and dtype, in no memory
    order: Literal["C", "F"]


def _checked(name: str) -> str:
    """The name, if a zip gives it back as it is."""
    if not isinstance(name, str):
        raise TypeError(f"save: a name is text, not {name!r}")
    try:
        length = len(f"{name}.npy".encode())
    except UnicodeEncodeError:
        raise ValueError(f"save: the name {name!r} has half a character (a surrogate): choose another") from None
    if length > LONGEST_NAME or zipfile.ZipInfo(f"{name}.npy").filename != f"{name}.npy":
        raise ValueError(
            f"save: a zip cannot hold the name {name[:50]!r} (of {length - 4:,} bytes): choose another, without NUL "
            f"and of at most {LONGEST_NAME - 4:,} bytes"
        )
    return name


@contextmanager
def _damage_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise ValueError with the file's name for whatever is wrong with it."""
    try:
        yield
    except Exception as error:  # a dozen kinds, from zipfile, zlib, struct, and Python's parser, which reads headers
        reason = str(error) or type(error).__name__
        raise ValueError(f"{os.fspath(path)} is not a file of arrays that nn.load reads: {reason}") from error


def _entries(archive: zipfile.ZipFile) -> dict[str, _Entry]:
    """Every array's header by name; ValueError for what is not an array."""
    found, comment = archive.infolist(), archive.comment
    version = re.fullmatch(rb"crabgrad (\d{1,9})", comment)
    if version and int(version[1]) > FORMAT:
        raise ValueError(
            f"it has the format {int(version[1])}, of a newer crabgrad; here formats up to {FORMAT} are known"
        )
    file = archive.fp
    assert file is not None  # it is open
    file.seek(-END.size - len(comment), os.SEEK_END)
    mark, _, count, _, length = END.unpack(file.read(END.size))
    start = min((info.header_offset for info in found), default=archive.start_dir)
    # zipfile is content with less: it looks for a mark anywhere, and reads entries until there are no more
    whole = mark == b"PK\5\6" and count == min(len(found), 0xFFFF) and start == 0 and length == len(comment)
    if not whole or (comment and not version):
        raise ValueError(f"the {len(found)} arrays that are found in it are not the whole file")
    entries: dict[str, _Entry] = {}
    for info in found:
        name = info.filename.removesuffix(".npy")
        if name == info.filename or not (name.isascii() or info.flag_bits & UTF8_NAME):
            raise ValueError(f"its entry {info.filename!r} is not called NAME.npy, in UTF-8")
        if name in entries:
            raise ValueError(f"it has two arrays {name!r}")
        entries[name] = _entry(archive, info)
    return entries


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others unpack without a bound
        raise ValueError(f"{info.filename} is compressed by method {info.compress_type}, not stored or deflated")
    with archive.open(info) as file:
        head = io.BytesIO(file.read(LONGEST_HEADER))
    version = npy.read_magic(head)
    if version not in HEADERS:
        raise ValueError(f"{info.filename} is npy of version {version}, expected one of {', '.join(map(str, HEADERS))}")
    with warnings.catch_warnings(action="error"):
        shape, fortran, dtype = HEADERS[version](head)
    if dtype.hasobject:
        raise ValueError(f"{info.filename} holds Python objects, which are not read")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"{info.filename} has the shape {shape}, expected integers of at least 0")
    start, size = head.tell(), math.prod(shape) * dtype.itemsize
    if start + size != info.file_size:
        raise ValueError(f"{info.filename} has {info.file_size - start:,} bytes of numbers, expected {size:,}")
    return _Entry(info, start, size, np.broadcast_to(np.empty((), dtype), shape), "F" if fortran else "C")


def _numbers(archive: zipfile.ZipFile, entry: _Entry) -> np.ndarray:
    """A fresh array; what is read to its end has been compared with its checksum."""
    content = np.empty(entry.size + 1, np.uint8)
    entry.info.file_size += 1  # zipfile would not read on to see whether there is more
    with archive.open(entry.info) as file:
        file.read(entry.start)
        if file.readinto(content) != entry.size:  # type: ignore[attr-defined]  # zipfile's types leave it out
            raise ValueError(f"{entry.info.filename} has more or less than its {entry.size:,} bytes of numbers")
    return np.ndarray(entry.form.shape, entry.form.dtype, content, order=entry.order)
