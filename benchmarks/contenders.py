"""Who takes part: processes that time their work whenever they are asked."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(HERE.parent),
    "PYTHONDONTWRITEBYTECODE": "",
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")},
}


# seconds an iteration of the demo, sampling included; Rust's release build, on the machine where it was measured
DOCUMENTED = {"crabnn": 7.5e-6}


class Documented:
    """A contender that is not here: its time as it was documented."""

    def __init__(self, name: str):
        self.time = DOCUMENTED[name]

    def seconds(self) -> float:
        """Seconds a call."""
        return self.time

    def close(self) -> None:
        """Nothing to end."""


class Contender:
    """A process that times its work whenever it is asked."""

    def __init__(self, name: str, peers: str):
        script, work = name.split(" ", 1)
        environment = dict(ENVIRONMENT)
        if script == "peers":
            del environment["PYTHONPATH"]  # there `autograd` is another project
        self.process = subprocess.Popen(
            [peers if script == "peers" else sys.executable, HERE / f"{script}.py", work],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def seconds(self) -> float:
        """Seconds a call; RuntimeError if the process cannot do its work, with its last line."""
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; what it said is read below
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError((self.process.stderr.read().strip().splitlines() or ["it ended without a word"])[-1])
        return float(answer)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def contender(name: str, peers: str) -> Contender | Documented:
    """What the name of a script and of its work, or of a documented time, stands for."""
    kind, work = name.split(" ", 1)
    return Documented(work) if kind == "documented" else Contender(name, peers)
