"""Nonlinear least squares by Gauss-Newton with exact jacobians, on two data sets whose answers are certified.

    python demos/least_squares.py

Data, models, starts and certified parameters: NIST Statistical Reference Datasets, nonlinear regression,
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml (Misra1a: D. Misra, dental research in monomolecular adsorption;
Thurber: R. Thurber, semiconductor electron mobility).
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import autograd.numpy as anp
from autograd import jacobian
from options import described, finish, parsed, write_figure


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, a model of x with parameters b, NIST's first start, and the certified parameters."""

    name: str
    axes: tuple[str, str]  # what x and y are
    model: Callable
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray
    certified: np.ndarray


def numbers(text: str) -> np.ndarray:
    """An array from numbers with spaces between them."""
    return np.array(text.split(), dtype=float)


MISRA1A = Problem(
    "Misra1a",
    ("pressure", "volume"),
    lambda b, x: b[0] * (1 - anp.exp(-b[1] * x)),
    numbers("77.6 114.9 141.1 190.8 239.9 289.0 332.8 378.4 434.8 477.3 536.8 593.1 689.1 760.0"),
    numbers("10.07 14.73 17.94 23.93 29.61 35.18 40.02 44.82 50.76 55.05 61.01 66.40 75.47 81.78"),
    numbers("500 0.0001"),
    numbers("2.3894212918e2 5.5015643181e-4"),
)
THURBER = Problem(
    "Thurber",
    ("logarithm of density", "mobility"),
    lambda b, x: (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6]))),
    numbers("""
        -3.067 -2.981 -2.921 -2.912 -2.840 -2.797 -2.702 -2.699 -2.633 -2.481 -2.363 -2.322 -1.501
        -1.460 -1.274 -1.212 -1.100 -1.046 -0.915 -0.714 -0.566 -0.545 -0.400 -0.309 -0.109 -0.103
        0.010 0.119 0.377 0.790 0.963 1.006 1.115 1.572 1.841 2.047 2.200
    """),
    numbers("""
        80.574 84.248 87.264 87.195 89.076 89.608 89.868 90.101 92.405 95.854
        100.696 101.060 401.672 390.724 567.534 635.316 733.054 759.087 894.206 990.785
        1090.109 1080.914 1122.643 1178.351 1260.531 1273.514 1288.339 1327.543 1353.863 1414.509
        1425.208 1421.384 1442.962 1464.350 1468.705 1447.894 1457.628
    """),
    numbers("1000 1000 400 40 0.7 0.3 0.03"),
    numbers(
        "1.2881396800e3 1.4910792535e3 5.8323836877e2 7.5416644291e1 9.6629502864e-1 3.9797285797e-1 4.9727297349e-2"
    ),
)


def gauss_newton(residuals: Callable, b: np.ndarray, iterations: int = 200) -> np.ndarray:
    """The parameters of least squares; steps are damped (Levenberg 1944, Marquardt 1963) while they do not help."""
    slopes, damping = jacobian(residuals), 1e-3
    for _ in range(iterations):
        r, j = residuals(b), slopes(b)
        scale = np.linalg.norm(j, axis=0)
        left = np.vstack([j / scale, np.sqrt(damping) * np.eye(b.size)])
        step, *_ = np.linalg.lstsq(left, -np.append(r, np.zeros(b.size)), rcond=None)
        moved = b + step / scale
        # the sum cannot tell the last digits apart
        better = np.sum(residuals(moved) ** 2) <= (1 + 1e-12) * np.sum(r**2)
        damping = damping / 10 if better else damping * 10
        if better and np.all(np.abs(moved - b) <= 1e-13 * np.abs(b)):
            return moved
        b = moved if better else b
    return b


def fitted(problem: Problem) -> tuple[np.ndarray, float]:
    """The fitted parameters, and the number of correct digits of the worst: -log10 of its relative error."""
    b = gauss_newton(lambda b: problem.model(b, problem.x) - problem.y, problem.start)
    return b, float(-np.log10(np.max(np.abs(b / problem.certified - 1))))


def draw(path: pathlib.Path, fits: dict[Problem, np.ndarray]) -> None:
    """The data, the curves at the start and at the end, and below what is left of the data."""
    from matplotlib.figure import Figure

    ring = {"markersize": 4, "fillstyle": "none"}
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots(2, 2, sharex="col", height_ratios=(3, 1))
    for (curves, left), (problem, b) in zip(axes.T, fits.items()):
        x = np.linspace(problem.x[0], problem.x[-1], 200)
        curves.plot(x, problem.model(problem.start, x), ":", color="tab:gray", label="start")
        curves.plot(x, problem.model(b, x), color="tab:blue", label="fit")
        curves.plot(problem.x, problem.y, "ko", **ring, label="data")
        curves.set(title=problem.name, ylabel=problem.axes[1])
        curves.legend()
        left.axhline(0, color="tab:blue")
        left.plot(problem.x, problem.y - problem.model(b, problem.x), "ko", **ring)
        left.set(xlabel=problem.axes[0], ylabel="data − fit")
    figure.align_ylabels()
    write_figure(figure, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fits both; prints parameters and certified digits."""
    parser = described("least_squares", "Fit two certified data sets by Gauss-Newton.", "print nothing")
    options = parsed(parser, arguments)
    fits, lines, picture = {}, [], options.out / "fits.png"
    for problem in (MISRA1A, THURBER):
        b, correct = fitted(problem)
        fits[problem] = b
        lines.append(f"{problem.name}: {correct:.1f} digits of the certified parameters")
        for i, (found, certified) in enumerate(zip(b, problem.certified), 1):
            lines.append(f"  b{i}  {found: .10e}  certified {certified: .10e}")
    lines.append(f"picture: {picture}")
    return finish(picture, lambda path: draw(path, fits), [] if options.quiet else lines)


if __name__ == "__main__":
    stopping.run(main)
