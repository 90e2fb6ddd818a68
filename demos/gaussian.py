"""Train a network to the density of a 2-D Gaussian, as the Rust project crabnn does, and draw what it learned.

    python demos/gaussian.py
    python demos/gaussian.py --recipe fast
    python demos/gaussian.py --hidden-sizes 16 16 --optimizer adam --init he --iterations 20000 --backend eager

Ctrl-C ends the run after writing everything so far, with exit status 130; --resume goes on from there and ends with
exactly the weights of a run that was not interrupted.
"""

import argparse
import json
import pathlib
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import nn
import pictures
from autograd import no_grad, render
from autograd.files import write_whole
from options import Parser, positive_float, positive_int, progress, require_extras, seed

CHUNK = 1000  # iterations between checkpoints, and the window of the running loss
FRAMES = 30
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
    },
    "fast": {
        "batch_size": 32,
        "learning_rate": 0.015,
        "decay": 1.0,
        "schedule": "cosine",
        "optimizer": "adam",
        "init": "xavier",
        "iterations": 600_000,
    },
}
RESUMABLE = (*RECIPES["crabnn"], "hidden_sizes", "seed")


def target(x: np.ndarray) -> np.ndarray:
    """5 exp(-(x^2 + y^2) / 2) at points (..., 2), as columns (..., 1)."""
    squares = np.square(x)
    return 5 * np.exp(-0.5 * (squares[..., :1] + squares[..., 1:]))


