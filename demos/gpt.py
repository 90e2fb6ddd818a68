"""Karpathy's microgpt (2026) on arrays: a small GPT reads first names letter by letter, and invents others.

    python demos/gpt.py
    python demos/gpt.py --batch-size 1 --steps 1000 --no-packed --dtype float64 --seed 1    # as demos/microgpt.py
    python demos/gpt.py --width 32 --layers 2 --steps 1000 --temperature 0.7

Ctrl-C ends the training; names are invented with what was learned so far, and the exit status is 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd.numpy as anp
import nn
from autograd import no_grad
from gpt_command import HEADS, parse
from gpt_pictures import results
from names_data import BOS, SYMBOLS, decode, load, summary
from options import complain, progress, tell, write_each
from packing import Inputs, in_rows

PLACES = 16
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


def train(step: nn.TrainStep, x: Inputs, labels: np.ndarray, options: Any) -> tuple[list[float], int]:
    """Updates on the rows that come next, to the end or to an interruption; the losses, and the count of names read."""
    losses, read, size = [], 0, options.batch_size
    with stopping.deferred() as stopped:
        for part, say in progress(0, options.steps, CHUNK, options.quiet):
            rows, started = np.arange(part.start * size, part.stop * size) % len(labels), time.perf_counter()
            rows = rows.reshape(-1, size)
            losses += step.run(tuple(array[rows] for array in x), labels[rows]).tolist()
            names = np.count_nonzero(labels[rows] == BOS)
            read += names
            speed = names / (time.perf_counter() - started)
            say(f"loss {np.mean(losses[-len(part) :]):.4f}  {speed:,.0f} samples/s")
            if stopped:
                break
    return losses, read


@no_grad()
def invent(model: GPT, rng: np.random.Generator, count: int, temperature: float) -> list[str]:
    """Names, letter by letter, each letter drawn by its probability; the lower the temperature, the likelier."""
    tokens, places, one = np.full((count, PLACES + 1), BOS), np.arange(PLACES), np.zeros(PLACES)
    for place in range(PLACES):
        logits = model(tokens[:, :-1], places, one).data[:, place].astype(float) / temperature
        # with noise of Gumbel's distribution added, the largest is each one as often as softmax says
        tokens[:, place + 1] = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    return [decode(row) for row in tokens[:, 1:]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    rng = np.random.default_rng(options.seed)
    names = load(rng)
    x, labels = in_rows(names, PLACES, several=options.packed)
    model = GPT(options.width, options.layers, rng, options.dtype)
    rate = lambda step: 0.01 * (1 - (step - 1) / options.steps)  # steps count from 1
    step = nn.TrainStep(model, nn.CrossEntropy(), nn.Adam(model.parameters(), rate, betas=(0.85, 0.99)))
    started = time.perf_counter()
    losses, read = train(step, x, labels, options)
    seconds = time.perf_counter() - started
    invented = invent(model, rng, options.sample, options.temperature)
    missing = write_each(options.out, results(model, losses, max(invented, key=len)[: PLACES - 1]))
    stopped = len(losses) < options.steps
    facts = {
        "steps": f"{len(losses):,}{' (stopped)' if stopped else ''}",
        "loss": f"{np.mean(losses[-CHUNK:]):.4f} in the last {min(CHUNK, len(losses))} steps",
        "time": f"{seconds:.2f} s for {read:,} names",
        "backend": step.backend,
        "pictures": options.out,
    }
    return int(complain(missing, tell(summary(invented, names, facts)))) or 130 * stopped


if __name__ == "__main__":
    stopping.run(main)
