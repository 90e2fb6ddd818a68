"""A recurrent network reads first names letter by letter, learns what follows, and invents names of its own.

    python demos/names_rnn.py
    python demos/names_rnn.py --cell lstm --width 128 --steps 5000

Ctrl-C ends the training after the updates in hand; names are invented with what was learned so far, and the exit status
is 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import argparse
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

import nn
from autograd import jit, no_grad
from autograd.numpy import softmax
from names_data import BOS, LETTERS, SYMBOLS, decode, encode, load, summary
from options import described, finish, parsed, positive_float, positive_int, progress, seed, write_figure

LENGTH = 12  # BOS and the longest name
CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
PART = 50  # updates between two looks at the names that are held out


class Speller(nn.Module):
    """Logits (..., time, SYMBOLS) of what follows each symbol (..., time)."""

    def __init__(self, cell: str, width: int, rng: np.random.Generator):
        self.embedding = nn.Embedding(SYMBOLS, width, rng, dtype=np.float32)
        self.cell = CELLS[cell](width, width, rng, dtype=np.float32)
        self.head = nn.Linear(width, SYMBOLS, rng, init="xavier", dtype=np.float32)

    def forward(self, symbols: Any) -> Any:
        outputs, _ = self.cell(self.embedding(symbols))
        return self.head(outputs)

    def spell(self, state: Any, symbols: Any) -> tuple[Any, Any]:
        """The state after one more symbol of each name, and the logits of what follows."""
        state, output = self.cell.step(state, self.embedding(symbols))
        return state, self.head(output)


def train(model: Speller, names: list[str], options: argparse.Namespace, rng: np.random.Generator) -> np.ndarray:
    """Adam's updates, to the end or to an interruption; rows of updates done, loss, loss of the names held out.

    Losses are means over letters, in nats; one name of ten is held out.
    """
    symbols, following = encode(names, LENGTH)
    held, known = np.split(np.arange(len(names)), [len(names) // 10])
    optimizer = nn.Adam(model.parameters(), nn.CosineDecay(options.learning_rate, options.steps))
    step = nn.TrainStep(model, nn.CrossEntropy(), optimizer)
    held_loss = jit(lambda: nn.CrossEntropy()(model(symbols[held]), following[held]))
    history = []
    with stopping.deferred() as stopped:
        for part, say in progress(0, options.steps, PART, options.quiet):
            chosen = rng.choice(known, (len(part), options.batch_size))
            losses = step.run(symbols[chosen], following[chosen])
            history.append((part.stop, losses.mean(), float(held_loss())))
            say(f"loss {history[-1][1]:.3f}  held out {history[-1][2]:.3f}")
            if stopped:
                break
    return np.array(history)


def invent(model: Speller, count: int, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """So many names, and for the first the probabilities (symbols, SYMBOLS) that each of its symbols was drawn from."""
    symbols, state, found, chances = np.full(count, BOS), model.cell.begin((count,)), [], []
    with no_grad():
        for _ in range(LENGTH):
            state, logits = model.spell(state, symbols)
            # the largest of logits with Gumbel's noise is a symbol drawn with its probability
            symbols = np.argmax(logits.data + rng.gumbel(size=logits.shape), -1)
            found.append(symbols)
            chances.append(softmax(logits.data[0]))
    names = [decode(row) for row in np.stack(found, 1)]
    return names, np.array(chances)[: len(names[0]) + 1]


def draw(path: pathlib.Path, history: np.ndarray, name: str, chances: np.ndarray) -> None:
    """The losses, and the chances of each letter while the first invented name was spelled."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(history[:, 0], history[:, 1], label="names that are learned from")
    left.plot(history[:, 0], history[:, 2], "--", label="names held out")
    left.set(title="cross entropy of a letter", xlabel="updates", ylabel="nats")
    left.grid(alpha=0.3)
    left.legend()
    spelled = [*name, "end"][: len(chances)]
    image = right.imshow(chances.T, cmap="Blues", aspect="auto", vmin=0, vmax=1)
    drawn = {"color": "none", "markeredgecolor": "tab:orange", "markeredgewidth": 2, "markersize": 9}
    right.plot([*map([*LETTERS, "end"].index, spelled)], "s", **drawn)
    right.set(title=f"chances of each letter while {name.title()} was invented", xlabel="what was drawn, in orange")
    right.set_xticks(range(len(spelled)), spelled)
    right.set_yticks(range(SYMBOLS), [*LETTERS, "end"], fontsize=7)
    figure.colorbar(image)
    write_figure(figure, path)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, and the directory that it names; a value that makes no sense is one line and status 2."""
    description = "Invent first names with a recurrent network."
    parser = described("names_rnn", description, "print the names and the summary only")
    parser.add_argument("--cell", choices=CELLS, default="gru", help="the recurrent layer")
    parser.add_argument("--width", type=positive_int, default=64, help="of the embedding and of the state")
    parser.add_argument("--steps", type=positive_int, default=2000, help="updates, each on a batch of names")
    parser.add_argument("--batch-size", type=positive_int, default=32, help="names in a batch")
    parser.add_argument("--learning-rate", type=positive_float, default=0.005, help="the first; it falls to 0")
    parser.add_argument("--sample", type=positive_int, default=20, help="names to invent", metavar="COUNT")
    parser.add_argument("--seed", type=seed, default=0, help="of the weights, the batches and the names")
    return parsed(parser, arguments, "names")


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    rng = np.random.default_rng(options.seed)
    known = list(dict.fromkeys(load(rng)))  # some are women's and men's
    model = Speller(options.cell, options.width, rng)
    history = train(model, known, options, rng)
    invented, chances = invent(model, options.sample, rng)
    (done, loss, held), picture = history[-1], options.out / "names.png"
    stopped = bool(done < options.steps)
    facts = {
        "steps": f"{done:,.0f}{' (stopped)' if stopped else ''}",
        "loss": f"{loss:.3f}, of names held out {held:.3f}, nats a letter",
        "picture": picture,
    }
    lines = [summary(invented, known, facts)]
    return finish(picture, lambda path: draw(path, history, invented[0], chances), lines) or 130 * stopped


if __name__ == "__main__":
    stopping.run(main)
