"""Karpathy's microgpt (2026) on arrays: a small GPT reads first names letter by letter, and invents others.

    python demos/gpt.py
    python demos/gpt.py --batch-size 1 --steps 1000 --no-packed --dtype float64    # as demos/microgpt.py
    python demos/gpt.py --width 32 --layers 2 --steps 1000 --temperature 0.7

Ctrl-C ends the training; names are invented with what was learned so far, and the exit status is 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import argparse
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd.numpy as anp
import gpt_pictures as pictures
import nn
from autograd import no_grad
from names_data import BOS, LETTERS, SYMBOLS, decode, load
from options import (
    Parser,
    complain,
    positive_float,
    positive_int,
    progress,
    require_extras,
    seed,
    tell,
    write_each,
)
from packing import in_rows

HEADS, PLACES = 4, 16
CHUNK = 100  # updates between two looks at the loss


def initial(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Weights as they begin, those of microgpt."""
    return rng.normal(0.0, 0.08, shape)


def normed(x: Any) -> Any:
    """x divided by the root of its mean square (Zhang and Sennrich 2019), without weights."""
    return x / anp.sqrt(anp.mean(x * x, axis=-1, keepdims=True) + 1e-5)


class Block(nn.Module):
    """Attention, then a network with a hidden layer four times as wide; each adds something to what it is given."""

    def __init__(self, width: int, **options: Any):
        self.attention = nn.Attention(width, HEADS, causal=True, **options)
        self.up, self.down = nn.Linear(width, 4 * width, **options), nn.Linear(4 * width, width, **options)

    def forward(self, x: Any, seen: Any = None) -> Any:
        """From (rows, places, width) to the same; `seen` is true where a place may look at another."""
        x = x + self.attention(normed(x), seen)
        return x + self.down(anp.relu(self.up(normed(x))))


class GPT(nn.Module):
    """Logits (rows, places, SYMBOLS) of what follows each token, for tokens (rows, places) and their places in a name.

    A row may hold several names: tokens see only those of the same name, which have the same number in `owners`.
    """

    def __init__(self, width: int, layers: int, rng: Any, dtype: Any = np.float64):
        options = {"rng": np.random.default_rng(rng), "init": initial, "dtype": dtype}
        self.tokens, self.places = nn.Embedding(SYMBOLS, width, **options), nn.Embedding(PLACES, width, **options)
        self.blocks = [Block(width, bias=False, **options) for _ in range(layers)]
        self.head = nn.Linear(width, SYMBOLS, bias=False, **options)

    def forward(self, tokens: Any, places: Any, owners: Any) -> Any:
        x = normed(self.tokens(tokens) + self.places(places))
        seen = owners[..., :, None] == owners[..., None, :]
        for block in self.blocks:
            x = block(x, seen)
        return self.head(x)

    @no_grad()
    def looks(self, tokens: Sequence[int]) -> list[np.ndarray]:
        """For each layer, shares (heads, places, places): how much each token of a name looks at the others."""
        x = normed(self.tokens(np.array(tokens)) + self.places(np.arange(len(tokens))))
        shares = []
        for block in self.blocks:
            shares.append(block.attention.shares(normed(x)).data)
            x = block(x)
        return shares


class Run:
    """A training run: network, update, rows of names, and the losses so far."""

    def __init__(self, options: argparse.Namespace):
        self.rng = np.random.default_rng(options.seed)
        self.known = load(self.rng)
        self.x, self.labels = in_rows(self.known, PLACES, several=options.packed)
        self.model = GPT(options.width, options.layers, self.rng, options.dtype)
        rate = lambda step: 0.01 * (1 - (step - 1) / options.steps)  # steps count from 1
        optimizer = nn.Adam(self.model.parameters(), rate, betas=(0.85, 0.99))
        self.step = nn.TrainStep(self.model, nn.CrossEntropy(), optimizer)
        self.options, self.losses, self.read = options, np.empty(0), 0

    def train(self, steps: range) -> float:
        """An update for each of these, on the rows that come next; the mean of the losses."""
        size = self.options.batch_size
        rows = np.arange(steps.start * size, steps.stop * size).reshape(-1, size) % len(self.labels)
        labels = self.labels[rows]
        losses = self.step.run(tuple(part[rows] for part in self.x), labels)
        self.losses = np.append(self.losses, losses)
        self.read += np.count_nonzero(labels == BOS)
        return float(losses.mean())

    @no_grad()
    def invent(self, count: int, temperature: float) -> list[str]:
        """Names, letter by letter, each letter drawn by its probability; the lower the temperature, the likelier."""
        tokens, places, one = np.full((count, PLACES + 1), BOS), np.arange(PLACES), np.zeros(PLACES)
        for place in range(PLACES):
            logits = self.model(tokens[:, :-1], places, one).data[:, place].astype(float) / temperature
            # with noise of Gumbel's distribution added, the largest is each one as often as softmax says
            tokens[:, place + 1] = np.argmax(logits + self.rng.gumbel(size=logits.shape), axis=1)
        return [decode(row) for row in tokens[:, 1:]]


