"""Command line values that the demos share: a wrong one is one clear line and exit status 2."""

import argparse
import math
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from autograd.files import write_whole


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaint is a single line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def positive_int(text: str) -> int:
    """An integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def positive_float(text: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def seed(text: str) -> int:
    """An integer of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 0")
    return int(text)


def require_extras(parser: argparse.ArgumentParser) -> None:
    """End with one line if what draws pictures and bars is not installed."""
    try:
        import matplotlib
        import tqdm  # noqa: F401
    except ImportError as error:
        parser.error(f'{error.name} is not installed: pip install -e ".[demo]"')
    matplotlib.use("Agg")


def write_figure(figure: Any, path: Any) -> None:
    """Write a matplotlib figure whole or not at all."""
    import io

    from matplotlib import pyplot

    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    pyplot.close(figure)
    write_whole(path, content.getvalue())


def progress(start: int, end: int, step: int, quiet: bool) -> Iterator[tuple[range, Any]]:
    """Ranges of at most `step`, with a function that shows a text: beside a tqdm bar in a terminal, else lines."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    lines = max(step, (end - start) // 10)
    shown = start
    with tqdm(total=end, initial=start, unit="it", disable=quiet or not terminal) as bar:
        for first in range(start, end, step):
            part = range(first, min(first + step, end))
            said: list[str] = []
            yield part, said.append
            bar.update(len(part))
            bar.set_postfix_str("".join(said), refresh=False)
            if not (quiet or terminal) and (part.stop - shown >= lines or part.stop == end):
                print(f"{part.stop:>9,} of {end:,}  {''.join(said)}", flush=True)
                shown = part.stop
