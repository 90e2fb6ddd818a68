"""Checkpoint: all that a run goes on from, in the newest files of a folder."""

import os
import pathlib
import re
from typing import Any

import numpy as np
from numpy.random import Generator

from autograd.claiming import Claim
from autograd.files import read_arrays, write_arrays
from autograd.random import draw_on, states

from .arguments import positive
from .files import warn_of_nan
from .module import Module, check_state

NAME = re.compile(r"step-(0|[1-9][0-9]{0,17})\.npz")


class Checkpoint:
    """All that a run goes on from: modules, optimizers, generators, and dicts of what else there is.

        checkpoint = nn.Checkpoint("runs/mine", model=model, optimizer=optimizer, rng=rng)
        for step in range(checkpoint.load(), 10_000):
            ...
            checkpoint.save(step + 1)

    The loop may update by hand or by a TrainStep. Generators that modules hold, as Dropout does, are kept as well; what
    is set, such as a learning rate, is the program's, and how often a generator's spawn() was called, which starts at 0
    again. A dict holds arrays, lists of numbers or of text, numbers and text by name, which are text. Of the
    files step-N.npz the newest `keep` stay. The folder is this process's until close(), or the end of this object or of
    the process: another process gets BlockingIOError, and a newer Checkpoint of the same process takes over.
    """

    def __init__(self, folder: str | os.PathLike[str], /, *, keep: int = 2, **parts: Any):
        for name, part in parts.items():
            if "/" in name or not (isinstance(part, (dict, Generator)) or hasattr(part, "load_state_dict")):
                raise TypeError(
                    f"Checkpoint: {name} is a {type(part).__name__}; parts are modules, optimizers, generators of "
                    "NumPy and dicts, under names without /; of a TrainStep give the model and the optimizer"
                )
        self.keep, self.parts, self._claim = positive("Checkpoint: keep", keep), parts, Claim(folder)
        for unfinished in self._claim.folder.glob("step-*.npz*.part"):  # by a process that was killed
            unfinished.unlink()

    def close(self) -> None:
        """Leave the folder to other processes."""
        self._claim.close()

    def paths(self) -> list[pathlib.Path]:
        """The files, newest first."""
        found = [path for path in self._claim.folder.glob("step-*") if NAME.fullmatch(path.name)]
        return sorted(found, key=_step, reverse=True)

    def save(self, step: int) -> None:
        """Write all parts as they are after so many steps, then remove all files but the newest `keep`.

        Raises OSError if that fails, and ValueError if a later step was saved before, which has to be loaded or removed
        first; no file is lost by either.
        """
        path = self._claim.folder / f"step-{positive('Checkpoint.save: step', step, 0)}.npz"
        self._claim.check()
        if not NAME.fullmatch(path.name):
            raise ValueError(f"Checkpoint.save: the step {step} has more than 18 digits")
        if (newest := max([path, *self.paths()], key=_step)) != path:
            raise ValueError(f"{path} would be older than {newest.name}: load or remove that, or use another folder")
        write_arrays(path, {**self._state(), "step": step})
        for old in self.paths()[self.keep :]:
            old.unlink()

    def load(self) -> int:
        """Go on from the newest file; its step, or 0 where there is none.

        Raises ValueError, and changes nothing, if that file is damaged, of a newer format, or of other parts, names,
        shapes or dtypes: remove it to go on from the one before. In dicts, what is no array now may be any list, number
        or text. NaN in modules and optimizers is a warning.
        """
        self._claim.check()
        if not (paths := self.paths()):
            return 0
        path, before = str(paths[0]), self._state()
        free = {name for name, x in before.items() if not isinstance(x, np.ndarray)}

        def accept(forms: dict[str, np.ndarray]) -> None:
            loose = {name: form for name, form in forms.items() if name in free}
            check_state(forms, {**before, **loose}, path)
            if sum(form.nbytes for form in loose.values()) > paths[0].stat().st_size:
                raise ValueError(f"{path} unpacks to more than it is, unlike what a Checkpoint writes")

        arrays = read_arrays(path, accept)
        dicts = tuple(f"{name}/" for name, part in self.parts.items() if isinstance(part, dict))
        warn_of_nan(path, {name: x for name, x in arrays.items() if not name.startswith(dicts)})
        state = {name: x.tolist() if name in free else x for name, x in arrays.items()}
        if state["step"] != _step(paths[0]):
            raise ValueError(f"{path} is of step {state['step']}")
        try:
            self._take(state)
        except BaseException:
            self._take(before)
            raise
        return _step(paths[0])

    def _generators(self) -> dict[str, Generator]:
        """All generators by name, also those that modules hold."""
        modules = [(name, part) for name, part in self.parts.items() if isinstance(part, Module)]
        inner = {place.name: place.held for name, module in modules for place in module._all_places(f"{name}/")}
        return {name: part for name, part in {**self.parts, **inner}.items() if isinstance(part, Generator)}

    def _state(self) -> dict[str, Any]:
        """Everything by name."""
        found = {"step": 0, "generators": states(self._generators())}
        for name, part in self.parts.items():
            if not isinstance(part, Generator):
                arrays = part if isinstance(part, dict) else part.state_dict()
                if odd := [key for key in arrays if not isinstance(key, str)]:
                    raise TypeError(f"Checkpoint: in {name}, the key {odd[0]!r} would come back as text")
                found |= {f"{name}/{key}": array for key, array in arrays.items()}
        return found

    def _take(self, state: dict[str, Any]) -> None:
        """Take everything over."""
        draw_on(self._generators(), state["generators"])
        for name, part in self.parts.items():
            own = {key.removeprefix(f"{name}/"): x for key, x in state.items() if key.startswith(f"{name}/")}
            if isinstance(part, dict):
                part.clear()
                part.update(own)
            elif not isinstance(part, Generator):
                part.load_state_dict(own)


def _step(path: pathlib.Path) -> int:
    return int(path.stem.removeprefix("step-"))
