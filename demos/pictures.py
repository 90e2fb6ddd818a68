"""The pictures of the Gaussian demo: surfaces, their difference, the loss, and the learned surface in motion.

docs/learning.gif is the one that `python demos/gaussian.py --recipe fast` leaves in runs/gaussian.
"""

import io
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor, render
from autograd.files import write_whole
from options import complain, write_figure

BLUE = "#3b528b"  # of viridis, the palette of the surfaces
CAMERA = 28, -50  # degrees above the ground, and around
FIRST, SIZE = 100, (9, 6)  # the iteration where the animation's logarithmic axis begins; inches of 100 pixels


def grid(points: int) -> np.ndarray:
    """Points (points^2, 2) in rows over [-3, 3] squared."""
    span = np.linspace(-3, 3, points)
    return np.stack(np.meshgrid(span, span), -1).reshape(-1, 2)


GRID, FINE = grid(31), grid(101)  # of the surfaces, of their difference


def mean_square(difference: np.ndarray) -> float:
    """The mean of the squares."""
    return float(np.mean(np.square(difference)))


def errors(target: np.ndarray, frames: dict[int, np.ndarray]) -> tuple[list[int], list[float]]:
    """The surfaces' iterations, without those before FIRST, and how far they are from the target."""
    shown = {at: mean_square(heights - target) for at, heights in frames.items() if at >= FIRST}
    return list(shown), list(shown.values())


def _surface(axes: Any, heights: np.ndarray, title: str) -> Any:
    """Draw a surface over GRID in the scale that all of them share, and give what is to be removed for another."""
    axes.set(xlim=(-3, 3), ylim=(-3, 3), zlim=(0, 6), xticks=(-3, 0, 3), zticks=(0, 2, 4, 6), title=title)
    axes.set_yticks((-3, 0, 3), ("", "0", "3"))  # at the corner in front x already has a number
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color("white")
    x, y, z = (column.reshape(31, 31) for column in (*GRID.T, heights))
    return axes.plot_surface(x, y, z, cmap="viridis", vmin=0, vmax=5, rcount=31, ccount=31, linewidth=0)


def draw_surface(path: pathlib.Path, heights: np.ndarray, title: str) -> None:
    """One surface over the grid."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8))
    axes = figure.add_axes((0, 0.03, 1, 0.91), projection="3d")
    _surface(axes, heights, title)
    axes.set(xlabel="x", ylabel="y")
    axes.set_box_aspect((4, 4, 3), zoom=0.98)
    axes.view_init(*CAMERA)
    write_figure(figure, path)


def draw_error(path: pathlib.Path, difference: np.ndarray) -> None:
    """Learned minus target over FINE as a heat map, 0 in white."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes, bound = figure.subplots(), float(np.abs(difference).max()) or 1.0
    image = axes.imshow(
        difference.reshape(101, 101), cmap="RdBu_r", vmin=-bound, vmax=bound, extent=(-3, 3, -3, 3), origin="lower"
    )
    axes.set(title="learned − target", xlabel="x", ylabel="y", xticks=range(-3, 4), yticks=range(-3, 4))
    figure.colorbar(image)
    write_figure(figure, path)


