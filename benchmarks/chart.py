"""A picture of how long an update of the demo's network takes, on a logarithmic scale."""

import statistics

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from .contenders import contender
from .task import text

BARS = {
    "crabgrad, TrainStep as machine code": "ours small llvm",
    "C by hand, -O3 -ffast-math": "by_hand small C",
    "JAX, fori_loop": "peers small jax",
    "crabnn in Rust (as documented)": "documented crabnn",
    "NumPy by hand, into buffers": "by_hand small buffers",
    "crabgrad, TrainStep as NumPy": "ours small python",
    "NumPy by hand": "by_hand small",
    "crabgrad, eager": "ours small by nn",
    "MyGrad": "peers small mygrad",
    "PyTorch, eager": "peers small torch",
    "PyTorch, torch.compile": "peers small torch compiled",
    "HIPS autograd": "peers small hips",
}


def median_time(name: str, peers: str, rounds: int) -> float:
    """Seconds an update, by a contender that has the machine for itself."""
    one = contender(name, peers)
    try:
        return statistics.median(one.seconds() for _ in range(rounds))
    finally:
        one.close()


def draw_chart(path: str, peers: str, rounds: int) -> None:
    """Measure every contender that is installed, and draw the times."""
    medians = []
    for label, name in BARS.items():
        try:
            medians.append((median_time(name, peers, rounds), label))
        except RuntimeError as error:
            print(f"{label}: {error}")
    seconds, labels = zip(*sorted(medians, reverse=True))
    figure, axes = pyplot.subplots(figsize=(8, 3.8), layout="constrained")
    colors = ["#e07b39" if label.startswith("crabgrad") else "#9fb3c8" for label in labels]
    bars = axes.barh(labels, seconds, color=colors, log=True)
    axes.bar_label(bars, [f" {text(s)}" for s in seconds], fontsize=8)
    axes.set_title("One update of a 2-8-8-1 network, batch 16, one thread (logarithmic)", fontsize=10)
    axes.set_xlim(right=max(seconds) * 2.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
