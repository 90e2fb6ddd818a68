"""A folder that one process has to itself."""

import errno
import os
import pathlib
import sys
import weakref

from .files import keep_names

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class Claim:
    """A folder, made if need be, that other processes cannot claim until close(), or this object's or process's end.

    Raises BlockingIOError if another process has it. A newer Claim of the same process takes over.
    """

    close: weakref.finalize
    _claims: weakref.WeakValueDictionary[pathlib.Path, "Claim"] = weakref.WeakValueDictionary()

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = pathlib.Path(os.fsdecode(folder)).absolute()
        made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        for each in made:
            keep_names(each.parent)
        if older := self._claims.get(self.folder.resolve()):
            older.close()
        self._handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        self.close = weakref.finalize(self, os.close, self._handle)  # which is the end of the lock
        try:
            _lock(self._handle)
        except OSError as error:
            self.close()
            if error.errno not in (errno.EACCES, errno.EWOULDBLOCK):
                raise
            raise BlockingIOError(
                f"{self.folder} is in use by another process: wait for its end, or give another folder"
            ) from None
        self._claims[self.folder.resolve()] = self

    def check(self) -> None:
        """Raise ValueError if it was closed or taken over, OSError if the folder is gone or is another one now."""
        if not self.close.alive:
            raise ValueError(
                f"{self.folder}: it was closed, something newer in this process took over the folder, or this process "
                "was forked by the one that has it"
            )
        if not os.path.samestat(os.fstat(self._handle), os.stat(self.folder / ".lock")):
            raise FileNotFoundError(f"{self.folder} is not the folder any more that it was")


def _leave_all() -> None:
    """Hold nothing of what the parent of a forked process has claimed, which goes on having it."""
    for claim in [*Claim._claims.values()]:
        claim.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


def _lock(handle: int) -> None:
    """Lock a file, or raise OSError at once."""
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
