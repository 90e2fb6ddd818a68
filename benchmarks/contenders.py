"""Who takes part: processes that time their work whenever they are asked."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable

HERE = pathlib.Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(HERE.parent),
    "PYTHONDONTWRITEBYTECODE": "",
    "CRABGRAD_CACHE": "off",  # what is compiled, is compiled here
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")},
}
NAMES = {  # the first word of a contender's name, and what it stands for
    "ours": "crabgrad",
    "numpy": "NumPy by hand",
    "buffers": "NumPy into buffers",
    "C": "C by hand",
    "microgpt": "microgpt's way",
    "micrograd": "micrograd",
    "jax": "JAX",
    "torch": "PyTorch",
    "torch.compile": "torch.compile",
    "hips": "HIPS autograd",
    "mygrad": "MyGrad",
}
BY_HAND = "numpy", "buffers", "C", "microgpt", "documented"


class Contender:
    """A process that times its work whenever it is asked; its name says who works, what, and on what."""

    def __init__(self, name: str, peers: str):
        who, *words = name.split(" ")
        script = "ours" if who == "ours" else "by_hand" if who in BY_HAND else "peers"
        environment, python = dict(ENVIRONMENT), sys.executable
        if script == "peers":
            del environment["PYTHONPATH"]  # there `autograd` is another project
            python = peers
        if any(word.startswith("race") for word in words):
            script = f"race_{script}"
        self.process = subprocess.Popen(
            [python, HERE / f"{script}.py", name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._answer()  # its work is built

    def seconds(self) -> float:
        """Seconds a call."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        """The next line that it says; RuntimeError if the process cannot do its work, with its last line."""
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError((self.process.stderr.read().strip().splitlines() or ["it ended without a word"])[-1])
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def measure(names: Iterable[str], peers: str, rounds: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """The times of contenders that take turns; and what those say that cannot do their work."""
    times: dict[str, list[float]] = {name: [] for name in names}
    contenders: dict[str, Contender] = {}
    errors: dict[str, str] = {}
    try:
        for _ in range(rounds + 1):
            for name in [name for name in times if name not in errors]:
                try:
                    if name in contenders:
                        times[name].append(contenders[name].seconds())
                    else:
                        contenders[name] = Contender(name, peers)
                except RuntimeError as error:
                    errors[name] = str(error)
    finally:
        for one in contenders.values():
            one.close()
    return times, errors
