"""How the tests start a demo: as a user does, or after code that makes something go wrong; and what it drew."""

import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).parent.parent


def command(name: str, before: str = "") -> list[str]:
    """The start of a demo's command line."""
    script = ROOT / "demos" / f"{name}.py"
    if not before:
        return [sys.executable, str(script)]
    start = f"import runpy, sys; sys.path.insert(0, {str(script.parent)!r}); sys.argv[0] = {str(script)!r}"
    return [sys.executable, "-c", f"{start}\n{before}\nrunpy.run_path(sys.argv[0], run_name='__main__')"]


def png_size(path: pathlib.Path) -> tuple[int, ...]:
    """Width and height of a picture."""
    start = path.read_bytes()[:24]
    assert start.startswith(b"\x89PNG")
    return struct.unpack(">II", start[16:])


# says when Ctrl-C is taken care of, and whether that is before the imports that take long
READY = """
import signal
def handled(*arguments, real=signal.signal):
    signal.signal = real
    real(*arguments)
    print("ready", "numpy" in sys.modules, flush=True)
signal.signal = handled
"""
