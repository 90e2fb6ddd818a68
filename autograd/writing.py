"""Files that are written whole or not at all."""

import os
import pathlib
import tempfile


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that takes its name only when it is complete; after an error the old one is still there."""
    path = pathlib.Path(path)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
