"""Rosenbrock's valley in ten dimensions: scipy.optimize.minimize with exact gradients and hessians.

    python demos/rosenbrock.py

The picture shows the same in two dimensions, and what exact derivatives save.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import hessian, value_and_grad, vmap
from options import described, finish, parsed, write_figure

DIFFERENCES, GRADIENT, HESSIAN = "BFGS, differences", "BFGS, our gradient", "trust region, our hessian"
LINES = {  # of each method: colour, style, mark
    DIFFERENCES: {"color": "tab:gray", "linestyle": ":", "marker": "x", "markersize": 4},
    GRADIENT: {"color": "tab:orange", "linestyle": "--", "marker": "s", "markersize": 4},
    HESSIAN: {"color": "tab:blue", "linestyle": "-", "marker": "o", "markersize": 4},
}


def rosenbrock(x):
    """The sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 (Rosenbrock 1960); 0 where all x are 1."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def minimized(start: np.ndarray) -> dict[str, Any]:
    """What scipy finds by each method from the same start."""
    f, both = rosenbrock, value_and_grad(rosenbrock)
    return {
        DIFFERENCES: followed(f, start, method="BFGS"),
        GRADIENT: followed(both, start, method="BFGS", jac=True),
        HESSIAN: followed(both, start, method="trust-exact", jac=True, hess=hessian(f)),
    }


def followed(function: Callable, start: np.ndarray, **how: Any) -> Any:
    """What scipy finds, with its `way`: for each iteration, how often the function had been called, and the point."""
    from scipy.optimize import minimize

    called, way = [], []

    def counted(x: np.ndarray) -> Any:
        called.append(x)
        return function(x)

    run = minimize(counted, start, callback=lambda x: way.append([len(called), *x]), **how)
    run.way = np.array([[1, *start], *way])
    return run


def draw(path: pathlib.Path, runs: dict[str, Any]) -> None:
    """The way of the methods through the valley in two dimensions; how soon these runs came to its ground."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    plane, values = figure.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, 121), np.linspace(-0.5, 1.75, 91))
    heights = vmap(rosenbrock)(np.stack([x.ravel(), y.ravel()], 1)).reshape(x.shape)
    plane.contourf(x, y, np.log10(heights + 1e-3), 16, cmap="Greys", alpha=0.6)
    in_plane = minimized(np.array([-1.2, 1.0]))
    for name, line in LINES.items():
        if name != DIFFERENCES:  # which goes where our gradient goes
            plane.plot(*in_plane[name].way[:, 1:].T, **line)
        asked, *points = runs[name].way.T
        values.loglog(asked, vmap(rosenbrock)(np.stack(points, 1)), **line, label=name)
    plane.plot(1, 1, "*", color="black", markersize=12)
    plane.set(title="two dimensions: from (−1.2, 1) to (1, 1)", xlabel="x[0]", ylabel="x[1]")
    plane.set(xticks=[-1, 0, 1], yticks=[0, 1])
    values.set(title="ten dimensions", xlabel="how often f was asked for", ylabel="f(x)")
    values.grid(True, alpha=0.3)
    figure.legend(*values.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    write_figure(figure, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Three methods from the same start; prints what each needed."""
    parser = described("rosenbrock", "Walk down Rosenbrock's valley by three methods of scipy.", "print nothing")
    options = parsed(parser, arguments, "scipy")
    runs = minimized(np.tile([1.3, 0.7], 5))
    picture = options.out / "valley.png"
    lines = [f"{'':28}{'f(x)':>10}{'max |x - 1|':>14}{'iterations':>12}{'values of f':>13}"]
    for name, run in runs.items():
        lines.append(f"{name:28}{run.fun:10.1e}{np.abs(run.x - 1).max():14.1e}{run.nit:12}{run.nfev:13}")
    lines.append(f"{'picture':28}{picture}")
    return finish(picture, lambda path: draw(path, runs), [] if options.quiet else lines)


if __name__ == "__main__":
    stopping.run(main)