def parse(arguments: Sequence[str] | None) -> tuple[Parser, argparse.Namespace]:
    """The command line; a value that makes no sense ends the program with one line and status 2."""
    parser = Parser(prog="gaussian.py", description="Learn the density of a 2-D Gaussian with a small network.")
    parser.add_argument(
        "--recipe", choices=RECIPES, default="crabnn", help="defaults of the options below: crabnn's own, or ours"
    )
    parser.add_argument("--batch-size", type=positive_int, help="fresh samples in each iteration")
    parser.add_argument("--learning-rate", type=positive_float)
    parser.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate; cosine begins with a warmup")
    parser.add_argument("--decay", type=positive_float, help="of the exponential schedule: factor in each iteration")
    parser.add_argument("--iterations", type=positive_int)
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--init", choices=INITIALIZERS, help="uniform: weights and biases in [0, 1), as crabnn")
    parser.add_argument(
        "--hidden-sizes", type=positive_int, nargs="+", default=[8, 8], help="neurons of the hidden layers: 8 8"
    )
    parser.add_argument(
        "--backend",
        choices=("auto", "llvm", "python", "eager"),
        default="auto",
        help="what runs an update: machine code, a NumPy program, or the engine step by step; auto: the best there is",
    )
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("runs/gaussian"), metavar="DIR", help="where the files go"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument("--quiet", action="store_true", help="print the summary only")
    options = parser.parse_args(arguments)
    for name, value in RECIPES[options.recipe].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return parser, options


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
        self.done = 0
        self.history: list[tuple[int, float]] = []
        self.frames: list[tuple[int, np.ndarray]] = [(0, self.predict(pictures.GRID))]

    def train(self, iterations: range) -> float:
        """These iterations, each on fresh samples; the mean of their losses."""
        x = self.rng.uniform(-3, 3, (len(iterations), self.options.batch_size, 2))
        losses = self.step.run(x, target(x))
        self.done = iterations.stop
        self.history.append((self.done, float(losses.mean())))
        if self.done * FRAMES // self.options.iterations > iterations.start * FRAMES // self.options.iterations:
            self.frames.append((self.done, self.predict(pictures.GRID)))
        return self.history[-1][1]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """What the network says at points (n, 2)."""
        with no_grad():
            return self.model(x).data

    def settings(self) -> str:
        """What must be the same for a run to go on, as text."""
        return json.dumps({name: getattr(self.options, name) for name in RESUMABLE})

    def save(self, path: pathlib.Path) -> None:
        """Everything that the rest of the run depends on, in one file."""
        nn.save(
            path,
            {
                **{f"model/{name}": array for name, array in self.model.state_dict().items()},
                **{f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()},
                "generator": np.array(json.dumps(self.rng.bit_generator.state)),
                "settings": np.array(self.settings()),
                "history": np.array(self.history, float).reshape(-1, 2),
                "frame_at": np.array([at for at, _ in self.frames]),
                "frames": np.array([heights for _, heights in self.frames]),
            },
        )

    def load(self, path: pathlib.Path) -> None:
        """Go on from a checkpoint; ValueError if it belongs to a run with other settings."""
        arrays = nn.load(path)
        if missing := {"settings", "generator", "history", "frame_at", "frames"} - arrays.keys():
            raise ValueError(f"{path} is no checkpoint: it has no {', '.join(sorted(missing))}")
        theirs, ours = json.loads(str(arrays["settings"])), json.loads(self.settings())
        if changed := [f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name]]:
            raise ValueError(f"the checkpoint was made with {', '.join(changed)}: resume with the same options")
        for part, owner in (("model/", self.model), ("optimizer/", self.optimizer)):
            owner.load_state_dict(
                {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
            )
        self.rng.bit_generator.state = json.loads(str(arrays["generator"]))
        self.history = [(int(at), float(loss)) for at, loss in arrays["history"]]
        self.frames = list(zip(arrays["frame_at"].tolist(), arrays["frames"]))
        self.done = self.history[-1][0] if self.history else 0


def train(run: Run, checkpoint: pathlib.Path, quiet: bool) -> bool:
    """Train to the end or to an interruption; whether the end was reached. A checkpoint is at most a second old."""
    stopped = []
    handlers = {
        number: signal.signal(number, lambda *_: stopped.append(True)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    saved = time.monotonic()
    try:
        for iterations, say in progress(run.done, run.options.iterations, CHUNK, quiet):
            say(f"loss {run.train(iterations):.6f}")
            if stopped:
                break
            if time.monotonic() - saved > 1:
                run.save(checkpoint)
                saved = time.monotonic()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    run.save(checkpoint)
    return run.done == run.options.iterations


def write_results(run: Run, out: pathlib.Path) -> None:
    """Weights, history and pictures."""
    nn.save(out / "weights.npz", run.model)
    lines = ["iteration,loss", *(f"{at},{loss!r}" for at, loss in run.history)]
    write_whole(out / "history.csv", "\n".join([*lines, ""]).encode())
    wanted, learned = target(pictures.GRID), run.predict(pictures.GRID)
    pictures.draw_surface(out / "target.png", wanted, "target")
    pictures.draw_surface(out / "learned.png", learned, f"learned in {run.done:,} iterations")
    pictures.draw_error(out / "error.png", learned - wanted)
    pictures.draw_loss(out / "loss.png", *zip(*run.history))
    frames = [heights for _, heights in run.frames] + [learned]
    pictures.animate(
        out / "learning.gif",
        wanted,
        frames,
        [f"{at:,} iterations" for at, _ in run.frames] + [f"{run.done:,} iterations"],
    )
    x = pictures.GRID[:2]
    loss = run.loss(run.model(x), target(x))
    loss.name = "loss"
    try:
        render(loss, path=out / "graph.svg")
    except RuntimeError as error:
        print(f"graph.svg was not drawn: {error}", file=sys.stderr)


def summary(run: Run, seconds: float, trained: int) -> str:
    """What the run came to, in lines."""
    return "\n".join(
        [
            f"iterations          {run.done:,}",
            f"time                {seconds:.2f} s",
            f"iterations/second   {trained / seconds:,.0f}",
            f"backend             {run.step.backend}",
            f"running loss        {run.history[-1][1]:.6f}",
            f"error on the grid   {pictures.error_on_grid(run.predict, target):.6f}",
            f"files               {run.options.out}",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    parser, options = parse(arguments)
    require_extras(parser)
    run, checkpoint = Run(options), options.out / "checkpoint.npz"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.resume:
            run.load(checkpoint)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    before, started = run.done, time.perf_counter()
    finished = train(run, checkpoint, options.quiet)
    seconds = time.perf_counter() - started
    write_results(run, options.out)
    print(summary(run, seconds, run.done - before))
    if not finished:
        again = [sys.argv[0], *(a for a in sys.argv[1:] if a != "--resume"), "--resume"]
        print(f"stopped; go on with: python {' '.join(again)}")
    return 0 if finished else 130


if __name__ == "__main__":
    sys.exit(main())
