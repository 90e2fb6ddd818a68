"""Machine code on disk, so that a program that was compiled once is not compiled again in another process.

The environment variable CRABGRAD_CACHE names the folder, and `off` stands for none. What cannot be read or written, or
is not what was written, counts as not there. Whoever may write into the folder could have this process run anything:
so it is its owner's alone.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

MOST = 256 << 20  # bytes; beyond, what was not used for the longest time is removed
DIGEST = hashlib.sha256().digest_size


def kept(key: str, make: Callable[[], bytes]) -> bytes:
    """What was made for this key before, by any process, or what is made now."""
    folder = _folder()
    if folder is None:
        return make()
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
    found = _read(file)
    if found is None:
        found = make()
        with contextlib.suppress(OSError):
            _write(file, found)
            _shorten(folder)
    return found


def _folder() -> Path | None:
    """Where code is kept; None where it is not."""
    named = os.environ.get("CRABGRAD_CACHE")
    if named == "off":
        return None
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(named or Path(home) / "crabgrad")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    except (OSError, RuntimeError):  # no home, or one that is read-only
        return None
    others_may = about.st_mode & 0o022 or about.st_uid != os.getuid() if hasattr(os, "getuid") else False
    return None if others_may else folder


def _read(file: Path) -> bytes | None:
    try:
        content = file.read_bytes()
        os.utime(file)  # it is used now
    except OSError:
        return None
    code = content[DIGEST:]
    return code if hashlib.sha256(code).digest() == content[:DIGEST] else None


def _write(file: Path, code: bytes) -> None:
    """The whole file or none, whoever else writes it now."""
    number, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(number, "wb") as temporary:
            temporary.write(hashlib.sha256(code).digest() + code)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _shorten(folder: Path) -> None:
    """Remove what was not used for the longest time, until the rest is small enough."""
    files = sorted(((x.stat().st_mtime, x.stat().st_size, x) for x in folder.iterdir()), reverse=True)
    total = 0
    for _, size, file in files:
        total += size
        if total > MOST:
            file.unlink(missing_ok=True)
