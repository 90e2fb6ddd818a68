"""What prints a program, and what every printer returns."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .program import Program, Unprintable
from .python import PythonExecutable


class Executable(Protocol):
    """A program that runs. It may be called by several threads at once; arrays that are given to it never change."""

    backend: str  # "python", "llvm" or "jax"
    why: str  # why by this printer
    source: str  # its text, Python, LLVM's or JAX's
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
    spread: Any = None,
) -> Executable:
    """The program by the printer that is asked for: python, llvm, jax, or for auto llvm where that is possible.

    Where it is iterated, inputs that `moves` have an entry for each iteration, and a `carried` output takes the place
    of an input (output position: input position). Machine code of the same text is taken over from what was printed
    `before`; jax may `spread` iterations over devices. Raises TypeError where the printer that was asked for cannot
    print the program, ImportError where it is missing.
    """
    moves, carried = moves or [False] * len(program.inputs), carried or {}
    why = "every operation is printable" if backend == "auto" else "as asked for"
    try:
        if backend == "jax":
            return _jax().JaxExecutable(program, moves, carried, spread)
        if backend != "python":
            return _llvm()(program, why, moves, carried, before)
    except (ImportError, Unprintable) as error:
        if backend != "auto":
            kind = TypeError if isinstance(error, Unprintable) else ImportError
            raise kind(f'jit(backend="{backend}"): {error}') from None
        why = str(error)
        for body in (x for variable in program.steps for x in variable.static if hasattr(x, "print_loop")):
            body.print_loop(backend)  # of scan: it may be printable where the whole is not
    return PythonExecutable(program, why, name, moves, carried)


def foreign(backend: str) -> Any:
    """The class of arrays that a backend takes besides NumPy's; () if there is none."""
    return _jax().jax.Array if backend == "jax" else ()


def spread(devices: Any, axis: str, most: float) -> Any:
    """Devices of JAX's for `executable`: so many of them, or a Mesh; see spreading.py."""
    return _jax().Spread(devices, axis, most)


def _jax() -> Any:
    try:
        from . import jax
    except ImportError as error:
        raise ImportError(f'JAX is not installed, or too old: pip install "crabgrad[jax]" ({error})') from None
    return jax


def _llvm() -> Any:
    try:
        from .llvm import LlvmExecutable
    except ImportError:
        raise ImportError('llvmlite is not installed: pip install "crabgrad[jit]"') from None
    return LlvmExecutable
