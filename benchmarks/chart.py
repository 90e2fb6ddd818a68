"""A picture of how long an update of the demo's network takes, and of how that grows, and its numbers as tables."""

import math
import pathlib
import statistics
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .contenders import NAMES, measure
from .rows import SMALL
from .task import text

TITLE = "One update of a 2-8-8-1 network, batch 16, one thread"
BARS = {
    "crabgrad, TrainStep as machine code": f"ours step {SMALL} llvm",
    "C by hand, -O3 -ffast-math": f"C step {SMALL}",
    "JAX, fori_loop": f"jax step {SMALL}",
    "crabnn in Rust (as documented)": "documented crabnn",
    "NumPy by hand, into buffers": f"buffers step {SMALL}",
    "crabgrad, TrainStep as NumPy": f"ours step {SMALL} python",
    "NumPy by hand": f"numpy step {SMALL}",
    "crabgrad, eager": f"ours layers {SMALL}",
    "MyGrad": f"mygrad step {SMALL}",
    "PyTorch, eager": f"torch step {SMALL}",
    "PyTorch, torch.compile": f"torch.compile step {SMALL}",
    "HIPS autograd": f"hips step {SMALL}",
}
GROWTH = {  # what grows, and the network and batch at each of its values
    "width: 2-w-w-1, batch 64": {w: f"2-{w}-{w}-1 64" for w in (8, 16, 32, 64, 128, 256)},
    "batch: 2-32-32-1": {n: f"2-32-32-1 {n}" for n in (1, 4, 16, 64, 256, 1024, 4096)},
    "depth: hidden layers of 16, batch 64": {d: f"2{d * '-16'}-1 64" for d in (1, 2, 4, 8, 16, 32)},
}
LINES = {  # color, style
    "ours step {} llvm": ("#e07b39", "o-"),
    "ours step {} python": ("#e07b39", "o--"),
    "jax step {}": ("#3d6b99", "s-"),
    "numpy step {}": ("#9fb3c8", "^--"),
}


ABOUT = """# The time of one training update

The numbers of the README's chart: an update of a network with ReLU by SGD, float64, on one thread; 2-8-8-1 has layers
of 2, 8, 8 and 1 units. Measured by `python -m benchmarks --chart`, see [benchmarks](../benchmarks/README.md)."""


def medians(names: Iterable[str], peers: str, rounds: int) -> list[float]:
    """Seconds an update by each of the contenders; NaN, which is not drawn, by one that is not here."""
    times, errors = measure(names, peers, rounds)
    for name, error in errors.items():
        print(f"{name}: {error}")
    return [math.nan if name in errors else statistics.median(turns) for name, turns in times.items()]


def table(columns: list, rows: Iterable[list]) -> str:
    """A table in Markdown; floats are seconds, and a row with NaN, of one that is not here, is left out."""
    here = [row for row in rows if not any(cell != cell for cell in row)]
    lines = [[text(c) if isinstance(c, float) else str(c) for c in row] for row in (columns, *here)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], ["---"] * len(columns), *lines[1:]))


def write(path: str, figure: Figure, about: str, tables: Iterable[str]) -> None:
    """The picture, and beside it, as Markdown, what was measured for it."""
    figure.savefig(path, dpi=200)
    pathlib.Path(path).with_suffix(".md").write_text("\n\n".join([about, *tables]) + "\n")


def draw_bars(axes: Axes, peers: str, rounds: int) -> str:
    """The demo's network by all who are here; their times as a table."""
    pairs = sorted(pair for pair in zip(medians(BARS.values(), peers, rounds), BARS) if pair[0] > 0)
    seconds, labels = zip(*reversed(pairs))
    colors = ["#e07b39" if label.startswith("crabgrad") else "#9fb3c8" for label in labels]
    bars = axes.barh(labels, seconds, color=colors, log=True)
    axes.bar_label(bars, [f" {text(s)}" for s in seconds], fontsize=8)
    axes.set_title(f"{TITLE} (logarithmic)", fontsize=10)
    axes.set_xlim(right=max(seconds) * 2.5)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return table([TITLE, "time"], ([label, s] for s, label in pairs))


def draw_growth(axes: Axes, title: str, peers: str, rounds: int) -> str:
    """How the time of an update grows with one size; the times as a table."""
    columns = [medians((line.format(sizes) for line in LINES), peers, rounds) for sizes in GROWTH[title].values()]
    labels = [" ".join([NAMES[line.split()[0]], *line.split()[3:]]) for line in LINES]
    rows = list(zip(*columns))
    for label, (color, style), seconds in zip(labels, LINES.values(), rows):
        axes.loglog(list(GROWTH[title]), seconds, style, color=color, label=label, markersize=3, linewidth=1)
    axes.set_xticks(list(GROWTH[title]), list(GROWTH[title]), minor=False)
    axes.minorticks_off()
    axes.set_yticks(ticks := [10.0**k for k in range(-6, -2)], [text(tick) for tick in ticks])
    axes.set_title(title, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    return table([title, *GROWTH[title]], ([label, *seconds] for label, seconds in zip(labels, rows)))


def draw_chart(path: str, peers: str, rounds: int) -> None:
    """Measure every contender that is installed, draw the times, and write them as tables beside the picture."""
    figure = Figure(figsize=(9, 6.8), layout="constrained")
    above, below = figure.subfigures(2, 1)
    tables = [draw_bars(above.subplots(), peers, rounds)]
    for axes, title in zip(below.subplots(1, 3, sharey=True), GROWTH):
        tables.append(draw_growth(axes, title, peers, rounds))
    below.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    for axes in figure.axes:
        axes.tick_params(labelsize=8)
    write(path, figure, ABOUT, tables)
