"""The pictures of the GPT demo: the loss, what each head looks at, and the letters as the network sees them."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from names_data import BOS, LETTERS, SYMBOLS
from options import write_figure

DOT = "•"  # BOS in the pictures


def results(model: Any, losses: Sequence[float], name: str) -> dict[str, Callable[[pathlib.Path], Any]]:
    """What writes the pictures, by the name of the file: the loss, what heads look at in a name, and the letters."""
    shares, vectors = model.looks([BOS, *map(LETTERS.index, name)]), model.tokens.weight.data
    return {
        "loss.png": lambda path: draw_loss(path, np.array(losses), SYMBOLS),
        "attention.png": lambda path: draw_attention(path, name, shares),
        "letters.png": lambda path: draw_embedding(path, vectors, LETTERS + DOT),
    }


def draw_loss(path: pathlib.Path, losses: np.ndarray, symbols: int) -> None:
    """The loss of each step, its mean over the steps around, and what guessing would come to."""
    from matplotlib.figure import Figure

    window = max(1, len(losses) // 50)
    means = np.convolve(losses, np.full(window, 1 / window), "valid")
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(len(losses)) + 1, losses, linewidth=0.5, color="tab:blue", alpha=0.3)
    axes.plot(np.arange(len(means)) + (window + 1) / 2, means, color="tab:blue", label=f"mean of {window} steps")
    axes.axhline(np.log(symbols), color="gray", linestyle=":", label=f"log {symbols}: all symbols alike")
    axes.set(title="cross entropy of the next letter", xlabel="step", ylabel="loss", ylim=(losses.min() - 0.1, None))
    axes.legend()
    axes.grid(True, alpha=0.3)
    write_figure(figure, path)


def draw_attention(path: pathlib.Path, name: str, shares: Sequence[np.ndarray]) -> None:
    """For each layer, shares (heads, places, places): how much of each letter's attention goes to those before it."""
    from matplotlib.figure import Figure

    letters = [DOT, *name]
    layers, heads = len(shares), len(shares[0])
    size = 2.2 * heads + 0.6, 2.3 * layers + 0.5
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(layers, heads, squeeze=False)
    for layer, row in enumerate(axes):
        for head, square in enumerate(row):
            image = square.imshow(np.where(np.tri(len(letters)), shares[layer][head], np.nan), vmin=0, vmax=1)
            square.set_xticks(range(len(letters)), letters)
            square.set_yticks(range(len(letters)), letters)
            square.set_title(f"head {head + 1}" + (f" of layer {layer + 1}" if layers > 1 else ""))
        row[0].set_ylabel("looking from")
    figure.supxlabel("looking at", fontsize="medium")
    figure.suptitle(f"what the heads look at in “{name}”")
    figure.colorbar(image, ax=axes, label="share", shrink=0.9)
    write_figure(figure, path)


def draw_embedding(path: pathlib.Path, vectors: np.ndarray, symbols: Sequence[str]) -> None:
    """Vectors (symbols, width), made equally long, in the plane of their two principal components (by SVD)."""
    from matplotlib.figure import Figure

    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # the network norms what it reads, too
    centred = vectors - vectors.mean(0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    points, shares = centred @ directions[:2].T, np.square(lengths) / np.square(lengths).sum()
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    for symbol, (x, y) in zip(symbols, points):
        colour = "tab:red" if symbol in "aeiouy" else "black" if symbol == DOT else "tab:blue"
        axes.text(x, y, symbol, color=colour, fontsize=14, ha="center", va="center")
    axes.update_datalim(points)
    axes.margins(0.08)
    axes.autoscale_view()
    axes.axhline(0, color="gray", linewidth=0.5, zorder=0)
    axes.axvline(0, color="gray", linewidth=0.5, zorder=0)
    axes.set_title(f"the letters' vectors (red: vowels; {DOT}: begin and end)", fontsize="medium")
    axes.set(xlabel=f"first component ({shares[0]:.0%} of the variance)", ylabel=f"second component ({shares[1]:.0%})")
    write_figure(figure, path)