def train(run: Run, steps: int, quiet: bool) -> None:
    """Train to the end or to an interruption."""
    with stopping.deferred() as stopped:
        for part, say in progress(0, steps, CHUNK, quiet):
            before, started = run.read, time.perf_counter()
            loss = run.train(part)
            say(f"loss {loss:.4f}  {(run.read - before) / (time.perf_counter() - started):,.0f} samples/s")
            if stopped:
                break


def results(run: Run, name: str) -> dict[str, Callable[[pathlib.Path], Any]]:
    """What writes the pictures, by the name of the file."""
    name = name[: PLACES - 1]  # and what begins it
    shares, vectors = run.model.looks([BOS, *map(LETTERS.index, name)]), run.model.tokens.weight.data
    return {
        "loss.png": lambda path: pictures.draw_loss(path, run.losses, SYMBOLS),
        "attention.png": lambda path: pictures.draw_attention(path, name, shares),
        "letters.png": lambda path: pictures.draw_embedding(path, vectors, LETTERS + pictures.BOS),
    }


def summary(run: Run, seconds: float, invented: list[str]) -> str:
    """The invented names and what the run came to, in lines."""
    rows = [invented[i : i + 5] for i in range(0, len(invented), 5)]
    return "\n".join(
        [
            *("".join(f"{name:{PLACES + 1}}" for name in row).rstrip() for row in rows),
            f"new       {sum(name not in run.known for name in invented)} of {len(invented)}; the others were read",
            f"loss      {run.losses[-CHUNK:].mean():.4f} in the last {CHUNK} of {len(run.losses):,} steps",
            f"time      {seconds:.2f} s for {run.read:,} names",
            f"backend   {run.step.backend}",
            f"pictures  {run.options.out}",
        ]
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, and the directory that it names; a value that makes no sense is one line and status 2."""
    parser = Parser(
        prog="gpt.py",
        description="Train a small GPT on first names, and let it invent others.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--width", type=positive_int, default=16, help=f"a multiple of {HEADS}, the number of heads")
    parser.add_argument("--layers", type=positive_int, default=1, help="of attention and network")
    parser.add_argument("--batch-size", type=positive_int, default=16, help="rows in each step")
    parser.add_argument(
        "--packed", action=argparse.BooleanOptionalAction, default=True, help="as many names in a row as have room"
    )
    parser.add_argument("--steps", type=positive_int, default=5000, help="of Adam, its rate falling from 0.01 to 0")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="of the weights")
    parser.add_argument("--sample", type=positive_int, default=20, help="names to invent", metavar="COUNT")
    parser.add_argument("--temperature", type=positive_float, default=0.5, help="below 1: likelier names")
    parser.add_argument("--seed", type=seed, default=0, help="of the weights, the order and the names")
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("runs/gpt"), metavar="DIR", help="where the pictures go"
    )
    parser.add_argument("--quiet", action="store_true", help="print the names and the summary only")
    options = parser.parse_args(arguments)
    if options.width % HEADS:
        parser.error(f"--width {options.width} is not a multiple of {HEADS}, the number of heads")
    require_extras(parser, "names")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    run = Run(options)
    started = time.perf_counter()
    train(run, options.steps, options.quiet)
    seconds = time.perf_counter() - started
    invented = run.invent(options.sample, options.temperature)
    missing = write_each(options.out, results(run, max(invented, key=len)))
    untold = tell(summary(run, seconds, invented))
    if complain(missing, untold):
        return 1
    return 0 if len(run.losses) == options.steps else 130


if __name__ == "__main__":
    stopping.run(main)
