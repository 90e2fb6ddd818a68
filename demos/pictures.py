"""The pictures of the Gaussian demo: surfaces, their difference, the loss, and the learned surface in motion."""

import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor, render
from autograd.files import write_whole
from options import complain, write_figure

SPAN = np.linspace(-3, 3, 31)
GRID = np.stack(np.meshgrid(SPAN, SPAN), -1).reshape(-1, 2)


def _surface(axes: Any, heights: np.ndarray, title: str, azimuth: float = -60, pitch: float = 28) -> None:
    x, y = GRID.T.reshape(2, 31, 31)
    axes.plot_surface(
        x, y, heights.reshape(31, 31), cmap="viridis", vmin=0, vmax=5, rstride=1, cstride=1, linewidth=0.1
    )
    axes.set(xlim=(-3, 3), ylim=(-3, 3), zlim=(0, 6), xlabel="x", ylabel="y", title=title)
    axes.view_init(pitch, azimuth)


def draw_surface(path: pathlib.Path, heights: np.ndarray, title: str) -> None:
    """One surface over the grid, in the scale and camera that all of them share."""
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(5, 4.2), layout="constrained")
    _surface(figure.add_subplot(projection="3d"), heights, title)
    write_figure(figure, path)


def draw_error(path: pathlib.Path, difference: np.ndarray) -> None:
    """Learned minus target as a heat map, 0 in white."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 4.2), layout="constrained")
    bound = float(np.abs(difference).max()) or 1.0
    image = axes.imshow(
        difference.reshape(31, 31), cmap="RdBu_r", vmin=-bound, vmax=bound, extent=(-3, 3, -3, 3), origin="lower"
    )
    axes.set(title="learned − target", xlabel="x", ylabel="y")
    figure.colorbar(image)
    write_figure(figure, path)


def draw_loss(path: pathlib.Path, iterations: Sequence[int], losses: Sequence[float]) -> None:
    """The running loss against iterations, on a logarithmic scale."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.6), layout="constrained")
    axes.semilogy(iterations, losses, linewidth=1, marker="." if len(losses) < 20 else None)
    axes.set(title="mean squared error of the last 1000 iterations", xlabel="iteration", ylabel="loss")
    axes.grid(True, which="both", alpha=0.3)
    write_figure(figure, path)


def animate(path: pathlib.Path, target: np.ndarray, frames: Sequence[np.ndarray], captions: Sequence[str]) -> None:
    """The learned surface morphing beside the fixed target, as a GIF; the camera pitches slowly."""
    from matplotlib import pyplot
    from PIL import Image

    figure = pyplot.figure(figsize=(7.2, 3.4), dpi=70, layout="constrained")
    left, right = (figure.add_subplot(1, 2, i, projection="3d") for i in (1, 2))

    def draw(heights: np.ndarray, caption: str, pitch: float) -> None:
        for axes, surface, title in ((left, target, "target"), (right, heights, caption)):
            axes.clear()
            _surface(axes, surface, title, pitch=pitch)
        figure.canvas.draw()

    draw(target, "", 35)
    figure.set_layout_engine("none")  # everything stays where it is with the steepest camera, which needs most room
    pictures = []
    for i, (heights, caption) in enumerate(zip(frames, captions)):
        draw(heights, caption, 20 + 15 * np.sin(np.pi * i / max(len(frames) - 1, 1)))
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        pictures.append(Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE, colors=128))
    pyplot.close(figure)
    content = io.BytesIO()
    durations = [150] * (len(pictures) - 1) + [2000]
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    write_whole(path, content.getvalue())


def draw_graph(path: pathlib.Path, loss: Tensor) -> None:
    """What a loss was made of; without Graphviz, how to get it."""
    loss.name = "loss"
    try:
        render(loss, path=path)
    except RuntimeError as error:
        complain(f"{path.name} was not drawn: {error}")


def error_on_grid(predict: Callable, target: Callable, points: int = 101) -> float:
    """The mean squared error on a regular grid over [-3, 3] squared."""
    span = np.linspace(-3, 3, points)
    x = np.stack(np.meshgrid(span, span), -1).reshape(-1, 2)
    return float(np.mean((predict(x) - target(x)) ** 2))
