"""What the demos share: command line values, progress, and files; what is wrong is one clear line."""

import argparse
import importlib.util
import math
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from autograd.files import write_whole


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaint is a single line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


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


def described(name: str, description: str, quiet: str = "print the summary only") -> Parser:
    """A parser for a demo with a picture: --out and --quiet, and help that says the defaults."""
    parser = Parser(prog=f"{name}.py", description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    out = pathlib.Path("runs", name)
    parser.add_argument("--out", type=pathlib.Path, default=out, metavar="DIR", help="where the pictures go")
    parser.add_argument("--quiet", action="store_true", help=quiet)
    return parser


def parsed(parser: Parser, arguments: Sequence[str] | None, *more: str) -> argparse.Namespace:
    """The command line, its --out made; what is wrong with it, or not installed, is one line and status 2."""
    options = parser.parse_args(arguments)
    require_extras(parser, *more)
    make(parser, options.out)
    return options


def make(parser: argparse.ArgumentParser, out: pathlib.Path) -> None:
    """Make the directory that --out names; end with one line if files cannot be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()  # better said now than after the work
    except OSError as error:
        parser.error(f"--out {out} is no directory to write to: {error.strerror}")


def require_extras(parser: argparse.ArgumentParser, *more: str) -> None:
    """End with one line if what draws pictures and bars, or is named besides, is not installed."""
    try:
        import matplotlib  # noqa: F401
        import tqdm  # noqa: F401

        for module in more:
            if importlib.util.find_spec(module) is None:  # to import it may take a second
                raise ImportError(name=module)
    except ImportError as error:
        parser.error(f'{error.name} is not installed: pip install -e ".[demo]"')
    except OSError as error:  # matplotlib has no place for its cache
        parser.error(str(error))
    except ValueError as error:  # a notebook's shell sets it for a matplotlib that has more
        parser.error(f"matplotlib does not know the backend in the environment, unset MPLBACKEND: {error}")


def tell(text: str) -> str:
    """Print a line; nothing, or why that failed: a full disk or a closed pipe is no reason to lose the work."""
    try:
        print(text, flush=True)
    except OSError as error:
        return f"not printed: {error.strerror}"
    return ""


def complain(*texts: str) -> bool:
    """Print what there is to say as a line on stderr, above the bar if there is one; whether there was something."""
    from tqdm import tqdm

    line = "; ".join(filter(None, texts))
    with suppress(OSError):
        if line:
            tqdm.write(line, file=sys.stderr)
    return bool(line)


def write_each(directory: pathlib.Path, writers: dict[str, Callable[[pathlib.Path], Any]]) -> str:
    """Write every file that can be written; which were not and why, in a line, or nothing."""
    failed: dict[str, str] = {}
    for name, write in writers.items():
        try:
            write(directory / name)
        except OSError as error:
            failed[name] = error.strerror or str(error)
    why = ", ".join(dict.fromkeys(failed.values()))
    return f"not written to {directory}: {', '.join(failed)} ({why})" if failed else ""


def finish(path: pathlib.Path, draw: Callable[[pathlib.Path], Any], lines: Sequence[str]) -> int:
    """Draw the picture and print the lines; the exit status: 1, after a line that says why, if something went wrong."""
    missing = write_each(path.parent, {path.name: draw})
    return int(complain(missing, tell("\n".join(lines)) if lines else ""))


def write_figure(figure: Any, path: Any) -> None:
    """Write a matplotlib figure whole or not at all."""
    import io

    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=200)
    write_whole(path, content.getvalue())


def progress(start: int, end: int, step: int, quiet: bool) -> Iterator[tuple[range, Any]]:
    """Ranges of at most `step`, with a function that shows a text: beside tqdm's bar if it is seen, else lines."""
    from tqdm.auto import tqdm  # in a notebook its own bar

    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    lines = max(step, (end - start) // 10)
    shown = start
    with tqdm(total=end, initial=start, unit="it", disable=quiet or not seen) as bar:
        for first in range(start, end, step):
            part = range(first, min(first + step, end))
            said: list[str] = []
            yield part, said.append
            bar.update(len(part))
            bar.set_postfix_str("".join(said), refresh=False)
            if not (quiet or seen) and (part.stop - shown >= lines or part.stop == end):
                tell(f"{part.stop:>9,} of {end:,}  {''.join(said)}")
                shown = part.stop