def draw_loss(path: pathlib.Path, history: Sequence, target: np.ndarray, frames: dict[int, np.ndarray]) -> None:
    """The running loss and the surfaces' errors against iterations, on logarithmic scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.loglog(*zip(*history), ".-" if len(history) < 20 else "-", color=BLUE, label="of the last 1000 iterations")
    axes.loglog(*errors(target, frames), "o", color="tab:orange", markersize=3, label="of the surface, on the grid")
    axes.set(title="mean squared error", xlabel="iteration")
    axes.grid(True, alpha=0.3)
    axes.legend()
    write_figure(figure, path)


class Scene:
    """Target and learned surface side by side, the camera turning slowly, and below how the error falls."""

    def __init__(self, figure: Any, target: np.ndarray, last: int):
        self.target, self.last, self.drawn = target, max(last, 10 * FIRST), None
        self.surfaces = [figure.add_axes((left, 0.3, 0.5, 0.66), projection="3d") for left in (0.0, 0.5)]
        _surface(self.surfaces[0], target, "target")
        self.errors = figure.add_axes((0.08, 0.085, 0.88, 0.19))
        self.errors.set(xscale="log", yscale="log", xlim=(FIRST / 1.2, 1.2 * self.last))
        self.errors.set(xlabel="iteration", ylabel="squared error")
        self.errors.locator_params(axis="y", numticks=7)
        self.errors.minorticks_off()
        self.errors.grid(True, alpha=0.3)
        self.line, self.point = (self.errors.plot([], [], style, color=BLUE)[0] for style in "-o")
        self.way: dict[int, np.ndarray] = {}

    def show(self, at: int, heights: np.ndarray) -> None:
        """The surface after so many iterations."""
        if self.drawn:
            self.drawn.remove()
        self.drawn = _surface(self.surfaces[1], heights, f"learned in {at:,} iterations")
        share = np.log(max(at, FIRST) / FIRST) / np.log(self.last / FIRST)
        for axes in self.surfaces:
            axes.view_init(CAMERA[0], CAMERA[1] + 50 * (share - 0.5))
        self.way[at] = heights
        self.line.set_data(*errors(self.target, self.way))
        self.point.set_data(*errors(self.target, {at: heights}))
        self.errors.relim()
        self.errors.autoscale_view(scalex=False)


class Window:
    """The scene in a window, which follows a run; ImportError where there can be none."""

    def __init__(self, target: np.ndarray, last: int):
        from matplotlib import pyplot

        self.figure = pyplot.figure(figsize=SIZE)
        if not self.figure.canvas.required_interactive_framework:
            raise ImportError(f"matplotlib's backend is {pyplot.get_backend()}")
        self.scene, self.shown = Scene(self.figure, target, last), 0
        self.is_open = lambda: pyplot.fignum_exists(self.figure.number)
        self.wait = pyplot.show  # until it is closed
        self.figure.show()

    def follow(self, frames: Sequence[tuple[int, np.ndarray]]) -> None:
        """Show those frames that are new."""
        new, self.shown = frames[self.shown :], len(frames)
        for frame in new:
            self.scene.show(*frame)
            self.refresh()
        self.refresh()

    def refresh(self) -> None:
        """Draw what has changed, and let the user move or close the window."""
        if self.is_open():
            if self.figure.stale:
                self.figure.canvas.draw_idle()
            self.figure.canvas.flush_events()


def animate(path: pathlib.Path, target: np.ndarray, frames: dict[int, np.ndarray]) -> None:
    """The scene for each of the surfaces, by the number of iterations, as a GIF with one palette."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=SIZE, dpi=100)
    canvas, scene, images = FigureCanvasAgg(figure), Scene(figure, target, max(frames)), []
    scene.errors.plot(*errors(target, frames), color="lightgray", zorder=0)  # what is to come
    for frame in frames.items():
        scene.show(*frame)
        canvas.draw()
        images.append(np.array(canvas.buffer_rgba())[..., :3])
    some = Image.fromarray(np.concatenate(images[::-8]))
    palette = some.quantize(255, method=Image.Quantize.MAXCOVERAGE)
    first, *more = (Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    content = io.BytesIO()
    durations = [120] * len(more) + [2500]
    first.save(content, "GIF", save_all=True, append_images=more, duration=durations, loop=0)
    write_whole(path, content.getvalue())


def draw_graph(path: pathlib.Path, loss: Tensor) -> None:
    """What a loss was made of; without Graphviz, how to get it."""
    loss.name = "loss"
    try:
        render(loss, path=path)
    except (ImportError, RuntimeError) as error:
        complain(f"{path.name} was not drawn: {error}")
