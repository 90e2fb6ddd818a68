"""Speed, as ratios within one run: `python -m benchmarks [--peers PYTHON]`; see benchmarks/README.md."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from .contenders import ENVIRONMENT, HERE, contender
from .task import POINTS, text


@dataclass(frozen=True)
class Row:
    """Our work against a peer's. The target is a ratio: theirs / ours at least, or ours / theirs at most."""

    title: str
    ours: str
    peer: str
    at_least: float | None = None
    at_most: float | None = None


ROWS = [
    Row("scalar graph, eager", "ours scalar", "peers scalar micrograd", at_least=12),
    Row("scalar graph, eager", "ours scalar", "peers scalar micrograd without collector"),
    Row("scalar graph, eager", "ours scalar", "by_hand scalar", at_least=2),
    Row("step 2-8-8-1, batch 16, eager", "ours small", "by_hand small", at_most=1.7),
    Row("the same by nn's layers and SGD", "ours small by nn", "by_hand small"),
    Row("the same by nn's layers and SGD", "ours small by nn", "peers small torch", at_least=4),
    Row("the same by nn's layers and SGD", "ours small by nn", "peers small hips", at_least=6),
    Row("the same by nn's layers and SGD", "ours small by nn", "peers small mygrad", at_least=2.5),
    Row("step 2-64-64-1, batch 256, eager", "ours large", "by_hand large", at_most=1.15),
    Row("scalar graph, jit python", "ours scalar python", "peers scalar micrograd", at_least=60),
    Row("scalar graph, jit llvm", "ours scalar llvm", "peers scalar micrograd", at_least=1000),
    Row("step 2-8-8-1, TrainStep python", "ours small python", "by_hand small buffers", at_most=1.2),
    Row("step 2-8-8-1, TrainStep llvm", "ours small llvm", "by_hand small C", at_most=0.75),
    Row("step 2-8-8-1, TrainStep llvm", "ours small llvm", "peers small jax"),
    Row("step 2-8-8-1, TrainStep llvm", "ours small llvm", "peers small torch compiled"),
    Row("the demo, sampling included", "ours demo", "documented crabnn", at_least=3),
    Row("step 2-64-64-1, TrainStep llvm", "ours large llvm", "by_hand large", at_most=1.0),
    Row("step 2-64-64-1, TrainStep python", "ours large python", "by_hand large", at_most=1.0),
    Row("step 2-64-64-1, TrainStep llvm", "ours large llvm", "peers large jax", at_most=1.0),
    Row("400 derivatives inside one", "ours nested", "peers nested hips", at_least=1),
    *(Row(f"k-means, {50 * n:,} numbers", f"ours k-means {n}", f"peers k-means hips {n}", at_least=1) for n in POINTS),
    *(
        Row(f"its hvp, {50 * n:,} numbers", f"ours k-means hvp {n}", f"peers k-means hvp hips {n}", at_least=1)
        for n in POINTS
    ),
]
CALLS = [  # title, work, and the most microseconds that it may take
    ("f(x, y) of numbers, jit", "ours call numbers", 3),
    ("f(x, y) of arrays, jit", "ours call arrays", 3),
    ("step(x, y) of 2-8-8-1, TrainStep", "ours call step", 8),
]


def measure(row: Row, peers: str, rounds: int) -> tuple[float, float, float]:
    """Medians of our time, of theirs, and of the ratio theirs / ours within a round."""
    ours, theirs = (contender(name, peers) for name in (row.ours, row.peer))
    try:
        pairs = [(ours.seconds(), theirs.seconds()) for _ in range(rounds)]
    finally:
        ours.close()
        theirs.close()
    return (*(statistics.median(side) for side in zip(*pairs)), statistics.median(b / a for a, b in pairs))


