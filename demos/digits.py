"""scikit-learn's handwritten digits, 8 x 8 pixels each, told apart by a perceptron or a convolutional network.

    python demos/digits.py
    python demos/digits.py --network conv

Every fifth of the 1,797 images is held out. In training each image is moved by up to a pixel at random, so that the
network never sees quite the same one again.

Ctrl-C ends the run after the epoch it is in, with the picture of what was learned so far and exit status 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import argparse
import importlib.util
import pathlib
import time
from collections.abc import Callable, Sequence

import numpy as np

import autograd.numpy as anp
import nn
from autograd import jit
from options import described, finish, parsed, positive_float, positive_int, progress, seed, write_figure

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "mlp": lambda **how: nn.Sequential(nn.Flatten(), nn.Linear(64, 128, **how), nn.ReLU(), nn.Linear(128, 10, **how)),
    "conv": lambda **how: nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1, **how), nn.ReLU(), nn.Conv2d(8, 16, 3, **how), nn.ReLU()),
        *(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(144, 10, **how)),
    ),
}
HELD_OUT = 5  # every fifth


def load() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 1, 8, 8) from 0 to 1, and their labels: UCI's (Alpaydin and Kaynak 1998), of scikit-learn.

    Only its file is read: scikit-learn itself takes a second to import.
    """
    package = importlib.util.find_spec("sklearn").submodule_search_locations[0]
    table = np.loadtxt(pathlib.Path(package, "datasets", "data", "digits.csv.gz"), np.float32, delimiter=",")
    return table[:, :-1].reshape(-1, 1, 8, 8) / 16, table[:, -1].astype(int)


class Run:
    """A training run: data, network and update."""

    def __init__(self, options: argparse.Namespace):
        self.rng = np.random.default_rng(options.seed)
        images, labels = load()
        known = np.arange(len(labels)) % HELD_OUT > 0
        self.images, self.labels = images[known], labels[known]
        self.held_images, self.held_labels = images[~known], labels[~known]
        self.batch_size = min(options.batch_size, len(self.labels))
        self.model = NETWORKS[options.network](rng=self.rng, dtype=np.float32)
        updates = options.epochs * (len(self.labels) // self.batch_size)
        self.optimizer = nn.AdamW(self.model.parameters(), nn.CosineDecay(options.learning_rate, updates))
        self.step = nn.TrainStep(self.model, nn.CrossEntropy(label_smoothing=0.1), self.optimizer)
        self.logits, self.done = jit(self.model), 0

    def train(self) -> float:
        """An update for each batch of an epoch; the mean of their losses."""
        self.done += 1
        return float(self.step.run(*self.batches()).mean())

    def batches(self) -> tuple[np.ndarray, np.ndarray]:
        """All images in a new order, each moved by up to a pixel, in batches (n, size, 1, 8, 8), and their labels.

        What does not fill a batch is left out.
        """
        size = self.batch_size
        order = self.rng.permutation(len(self.labels))[: len(self.labels) // size * size]
        padded = np.pad(self.images, [(0, 0), (0, 0), (1, 1), (1, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (8, 8), axis=(2, 3))
        down, right = self.rng.integers(0, 3, (2, len(order)))
        return windows[order, :, down, right].reshape(-1, size, 1, 8, 8), self.labels[order].reshape(-1, size)

    def answers(self) -> np.ndarray:
        """Logits (images, 10) of those that were held out."""
        return self.logits(self.held_images).data

    def accuracy(self) -> float:
        """The share of right answers."""
        return float(np.mean(self.answers().argmax(1) == self.held_labels))


def train(run: Run, epochs: int, quiet: bool) -> None:
    """Train to the end or to an interruption."""
    with stopping.deferred() as stopped:
        for _, say in progress(0, epochs, 1, quiet):
            say(f"loss {run.train():.4f}  held-out {run.accuracy():.2%}")
            if stopped:
                break


def draw(path: pathlib.Path, run: Run) -> None:
    """How often each held-out digit was read as which, and the images whose digit was least probable."""
    from matplotlib.figure import Figure

    labels, logits = run.held_labels, run.answers()
    said, probable = logits.argmax(1), anp.softmax(logits, 1)[np.arange(len(labels)), labels]
    counts = np.bincount(10 * labels + said, minlength=100).reshape(10, 10)
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.imshow(np.where(np.eye(10), 0.1, np.minimum(counts / 3, 1)), cmap="Reds", vmin=0, vmax=1.5)
    for digit, answer in np.argwhere(counts):
        axes.text(answer, digit, counts[digit, answer], ha="center", va="center")
    axes.set(xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{np.mean(said == labels):.1%} of {len(labels)} held-out digits are right")
    right.suptitle("the hardest, and their digit's probability")
    for axes, i in zip(right.subplots(3, 4).flat, np.argsort(probable)):
        axes.imshow(run.held_images[i, 0], cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        wrong = said[i] != labels[i]
        text = f"{labels[i]}{f' as {said[i]}' if wrong else ''}: {probable[i]:.0%}"
        axes.set_title(text, fontsize=9, color="tab:red" if wrong else "black")
    write_figure(figure, path)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; a value that makes no sense is one line and status 2."""
    parser = described("digits", f"Read handwritten digits of 8 x 8; every {HELD_OUT}th of the 1,797 is held out.")
    parser.add_argument("--network", choices=NETWORKS, default="mlp", help="a perceptron or a convolutional network")
    parser.add_argument("--epochs", type=positive_int, default=300, help="rounds through all images")
    parser.add_argument("--batch-size", type=positive_int, default=64, help="images in each update")
    parser.add_argument("--learning-rate", type=positive_float, default=0.01, help="of AdamW, falling to 0 by a cosine")
    parser.add_argument("--seed", type=seed, default=0, help="of the weights, the order and the moves")
    return parsed(parser, arguments, "sklearn")


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    options = parse(arguments)
    run, started = Run(options), time.perf_counter()
    train(run, options.epochs, options.quiet)
    seconds, picture = time.perf_counter() - started, options.out / "digits.png"
    lines = [
        f"network    {options.network}, {sum(p.size for p in run.model.parameters()):,} parameters",
        f"epochs     {run.done:,}{' (stopped)' if run.done < options.epochs else ''}, {run.optimizer.steps:,} updates",
        f"time       {seconds:.2f} s",
        f"backend    {run.step.backend}",
        f"held-out   {run.accuracy():.2%} of {len(run.held_labels)} right",
        f"picture    {picture}",
    ]
    return finish(picture, lambda path: draw(path, run), lines) or (0 if run.done == options.epochs else 130)


if __name__ == "__main__":
    stopping.run(main)
