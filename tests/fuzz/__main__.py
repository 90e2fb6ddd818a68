"""The command; see __init__.py."""

import argparse
import contextlib
import faulthandler
import sys
import warnings
from collections.abc import Mapping
from functools import partial
from types import ModuleType

from . import __doc__ as about
from . import texts
from .calls import comparing
from .calls.drawing import EXPRESSIONS, NAMES, call
from .hunting import Hunt, Maker
from .peers.comparing import installed
from .programs.running import run


def _programs(given: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack, warnings.catch_warnings(action="ignore"):
        peers = [stack.enter_context(peer) for peer in installed(given.peers)]
        ran, discarded, failures = run(given.seed, given.seconds, given.first, given.most, given.steps, peers)
    print(f"{ran} programs ran, {discarded} were discarded, {len(failures)} kinds of failures")
    for peer in peers:
        print(f"{peer.name}: {peer.compared} were compared, {peer.corners} results left out at corners; not compared:")
        print("".join(f"    {count} {why}\n" for why, count in peer.refused.most_common(given.why)), end="")
    return len(failures)


def _calls(given: argparse.Namespace) -> int:
    return _hunt(
        given, "calls were compared", comparing, {name: partial(call, name) for name in [*NAMES, *EXPRESSIONS]}
    )


def _texts(given: argparse.Namespace) -> int:
    return _hunt(given, "texts were given", texts, texts.MAKERS)


def _hunt(given: argparse.Namespace, what: str, home: ModuleType, makers: Mapping[str, Maker]) -> int:
    hunt = Hunt(home.difference, home.sort_of, given.seed, f"python -m tests.fuzz {given.mode}")
    makers = {name: make for name, make in makers.items() if given.only in ("", name)}
    hunt.run(makers, given.seconds, given.first, given.most)
    print(f"{hunt.tried} {what}, {len(hunt.failures)} kinds of failures")
    return len(hunt.failures)


MODES = {"programs": _programs, "calls": _calls, "texts": _texts}

if __name__ == "__main__":
    faulthandler.enable()
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("mode", choices=MODES, nargs="?", default="programs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12, help="lines of a program, at most")
    parser.add_argument("--first", type=int, default=0, help="number of the first example")
    parser.add_argument("--most", type=int, default=10**9, help="how many examples, of each function or kind")
    parser.add_argument("--peers", default=sys.executable, help="a Python that may have JAX and PyTorch")
    parser.add_argument("--why", type=int, default=5, help="how many reasons why a peer did not run programs")
    parser.add_argument("--only", default="", help="the function to call, or the kind of texts")
    given = parser.parse_args()
    sys.exit(bool(MODES[given.mode](given)))
