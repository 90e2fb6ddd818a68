"""Ctrl-C in the demos: one line and exit status 130, at once or, while something could be lost, after the work in hand.

A KeyboardInterrupt could come up anywhere, also where nobody can catch it, such as half-way through an import.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


def at_once() -> None:
    """From here on Ctrl-C ends the program; to be called before the imports that take long."""
    signal.signal(signal.SIGINT, _end)


def _end(*_: Any) -> NoReturn:
    try:
        os.write(sys.stderr.fileno(), b"stopped\n")
    finally:
        os._exit(130)


@contextmanager
def deferred() -> Iterator[list[int]]:
    """While this lasts, Ctrl-C and SIGTERM are only noted, in the list that it gives."""
    noted: list[int] = []
    numbers = signal.SIGINT, signal.SIGTERM
    handlers = {number: signal.signal(number, lambda number, _: noted.append(number)) for number in numbers}
    try:
        yield noted
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def run(main: Callable[[], int]) -> NoReturn:
    """End the program with main's status."""
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # None if closed
    sys.stdout.reconfigure(errors="backslashreplace")  # a path may have letters that the output cannot
    try:
        status = main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to stop
    try:
        print(end="", flush=True)
    except OSError:  # main has said so; the interpreter would try again, and complain in its own way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
