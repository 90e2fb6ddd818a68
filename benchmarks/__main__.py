"""Speed, as ratios within one run: `python -m benchmarks [--peers PYTHON]`; see benchmarks/README.md."""

import argparse
import itertools
import shutil
import statistics
import sys

from .contenders import NAMES, measure
from .rows import ROWS, Row
from .task import text

COLUMNS = {"work": 42, "crabgrad": 9, "against": 19, "time": 9, "ratio": 16, "target": 12, "reached": 10}


def cells(row: Row, times: dict[str, list[float]], errors: dict[str, str]) -> list[str]:
    """A row of the table: medians, and the median of the ratios within a turn."""
    kind, _, work = row.peer.partition(" ")
    peer = work if kind == "ours" else NAMES.get(kind, row.peer)
    if row.ours in errors:
        return [row.title, "", peer, "", errors[row.ours], row.target, ""]
    ours, ratio, theirs, shown = statistics.median(times[row.ours]), None, "", errors.get(row.peer, "")
    if row.peer and not shown:
        ratio = statistics.median(b / a for a, b in zip(times[row.ours], times[row.peer]))
        theirs = text(statistics.median(times[row.peer]))
        shown = f"{float(f'{ratio:.3g}'):,g} x faster" if row.target[:1] == ">" else f"{1 / ratio:.2f} x its time"
    factor = row.factor(ours, ratio)
    verdict = "" if factor is None else "yes" if factor <= 1 else f"no, {factor:.2f} x"
    taken = f"{ours:.0f} bytes" if row.target.endswith("bytes") else text(ours)
    return [row.title, taken, peer, theirs, shown, row.target, verdict]


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
    parser.add_argument("--chart", metavar="PATH", help="instead of the table, draw the times of an update step")
    parser.add_argument("--race-chart", metavar="PATH", help="instead of the table, draw the race")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} is no positive number of turns")
    if not shutil.which(options.peers):
        parser.error(f"--peers {options.peers} is no program")
    if not chosen(options.only):
        parser.error(f"--only {options.only} is in no row's title or peer; benchmarks/rows.py has them")
    return options


def chosen(only: str) -> list[Row]:
    """The rows with this text in their title or peer."""
    return [row for row in ROWS if only in f"{row.title} {row.peer}"]


def main() -> int:
    """Measure and print a table in Markdown, row by row; or draw a chart, and write its numbers beside it as .md."""
    options = parse()
    if options.chart:
        from .chart import draw_chart

        draw_chart(options.chart, options.peers, options.rounds)
        return 0

    if options.race_chart:
        from .race_chart import draw_race

        draw_race(options.race_chart, options.peers, options.rounds)
        return 0

    def show(row: list[str]) -> None:
        print(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, COLUMNS.values()))} |", flush=True)

    show(list(COLUMNS))
    show(["-" * width for width in COLUMNS.values()])
    for ours, group in itertools.groupby(chosen(options.only), lambda row: row.ours):
        rows = list(group)
        measured = measure([ours, *(row.peer for row in rows if row.peer)], options.peers, options.rounds)
        for row in rows:
            show(cells(row, *measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
