"""What prints a program, and what every printer returns."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .program import Program, Unprintable
from .python import PythonExecutable


class Executable(Protocol):
    """A program that runs. It may be called by several threads at once; arrays that are given to it never change."""

    backend: str  # "python" or "llvm"
    why: str  # why by this printer
    source: str  # its text, Python or LLVM's
    program: Program  # what was printed

    def __call__(self, inputs: list) -> Sequence:
        """The outputs for these inputs, floats for scalar variables and fresh arrays of the program's dtypes."""

    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations; the outputs that are not carried, each with an entry for every iteration.

        Inputs that move have such an axis in front too. A carried output ends in the array of its input.
        """


def executable(
    program: Program,
    name: str,
    backend: str,
    moves: Sequence[bool] | None = None,
    carried: Mapping[int, int] | None = None,
    before: Executable | None = None,
) -> Executable:
    """The program by the printer that is asked for: python, llvm, or the better one that there is for auto.

    Where it is iterated, inputs that `moves` have an entry for each iteration, and a `carried` output takes the place
    of an input (output position: input position). Machine code of the same text is taken over from what was printed
    `before`. Raises TypeError where llvm is asked for and cannot print it, ImportError where it is missing.
    """
    moves, carried = moves or [False] * len(program.inputs), carried or {}
    why = "as asked for" if backend == "llvm" else "every operation is printable"

    def by_python(why: str) -> Executable:
        return PythonExecutable(program, why, name, moves, carried)

    if backend == "python":
        return by_python("as asked for")
    try:
        return _llvm()(program, why, moves, carried, before)
    except (ImportError, Unprintable) as error:
        if backend == "auto":
            return by_python(str(error))
        raise _kind(error)(f'jit(backend="llvm"): {error}') from None


def _kind(error: Exception) -> type[Exception]:
    return TypeError if isinstance(error, Unprintable) else ImportError


def _llvm() -> Any:
    try:
        from .llvm import LlvmExecutable
    except ImportError:
        raise ImportError('llvmlite is not installed: pip install "crabgrad[jit]"') from None
    return LlvmExecutable
