"""Speed, as ratios within one run: `python -m benchmarks [--peers PYTHON]`; see benchmarks/README.md."""

import argparse
import statistics
import sys

from .contenders import NAMES, Contender
from .rows import ROWS, Row
from .task import text

COLUMNS = {"work": 38, "crabgrad": 9, "against": 19, "time": 9, "ratio": 16, "target": 12, "reached": 10}


def measure(row: Row, peers: str, rounds: int) -> tuple[float, float, float]:
    """Medians of our time, of theirs (ours where there is no peer), and of the ratio theirs / ours within a round."""
    contenders = [Contender(name, peers) for name in (row.ours, row.peer) if name]
    try:
        turns = [[one.seconds() for one in contenders] for _ in range(rounds)]
    finally:
        for one in contenders:
            one.close()
    return (*(statistics.median(t[i] for t in turns) for i in (0, -1)), statistics.median(t[-1] / t[0] for t in turns))


def cells(row: Row, peers: str, rounds: int) -> list[str]:
    """A row of the table, measured."""
    kind, _, work = row.peer.partition(" ")
    peer = work if kind == "ours" else NAMES.get(kind, row.peer)
    try:
        ours, theirs, ratio = measure(row, peers, rounds)
    except RuntimeError as error:
        return [row.title, "", peer, "", str(error), row.target, ""]
    unit = "bytes" if row.target.endswith("bytes") else ""
    found = [row.title, f"{ours:.0f} bytes" if unit else text(ours), peer, text(theirs) if peer else ""]
    by_them = f"{float(f'{ratio:.3g}'):,g} x faster" if row.target.startswith(">") else f"{1 / ratio:.2f} x its time"
    verdict = ""
    if row.target:
        factor = row.factor(ours, ratio)
        verdict = "yes" if factor <= 1 else f"no, {factor:.2f} x"
    return [*found, by_them if peer else "", row.target, verdict]


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
    return parser.parse_args()


def main() -> int:
    """Measure and print a table in Markdown, row by row."""
    options = parse()
    if options.chart:
        from .chart import draw_chart

        draw_chart(options.chart, options.peers, options.rounds)
        return 0

    def show(row: list[str]) -> None:
        print(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, COLUMNS.values()))} |", flush=True)

    show(list(COLUMNS))
    show(["-" * width for width in COLUMNS.values()])
    for row in ROWS:
        if options.only in f"{row.title} {row.peer}":
            show(cells(row, options.peers, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
