"""Train a network to the density of a 2-D Gaussian, as the Rust project crabnn does, and draw what it learned.

    python demos/gaussian.py
    python demos/gaussian.py --recipe fast --plot live
    python demos/gaussian.py --hidden-sizes 16 16 --optimizer adam --init he --iterations 20000 --backend eager

Ctrl-C ends the run after writing everything so far, with exit status 130; --resume goes on from there and ends with
exactly the weights of a run that was not interrupted.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import argparse
import json
import pathlib
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nn
import pictures
from autograd import no_grad
from autograd.files import write_whole
from options import (
    Parser,
    complain,
    make,
    positive_float,
    positive_int,
    progress,
    require_extras,
    seed,
    tell,
    write_each,
)

CHUNK = 1000  # iterations between checkpoints, and the window of the running loss
MOMENTS = np.geomspace(pictures.FIRST, 1e10, 12 * 8 + 1).round().astype(int).tolist()  # when a surface is kept
OPTIMIZERS = {"sgd": nn.SGD, "adam": nn.Adam, "adamw": nn.AdamW}
INITIALIZERS = {"uniform": (nn.uniform, nn.uniform), "he": (nn.he, nn.zeros), "xavier": (nn.xavier, nn.zeros)}
SCHEDULES = {
    "exponential": lambda options: nn.ExponentialDecay(options.learning_rate, options.decay),
    "cosine": lambda options: nn.Warmup(
        nn.CosineDecay(options.learning_rate, options.iterations), min(2000, options.iterations)
    ),
}
RECIPES = {  # what an option is when it is not given
    "crabnn": {
        "batch_size": 16,
        "learning_rate": 0.002,
        "decay": 0.99999,
        "schedule": "exponential",
        "optimizer": "sgd",
        "init": "uniform",
        "iterations": 5_000_000,
        "seed": 12,  # a lucky one, as crabnn's own is
    },
    "fast": {
        "batch_size": 32,
        "learning_rate": 0.015,
        "decay": 1.0,
        "schedule": "cosine",
        "optimizer": "adam",
        "init": "xavier",
        "iterations": 600_000,
        "seed": 0,
    },
}
RESUMABLE = (*RECIPES["crabnn"], "hidden_sizes")


def target(x: np.ndarray) -> np.ndarray:
    """5 exp(-(x^2 + y^2) / 2) at points (..., 2), as columns (..., 1)."""
    squares = np.square(x)
    return 5 * np.exp(-0.5 * (squares[..., :1] + squares[..., 1:]))


def parse(arguments: Sequence[str] | None) -> tuple[Parser, argparse.Namespace]:
    """The command line; a value that makes no sense ends the program with one line and status 2."""
    parser = Parser(prog="gaussian.py", description="Learn the density of a 2-D Gaussian with a small network.")
    defaults = ([f"--{key.replace('_', '-')} {value}" for key, value in each.items()] for each in RECIPES.values())
    parser.epilog = ". ".join(f"--recipe {name}: {', '.join(each)}" for name, each in zip(RECIPES, defaults))
    add_options(parser)
    options = parser.parse_args(arguments)
    for name, value in RECIPES[options.recipe].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return parser, options


def add_options(parser: Parser) -> None:
    """What a user may turn."""
    recipe = "defaults of other options, listed below: crabnn's own, or ours (default: crabnn)"
    parser.add_argument("--recipe", choices=RECIPES, default="crabnn", help=recipe)
    parser.add_argument("--batch-size", type=positive_int, help="fresh samples in each iteration")
    parser.add_argument("--learning-rate", type=positive_float, help="the first; --schedule says how it falls")
    parser.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate; cosine begins with a warmup")
    parser.add_argument("--decay", type=positive_float, help="of the exponential schedule: factor in each iteration")
    parser.add_argument("--iterations", type=positive_int, help="updates of the weights")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, help="what turns gradients into updates")
    parser.add_argument("--init", choices=INITIALIZERS, help="uniform: weights and biases in [0, 1), as crabnn")
    sizes = "neurons of each hidden layer (default: 8 8)"
    parser.add_argument("--hidden-sizes", type=positive_int, nargs="+", default=[8, 8], help=sizes)
    parser.add_argument(
        "--backend",
        choices=("auto", "llvm", "python", "eager"),
        default="auto",
        help="what runs an update: machine code, a NumPy program, or the engine step by step (default: auto, the best "
        "there is)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        help="crabnn's recipe has 12, a lucky one: with 12 and 42 it ends at a loss of 0.009, with others below 100 at "
        "0.04 or more, most near 0.10; the fast recipe has 0",
    )
    out, where = pathlib.Path("runs/gaussian"), "where the files go (default: runs/gaussian)"
    parser.add_argument("--out", type=pathlib.Path, default=out, metavar="DIR", help=where)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument("--plot", choices=("live",), help="live: show the surface in a window, as long as that is open")
    parser.add_argument("--quiet", action="store_true", help="print the summary only")


class EagerStep:
    """The update by the engine, step by step, as one writes it by hand; nn.TrainStep is the same, compiled."""

    backend = "eager"

    def __init__(self, model: nn.Module, loss: nn.MSE, optimizer: Any):
        self.model, self.loss, self.optimizer = model, loss, optimizer

    def run(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each of xs and ys; the losses."""
        losses = []
        for x, y in zip(xs, ys):
            loss = self.loss(self.model(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return np.array(losses)


class Run:
    """A training run: network, optimizer, generator, and what was measured on the way."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.rng = np.random.default_rng(options.seed)
        weights, biases = INITIALIZERS[options.init]
        self.model = nn.MLP(2, options.hidden_sizes, 1, rng=self.rng, init=weights, bias_init=biases)
        self.optimizer = OPTIMIZERS[options.optimizer](self.model.parameters(), lr=SCHEDULES[options.schedule](options))
        self.loss = nn.MSE()
        parts = self.model, self.loss, self.optimizer
        self.step = EagerStep(*parts) if options.backend == "eager" else nn.TrainStep(*parts, options.backend)
        self.done, first = 0, self.predict(pictures.GRID)
        self.moments = [0, *(at for at in MOMENTS if at < options.iterations), options.iterations]
        self.record: dict[str, Any] = {  # what goes into a checkpoint besides
            "settings": json.dumps({name: getattr(options, name) for name in RESUMABLE}),
            "losses": np.zeros(-(-options.iterations // CHUNK)),
            "surfaces": np.stack([first] * len(self.moments)),
        }

    def train(self, iterations: range) -> float:
        """These iterations, each on fresh samples; the mean of their losses."""
        kept = sorted(at for at in self.moments if iterations.start < at <= iterations.stop)
        losses = [self.update(end - self.done, end in kept) for end in dict.fromkeys([*kept, iterations.stop])]
        self.record["losses"][iterations.start // CHUNK] = loss = float(np.concatenate(losses).mean())
        return loss

    def update(self, count: int, keep: bool) -> np.ndarray:
        """So many updates, and the surface after them if it is to be kept; their losses."""
        x = self.rng.uniform(-3, 3, (count, self.options.batch_size, 2))
        losses = self.step.run(x, target(x))
        self.done += count
        if keep:
            self.record["surfaces"][self.moments.index(self.done)] = self.predict(pictures.GRID)
        return losses

    def predict(self, x: np.ndarray) -> np.ndarray:
        """What the network says at points (n, 2)."""
        with no_grad():
            return self.model(x).data

    def difference(self) -> np.ndarray:
        """Learned minus target on a fine grid."""
        return self.predict(pictures.FINE) - target(pictures.FINE)

    @property
    def history(self) -> list[tuple[int, float]]:
        """Iterations, and the mean loss of the last 1000 of them."""
        ends = (min(at + CHUNK, self.done) for at in range(0, self.done, CHUNK))
        return list(zip(ends, self.record["losses"].tolist()))

    @property
    def frames(self) -> list[tuple[int, np.ndarray]]:
        """Iterations, and the surface after them."""
        return [(at, surface) for at, surface in zip(self.moments, self.record["surfaces"]) if at <= self.done]


def opened(options: argparse.Namespace) -> pictures.Window | None:
    """The window of --plot live, if there can be one."""
    try:
        return pictures.Window(target(pictures.GRID), options.iterations) if options.plot else None
    except ImportError as error:
        complain(f"there is no display for --plot live, or no toolkit for windows ({error}); the training goes on")
        return None


def opened_checkpoint(run: Run, parser: Parser) -> nn.Checkpoint:
    """The checkpoints of a run, from which it goes on if it should; what is wrong is one line."""
    out, settings = run.options.out, run.record["settings"]
    try:
        checkpoint = nn.Checkpoint(out, model=run.model, optimizer=run.optimizer, rng=run.rng, record=run.record)
        if run.options.resume and not checkpoint.paths():
            raise ValueError(f"there is no checkpoint in {out}: leave --resume out, or give another --out")
        if run.options.resume:
            path = checkpoint.paths()[0]
            made = str(nn.load(path, limit=path.stat().st_size).get("record/settings", settings))
            if made != settings:
                raise ValueError(f"the checkpoint was made with {made}: resume with the same options")
        for path in checkpoint.paths() * (not run.options.resume):
            path.unlink()
        run.done = checkpoint.load()
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return checkpoint


def train(run: Run, checkpoint: nn.Checkpoint, window: pictures.Window | None) -> str:
    """Train to the end or to an interruption, with checkpoints a second apart; why the last was not written, if so."""
    saving: dict[str, Callable] = {"checkpoint": lambda _: checkpoint.save(run.done)}
    saved = time.monotonic()
    with stopping.deferred() as stopped:
        for iterations, say in progress(run.done, run.options.iterations, CHUNK, run.options.quiet):
            say(f"loss {run.train(iterations):.6f}")
            if window:
                window.follow(run.frames)
            if stopped:
                break
            if time.monotonic() - saved > 1:
                if failed := write_each(run.options.out, saving):
                    complain(failed, "the training goes on")
                saved = time.monotonic()
        return write_each(run.options.out, saving)


def results(run: Run) -> dict[str, Callable[[pathlib.Path], Any]]:
    """What writes weights, history and pictures, by the name of the file."""
    wanted, learned = target(pictures.GRID), run.predict(pictures.GRID)
    frames = {**dict(run.frames), run.done: learned}
    lines = ["iteration,loss", *(f"{at},{loss!r}" for at, loss in run.history), ""]
    return {
        "weights.npz": lambda path: nn.save(path, run.model),
        "history.csv": lambda path: write_whole(path, "\n".join(lines).encode()),
        "target.png": lambda path: pictures.draw_surface(path, wanted, "target"),
        "learned.png": lambda path: pictures.draw_surface(path, learned, f"learned in {run.done:,} iterations"),
        "error.png": lambda path: pictures.draw_error(path, run.difference()),
        "loss.png": lambda path: pictures.draw_loss(path, run.history, wanted, frames),
        "learning.gif": lambda path: pictures.animate(path, wanted, frames),
        "graph.svg": lambda path: pictures.draw_graph(path, run.loss(run.model(pictures.GRID[:2]), wanted[:2])),
    }


def summary(run: Run, seconds: float, trained: int) -> str:
    """What the run came to, in lines."""
    return "\n".join(
        [
            f"iterations          {run.done:,}",
            f"time                {seconds:.2f} s",
            f"iterations/second   {trained / seconds:,.0f}",
            f"backend             {run.step.backend if trained else 'none: all iterations were done before'}",
            f"running loss        {run.history[-1][1]:.6f}",
            f"error on the grid   {pictures.mean_square(run.difference()):.6f}",
            f"files               {run.options.out}",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    parser, options = parse(arguments)
    require_extras(parser)
    make(parser, options.out)
    run, window = Run(options), opened(options)
    checkpoint = opened_checkpoint(run, parser)
    before, started = run.done, time.perf_counter()
    lost = train(run, checkpoint, window)
    seconds = time.perf_counter() - started
    if not options.quiet:
        tell("drawing ...")
    missing = write_each(options.out, results(run))
    if complain(lost, missing, tell(summary(run, seconds, run.done - before))):
        return 1
    if run.done == options.iterations:
        if window:
            window.wait()
        return 0
    again = sys.orig_argv + ["--resume"] * (not options.resume)
    tell(f"stopped; go on with: {shlex.join(again)}")
    return 130


if __name__ == "__main__":
    stopping.run(main)
