"""Files that were cut off, changed or mixed up: each is refused by a ValueError that names it, or is read right.

`python -m tests.hostile_files`: a module's file and a checkpoint, cut off at every length, with every byte replaced
by ten others (by each other one with --all), and then for --seconds changed at random. After a refusal model,
optimizer, generators and notes are as they were; memory is bounded.
"""

import argparse
import pathlib
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator

import numpy as np

import nn

FLIPS = (*(1 << bit for bit in range(8)), 0xFF, 0x55)
MEMORY = 64  # MB that all of this may take more than one file, at most


class Subject:
    """A module's file and a checkpoint, what reads them, and all that could change."""

    def __init__(self, folder: pathlib.Path):
        self.rng, self.notes = np.random.default_rng(0), {"losses": [0.5]}
        self.model = nn.Sequential(nn.Linear(1, 2, self.rng), nn.Dropout(0.5, 1))
        self.optimizer = nn.SGD(self.model.parameters(), momentum=0.9)
        self.checkpoint = nn.Checkpoint(
            folder, model=self.model, optimizer=self.optimizer, rng=self.rng, notes=self.notes
        )
        self.checkpoint.save(1)
        nn.save(folder / "m.npz", self.model)
        model, *rest = self.all()
        self.reset()
        self.before = self.all()
        self.after = {"m.npz": [model, *self.before[1:]], "step-1.npz": [model, *rest]}
        self.read = {"m.npz": lambda: nn.load(folder / "m.npz", self.model), "step-1.npz": self.checkpoint.load}
        self.folder, self.whole = folder, {name: (folder / name).read_bytes() for name in self.after}

    def all(self) -> list[str]:
        """Everything, to be compared."""
        states = [{k: x.tolist() for k, x in part.state_dict().items()} for part in (self.model, self.optimizer)]
        generators = [each.bit_generator.state for each in (self.rng, self.model.layers[1].rng)]
        return [repr(x) for x in (*states, generators, self.notes)]

    def reset(self) -> None:
        """Everything is as nothing in the files is."""
        for part in (self.model, self.optimizer):
            part.load_state_dict({k: np.full_like(x, 7) for k, x in part.state_dict().items()})
        for seed, generator in enumerate((self.rng, self.model.layers[1].rng)):
            generator.bit_generator.state = np.random.PCG64(100 + seed).state
        self.notes["losses"] = [7.0, 8.0]

    def is_read(self, name: str, content: bytes) -> bool:
        """Whether a file with this content is read, and not refused."""
        (self.folder / name).write_bytes(content)
        try:
            self.read[name]()
        except ValueError as error:
            assert name in str(error), str(error)
            assert self.all() == self.before, f"changed by {content!r}"
            return False
        assert self.all() == self.after[name], f"read wrong: {content!r}"
        self.reset()
        return True


def cut(whole: bytes) -> Iterator[bytes]:
    """Cut off at every length."""
    return (whole[:end] for end in range(len(whole)))


def flipped(whole: bytes, flips: Iterable[int] = FLIPS) -> Iterator[bytes]:
    """Each byte replaced."""
    return (whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :] for at in range(len(whole)) for flip in flips)


def mixed(whole: bytes, seed: int, seconds: float) -> Iterator[bytes]:
    """Pieces removed, repeated and overwritten at random, for so long."""
    rng, end = np.random.default_rng(seed), time.monotonic() + seconds
    while time.monotonic() < end:
        content = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            at, start = rng.integers(len(content) + 1, size=2)
            length = int(2 ** rng.uniform(0, 9))
            pieces = content[start : start + length], rng.bytes(8), b"\xff" * 4, bytes(8), b""
            content[at : at + length * int(rng.integers(2))] = pieces[rng.integers(5)]
        yield bytes(content)


def main(given: argparse.Namespace) -> None:
    """All of it, with figures."""
    with tempfile.TemporaryDirectory() as folder:
        subject, first = Subject(pathlib.Path(folder)), None
        flips = range(1, 256) if given.all else FLIPS
        for name, whole in subject.whole.items():
            assert subject.is_read(name, whole)
            first = first or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for kind, contents in (
                ("cut off", cut(whole)),
                ("flipped", flipped(whole, flips)),
                ("mixed up", mixed(whole, given.seed, given.seconds)),
            ):
                found = [subject.is_read(name, content) for content in contents]
                print(f"{name}, {len(whole):,} bytes, {kind}: {len(found):,} files, {sum(found):,} of them read right")
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first) / 1024
        print(f"memory: {more:.0f} MB more than for one file")
        assert more < MEMORY


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="replace each byte by every other one")
    parser.add_argument("--seconds", type=float, default=20, help="of changes at random, for each file")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
