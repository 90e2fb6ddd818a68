"""The command; see __init__.py."""

import argparse
import faulthandler
import sys

from . import __doc__ as about
from .running import run

if __name__ == "__main__":
    faulthandler.enable()
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=10**9)
    given = parser.parse_args()
    ran, discarded, failures = run(given.seed, given.seconds, given.first, given.most, steps=given.steps)
    print(f"{ran} programs ran, {discarded} were discarded, {len(failures)} kinds of failures")
    sys.exit(bool(failures))
