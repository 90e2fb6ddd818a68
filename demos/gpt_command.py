"""The GPT demo's command line."""

import argparse
from collections.abc import Sequence

from options import described, parsed, positive_float, positive_int, seed

HEADS = 4


def width_of_heads(text: str) -> int:
    """A positive integer that the heads can share."""
    if (width := positive_int(text)) % HEADS:
        raise argparse.ArgumentTypeError(f"{text} is not a multiple of {HEADS}, the number of heads")
    return width


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, and the directory that it names; a value that makes no sense is one line and status 2."""
    description = "Train a small GPT on first names, and let it invent others."
    parser = described("gpt", description, "print the names and the summary only")
    parser.add_argument("--width", type=width_of_heads, default=16, help=f"a multiple of {HEADS}, the number of heads")
    parser.add_argument("--layers", type=positive_int, default=1, help="of attention and network")
    parser.add_argument("--batch-size", type=positive_int, default=16, help="rows in each step")
    packed = "as many names in a row as have room"
    parser.add_argument("--packed", action=argparse.BooleanOptionalAction, default=True, help=packed)
    parser.add_argument("--steps", type=positive_int, default=5000, help="of Adam, its rate falling from 0.01 to 0")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="of the weights")
    parser.add_argument("--sample", type=positive_int, default=20, help="names to invent", metavar="COUNT")
    parser.add_argument("--temperature", type=positive_float, default=0.5, help="below 1: likelier names")
    parser.add_argument("--seed", type=seed, default=0, help="of the weights, the order and the names")
    return parsed(parser, arguments, "names")
