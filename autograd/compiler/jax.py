"""The jax printer: a program's words on JAX's arrays, so that XLA runs it, on every device that JAX has.

Derivatives are in the program already, by our rules. float64 is on while a program runs, for this thread alone.
"""

import functools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from .jax_words import computed, meaning
from .program import Program
from .spreading import Spread


class JaxExecutable:
    """A program that XLA runs; `source` is its text as JAX has it (a jaxpr).

    Where a JAX array is among the inputs of a call, results are JAX arrays, on the devices where these are. With a
    `spread`, iterations run on several devices.
    """

    backend, why = "jax", "as asked for"

    def __init__(self, program: Program, moves: Sequence[bool], carried: Mapping[int, int], spread: Spread | None):
        self.program, self.moves, self.carried, self.spread = program, moves, carried, spread
        _check(program)
        self._call = jax.jit(self._once)
        self._loop = jax.jit(self._iterations, static_argnums=0, out_shardings=spread and spread.whole)

    @functools.cached_property
    def source(self) -> str:
        """The program as JAX has it."""
        with jax.enable_x64(True):
            inputs = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in self.program.inputs]
            return str(jax.make_jaxpr(self._once)(inputs))

    def __call__(self, inputs: list) -> list:
        """Numbers and arrays for the inputs."""
        with jax.enable_x64(True):
            outputs, wrong = self._call(inputs)
        _refuse(wrong)
        if any([isinstance(x, jax.Array) for x in inputs]):
            return outputs
        return [float(x) if v.scalar else np.array(x)[()] for x, v in zip(outputs, self.program.outputs)]

    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations as one program of XLA's; what is not carried, by iteration."""
        native = [np.asarray(x, v.dtype) for x, v in zip(arrays, self.program.inputs)]
        with jax.enable_x64(True):
            placed = self.spread.placed(native, self.moves) if self.spread else native
            carried, kept, wrong = self._loop(count, placed)
        _refuse(wrong)
        for x, j in zip(carried, self.carried.values()):
            arrays[j][...] = x
        return [np.array(x) for x in kept]

    def _once(self, inputs: list) -> tuple[list, list]:
        wrong: list = []
        return computed(self.program, inputs, wrong), wrong

    def _iterations(self, count: int, arrays: list) -> tuple[list, list, list]:
        """What is carried after all iterations, what is not of each, and what was wrong in any."""

        def step(carry: list, entries: list) -> tuple[list, tuple[list, list]]:
            current = arrays.copy()
            for places, found in ((self.carried.values(), carry), (moving, entries)):
                for j, x in zip(places, found):
                    current[j] = x
            outputs, wrong = self._once(current)
            after = [outputs[i] for i in self.carried]
            kept = [x for i, x in enumerate(outputs) if i not in self.carried]
            return self.spread.constrained(after) if self.spread else after, (kept, wrong)

        moving = [j for j, moves in enumerate(self.moves) if moves]
        first = [arrays[j] for j in self.carried.values()]
        carried, (kept, wrong) = jax.lax.scan(step, first, [arrays[j] for j in moving], length=count)
        return carried, kept, [x.max() for x in wrong]


def _check(program: Program) -> None:
    """Say at once what cannot be, also within loops."""
    for step in program.steps:
        meaning(step.word)
        for body in step.static:
            if hasattr(body, "program"):
                _check(body.program)


def _refuse(wrong: list) -> None:
    """Raise what a program found to be wrong."""
    for length in filter(None, map(int, wrong)):
        raise IndexError(f"an index is out of bounds for an axis of length {length - 1}")
