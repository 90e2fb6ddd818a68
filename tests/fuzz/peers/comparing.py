"""A program by eager code and by a peer, and how they differ."""

import pickle
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy

from ..programs.text import Program

NAMES = ("jax", "torch")
WORKER = Path(__file__).with_name("worker.py")
# what peers have their own answers to: division of integers by 0, their overflow, shifts by more bits than there are
INTEGERS = r"(//|%|<<|>>) ([xvu]|0)|shift|mod|floor_divide|remainder|\d{12}"
OWN = {"jax": INTEGERS, "torch": INTEGERS + r"|:-|searchsorted"}  # torch._numpy to slices backwards, places of NaN
PATIENCE = 60.0  # seconds until an answer


class Peer:
    """A process that runs programs by JAX or by PyTorch, and what became of them."""

    def __init__(self, name: str, python: str = sys.executable):
        self.name, self.python = name, python
        self.compared = self.corners = 0
        self.refused: Counter[str] = Counter()  # why a program was not run there
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def starts(self) -> bool:
        """Whether it is installed there."""
        self.process = subprocess.Popen(
            [self.python, str(WORKER), self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._answer() == "ready"

    def _answer(self) -> Any:
        """What it says; nothing if it ended, or took too long."""
        assert self.process and self.process.stdout
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            return pickle.load(self.process.stdout)
        except (EOFError, pickle.UnpicklingError):
            self.__exit__()
            return "it ended, or took too long"
        finally:
            timer.cancel()

    def run(self, text: str, args: list) -> list[numpy.ndarray] | str:
        """What a module's `run` comes to there, or why to nothing."""
        if not self.process:
            self.starts()
        assert self.process and self.process.stdin
        pickle.dump((text, args), self.process.stdin)
        self.process.stdin.flush()
        return self._answer()

    def difference(self, program: Program, expected: list[list[tuple]]) -> str | None:
        """How its results differ from these, each with how far it may be off; None if they do not."""
        if re.search(OWN.get(self.name, INTEGERS), program.source()):
            self.refused["what it has its own answer to"] += 1
            return None
        for call, ours in enumerate(expected):
            args = program.arguments(call)
            theirs = self.run(program.module(), args)
            if not isinstance(theirs, str) and [y.shape for y in theirs] != [x.shape for x, _ in ours]:
                theirs = "other shapes"
            if isinstance(theirs, str):
                self.refused[theirs[:80]] += 1
                return None
            for i, ((x, tolerance), y) in enumerate(zip(ours, theirs)):
                wrong = _wrong(x, y, tolerance, program)
                if wrong.any() and not self._leaps(program, args, i, wrong, x, y):
                    return f"in {self.name}: call {call}, result {i}: value\n{x}\nnot\n{y}"
        self.compared += 1
        return None

    def _leaps(self, program: Program, args: list, i: int, wrong: numpy.ndarray, *values: numpy.ndarray) -> bool:
        """Whether theirs leaps there: at a tie, a kink or an edge each may answer by a convention of its own."""
        ours, theirs = (x.astype(float) for x in values)
        for _ in range(12):
            near = self.run(program.module("nudged"), args)
            if isinstance(near, str) or near[i].shape != theirs.shape:
                return True
            wrong = wrong & (abs(near[i].astype(float) - theirs) < abs(ours - theirs) / 10)  # False where not finite
            if not wrong.any():
                break
        self.corners += not wrong.any()
        return not wrong.any()


def _wrong(x: numpy.ndarray, y: numpy.ndarray, tolerance: numpy.ndarray, program: Program) -> numpy.ndarray:
    """Where two results differ, but for NaN in a derivative of theirs: here branches that are not selected pass 0."""
    relative = 1e-3 if "4" in y.dtype.str + x.dtype.str or program.is_single() else 1e-7
    x, y = x.astype(float), y.astype(float)
    same = (x == y) | (abs(x - y) <= tolerance + relative * (1 + abs(x))) | numpy.isnan(x) & numpy.isnan(y)
    return ~same & ~numpy.isnan(tolerance) & ~(numpy.isnan(y) & (program.mode != "values"))


def installed(python: str) -> list[Peer]:
    """The peers that this Python has."""
    peers = [Peer(name, python) for name in NAMES]
    return [peer for peer in peers if peer.starts() or peer.__exit__()]
