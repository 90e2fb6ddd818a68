"""What a compiled function keeps: for each form of its arguments a program, as long as it is the function's."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from ..recording import inspection
from ..tables import table
from .printing import Executable, foreign
from .program import looks
from .tracing import Drawn
from .watching import Watch

BACKENDS = ("auto", "llvm", "python", "jax")
FORMS = 64  # how many are kept


@dataclass
class Form:
    """What one form of arguments was compiled to, and what else that depends on."""

    run: Executable
    looks: list  # of the numbers from outside that are read at each call
    watch: Watch  # what else was found outside
    draws: Sequence[Drawn]  # the inputs that are drawn anew for each run

    def fits(self, numbers: list) -> bool:
        """Whether this is still the program, where these numbers are outside now."""
        return (not numbers or looks(numbers) == self.looks) and not self.watch.changed()


class Bounded(OrderedDict):
    """A dictionary of a limited size, which forgets what was not used for the longest time."""

    def __init__(self, most: int = FORMS):
        super().__init__()
        self.most = most

    def find(self, key: Hashable) -> Any:
        """The entry, which counts as used now; None if there is none."""
        found = self.get(key)
        if found is not None:
            try:
                self.move_to_end(key)
            except KeyError:
                pass  # another thread forgot it just now
        return found

    def keep(self, key: Hashable, value: Any) -> Any:
        """Enter a value; it is returned."""
        self[key] = value
        while len(self) > self.most:
            self.popitem(last=False)
        return value


class Compiled:
    """What jit and nn.TrainStep share: the programs of their forms, and what there is to know about the last one."""

    def __init__(self, backend: str):
        if backend not in BACKENDS:
            raise ValueError(f"the backends are auto, llvm, python and jax, not {backend!r}")
        self.wanted, self.foreign = backend, foreign(backend)
        self.forms = Bounded()
        self._last: Form | None = None

    def __getstate__(self) -> dict[str, Any]:
        """All but what was compiled, which a copy and a pickle do without until they are called."""
        return vars(self) | {"forms": Bounded(self.forms.most), "_last": None}

    def _repr_html_(self) -> str:
        rows = [
            (", ".join(map(repr, run.program.inputs)), len(run.program.steps), f"{run.backend} ({run.why})")
            for run in (form.run for form in self.forms.values())
        ]
        return table(repr(self)[1:-1], ("inputs", "operations", "backend"), rows)

    @property
    def last(self) -> Executable:
        """The program of the last call; RuntimeError before the first."""
        if self._last is None:
            raise RuntimeError(f"{self!r} has not been called yet: what is compiled depends on the arguments")
        return self._last.run

    @property
    def source(self) -> str:
        """The program of the last call as text."""
        return self.last.source

    @property
    def program(self) -> Any:
        """The program of the last call; its repr tells its size and cost."""
        return self.last.program

    @property
    def backend(self) -> str:
        """What runs the program of the last call, and why."""
        if inspection.inspector:
            return "none (detect_anomaly looks at each operation)"
        return f"{self.last.backend} ({self.last.why})"

    def find(self, key: Hashable) -> Any:
        """The form of this key, if there is one; it counts as used."""
        form = self.forms.get(key)
        return form if form is self._last else self.forms.find(key)

    def clear(self) -> None:
        """Forget what was compiled."""
        self.forms.clear()
        self._last = None