def line(row: Row, peers: str, rounds: int) -> list[str]:
    """A row of the table, measured."""
    peer = row.peer.removeprefix("peers ").replace("_", " ")
    try:
        ours, theirs, ratio = measure(row, peers, rounds)
    except RuntimeError as error:
        return [row.title, "", peer, str(error), "", "", ""]
    if row.at_most is not None:
        shown, target, reached = f"{1 / ratio:.2f}x its time", f"<= {row.at_most}x", 1 / ratio <= row.at_most
    else:
        shown, target = f"{ratio:.3g}x faster", f">= {row.at_least}x" if row.at_least else ""
        reached = ratio >= (row.at_least or 0)
    return [row.title, text(ours), peer, text(theirs), shown, target, ("yes" if reached else "no") if target else ""]


def call_line(title: str, name: str, most: float, rounds: int) -> list[str]:
    """What a call of compiled code costs, next to nothing of it work."""
    ours = contender(name, sys.executable)
    try:
        seconds = statistics.median(ours.seconds() for _ in range(rounds))
    finally:
        ours.close()
    return [title, text(seconds), "a call", "", "", f"<= {most} us", "yes" if seconds <= most * 1e-6 else "no"]


def chain_lines(length: int) -> list[list[str]]:
    """Time and memory a node of a long chain, against one a tenth as long."""
    command = [sys.executable, HERE / "ours.py", "chain"]
    long, short = (
        json.loads(subprocess.run([*command, str(n)], env=ENVIRONMENT, check=True, stdout=subprocess.PIPE).stdout)
        for n in (length, length // 10)
    )
    linear = sum(long[k] for k in ("make", "sweep", "free")) / sum(short[k] for k in ("make", "sweep", "free"))
    times = ", ".join(f"{name} {text(long[name])}" for name in ("make", "sweep", "free"))
    title = f"chain of {length:,} scalars, a node"
    return [
        [
            title,
            times,
            f"of {length // 10:,}",
            "",
            f"{linear:.2f}x its time",
            "<= 2x",
            "yes" if linear <= 2 else "no",
        ],
        [title, f"{long['bytes']:.0f} bytes", "", "", "", "<= 200 bytes", "yes" if long["bytes"] <= 200 else "no"],
    ]


def import_line(rounds: int) -> list[str]:
    """The time of `import autograd` against that of `import numpy`, each in fresh processes."""

    def seconds(module: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], env=ENVIRONMENT, check=True)
        return time.perf_counter() - start

    pairs = [(seconds("autograd"), seconds("numpy")) for _ in range(2 * rounds + 1)]
    ratio = statistics.median(a / b for a, b in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    return [
        "python -c 'import autograd'",
        text(ours),
        "import numpy",
        text(theirs),
        f"{ratio:.2f}x its time",
        "<= 1.2x",
        "yes" if ratio <= 1.2 else "no",
    ]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has the other libraries"
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns that contenders take; medians are shown")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows with this in their title or peer")
    parser.add_argument("--chain", type=int, default=1_000_000, metavar="N", help="length of the chain")
    parser.add_argument("--chart", metavar="PATH", help="instead of the table, draw the times of an update step")
    return parser.parse_args()


def main() -> int:
    """Measure and print, row by row."""
    options = parse()
    if options.chart:
        from .chart import draw_chart

        draw_chart(options.chart, options.peers, options.rounds)
        return 0
    columns = ["work", "crabgrad", "against", "time", "ratio", "target", "reached"]
    widths = [36, 12, 34, 26, 15, 12, 7]

    def show(cells: list[str]) -> None:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip(), flush=True)

    show(columns)
    for row in ROWS:
        if options.only in f"{row.title} {row.peer}":
            show(line(row, options.peers, options.rounds))
    for title, name, most in CALLS:
        if options.only in title:
            show(call_line(title, name, most, options.rounds))
    if options.only in "chain of scalars":
        for cells in chain_lines(options.chain):
            show(cells)
    if options.only in "import autograd":
        show(import_line(options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
