"""A picture of the race, us a sample by everyone; and its tables, with how much of the core is used."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .chart import medians, table, write
from .race import operations
from .task import text

WIDTHS, DTYPE = (16, 32, 64), "float32"
RACERS = {  # label, color, style
    "microgpt race-scalar {}": ("microgpt's Value", "#7a8a99", "x"),
    "ours race-value {}": ("crabgrad, Value", "#e07b39", "x"),
    "torch race {}": ("PyTorch, eager", "#b04a5a", "v-"),
    "torch.compile race {}": ("PyTorch, torch.compile", "#b04a5a", "v--"),
    "ours race-eager {}": ("crabgrad, eager", "#e07b39", "o:"),
    "numpy race {}": ("NumPy by hand", "#9fb3c8", "^--"),
    "ours race-python {}": ("crabgrad, TrainStep on NumPy", "#e07b39", "o--"),
    "jax race {}": ("JAX, lax.scan", "#3d6b99", "s-"),
    "ours race {}": ("crabgrad, TrainStep", "#e07b39", "o-"),
    "C race {}": ("C by hand", "#444444", "d-"),
}
ABOUT = """# The race: training a one-layer GPT on names

Time per name (a sample) on one thread, at three widths of the network. The last column has the GFLOP/s at these widths,
of the products with weights at positions that are not padding; its heading has the core's peak. Measured by
`python -m benchmarks --race-chart`, see [benchmarks](../benchmarks/README.md)."""


def seconds(n: int, peers: str, rounds: int) -> dict[str, list[float]]:
    """A sample's time at each width by each racer, by those on single numbers at the smallest width and batch."""
    times: dict[str, list[float]] = {}
    for width in WIDTHS:
        alone = n == 1 and width == WIDTHS[0]
        here = [name for name, (*_, style) in RACERS.items() if style != "x" or alone]
        taken = medians([name.format(f"{width} {n} {DTYPE}") for name in here], peers, rounds)
        for name, time in zip(here, taken):
            times.setdefault(name, []).append(time)
    return times


def report(n: int, times: dict[str, list[float]], peak: float) -> str:
    """The table: a sample's time, and operations a second beside what the core can do."""
    columns = [f"batch {n}, {DTYPE}", *(f"width {width}" for width in WIDTHS), f"GFLOP/s of {peak / 1e9:.0f}"]
    speeds = {
        name: ", ".join(f"{operations(width, n) / time / 1e9:.3g}" for width, time in zip(WIDTHS, row))
        for name, row in times.items()
    }
    rows = ([RACERS[name][0], *row, *[""] * (len(WIDTHS) - len(row)), speeds[name]] for name, row in times.items())
    return table(columns, rows)


def draw_lines(axes: Axes, n: int, times: dict[str, list[float]], peak: float) -> None:
    """Everyone's line, and the time in which the core could do the products with weights if it did nothing else."""
    for name, row in times.items():
        label, color, style = RACERS[name]
        axes.loglog(WIDTHS[: len(row)], row, style, color=color, label=label, markersize=5, linewidth=1.2)
    limit = [operations(width, n) / peak for width in WIDTHS]
    axes.loglog(WIDTHS, limit, "-", color="#cccccc", linewidth=3, zorder=0, label="the core's peak")
    axes.set_title(f"batch {n}", fontsize=10)
    axes.set_xticks(WIDTHS, WIDTHS)
    axes.minorticks_off()
    axes.set_xlabel("width", fontsize=8)
    axes.set_yticks(ticks := [10.0**k for k in range(-6, 1)], [text(tick) for tick in ticks])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.tick_params(labelsize=8)


def draw_race(path: str, peers: str, rounds: int) -> None:
    """Measure every racer that is installed at batch 16 and 1, draw the lines, and write the tables beside them."""
    peak = 1 / medians([f"C peak {DTYPE}"], peers, rounds)[0]
    figure, tables = Figure(figsize=(9, 4.6), layout="constrained"), []
    panels = figure.subplots(1, 2, sharey=True)
    for axes, n in zip(panels, (16, 1)):
        times = seconds(n, peers, rounds)
        tables.append(report(n, times, peak))
        draw_lines(axes, n, times, peak)
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside right center", fontsize=8, frameon=False)
    figure.suptitle("Training a one-layer GPT on names: time a sample, one thread, float32 (logarithmic)", fontsize=10)
    write(path, figure, ABOUT, tables)
