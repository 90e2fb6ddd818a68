"""Trainings that are killed at random moments and go on: no half file, nothing lost, the same weights in the end.

`python -m tests.kill --times 100`: some three minutes. A training with dropout, running means, a schedule and fresh
batches saves a checkpoint every other step. It is killed by SIGKILL, 100 times; each time every checkpoint must be
whole, and the newest at least as new as the last that was saved. The last file of each training must be, byte for
byte, that of one that was not interrupted.
"""

import argparse
import math
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

import nn

ROOT, STEPS = pathlib.Path(__file__).parent.parent, 100
LAST = f"step-{STEPS - 2}.npz", f"step-{STEPS}.npz"
MODES = ("hand", "TrainStep")


def train(folder: str, mode: str) -> None:
    """The child: goes on from the newest checkpoint, and says which ones it has saved."""
    rng, losses = np.random.default_rng(0), list[float]()
    layers = nn.Linear(2, 16, rng), nn.BatchNorm(16), nn.ReLU(), nn.Dropout(0.2, 1), nn.Linear(16, 1, rng)
    model, loss = nn.Sequential(*layers), nn.MSE()
    optimizer = nn.Adam(model.parameters(), nn.CosineDecay(0.01, STEPS))
    step = nn.TrainStep(model, loss, optimizer)
    checkpoint = nn.Checkpoint(folder, model=model, optimizer=optimizer, rng=rng, record={"losses": losses})
    start = checkpoint.load()
    losses = checkpoint.parts["record"]["losses"]
    print("ready", flush=True)
    for k in range(start, STEPS):
        x = rng.normal(size=(8, 2))
        if mode == "TrainStep":
            losses.append(step(x, x[:, :1]))
        else:
            found = loss(model(x), x[:, :1])
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            losses.append(found.item())
        if k % 2:
            checkpoint.save(k + 1)
            print("saved", k + 1, flush=True)


def run(folder: pathlib.Path, mode: str, moment: float = math.inf) -> tuple[bool, float]:
    """Train in a child, which is killed at a moment, in seconds; whether it came to the end, and how long it took."""
    command = [sys.executable, "-m", "tests.kill", "--child", str(folder), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout and child.stdout.readline() == "ready\n"
        started = time.perf_counter()
        if moment < math.inf:
            time.sleep(moment)
            child.kill()
        *lines, _ = child.stdout.read().split("\n")
    assert child.returncode in (0, -signal.SIGKILL)
    seconds = time.perf_counter() - started
    saved = max([int(line.split()[1]) for line in lines], default=0)
    steps = [int(nn.load(path)["step"]) for path in folder.glob("step-*.npz")]  # each of them is whole
    assert max(steps, default=0) >= saved, f"step {saved} was saved, and the newest is {max(steps, default=0)}"
    return child.returncode == 0, seconds


def kill(times: int, seed: int, modes: Sequence[str] = MODES) -> tuple[int, int]:
    """Kill trainings so many times; how many there were, and how many kills came while a file was written."""
    draw, rounds, kills, written = random.Random(seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as home:
        through = {mode: (pathlib.Path(home, mode), run(pathlib.Path(home, mode), mode)[1]) for mode in modes}
        while kills < times:
            mode, folder = modes[rounds % len(modes)], pathlib.Path(home, str(rounds))
            whole, seconds = through[mode]
            while not run(folder, mode, draw.uniform(0, seconds / 4) if kills < times else math.inf)[0]:
                kills += 1
                written += any(folder.glob("*.part"))
            for name in LAST:
                assert (folder / name).read_bytes() == (whole / name).read_bytes(), f"{mode}: it came to another end"
            assert {path.name for path in folder.iterdir()} == {".lock", *LAST}
            rounds += 1
    return rounds, written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "MODE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        train(*given.child)
    else:
        trainings, written = kill(given.times, given.seed)
        print(f"{given.times} kills, {written} while a file was written; {trainings} trainings came to the same ends")
