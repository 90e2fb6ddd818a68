"""A GPT on single numbers: the algorithm of Karpathy's microgpt (2026), every weight a Value, and nothing but Python.

    python demos/microgpt.py

demos/gpt.py is the same on arrays, which takes a second where this takes a minute. Ctrl-C ends the training; names are
invented with what was learned so far, and the exit status is 130.
"""

import stopping

if __name__ == "__main__":
    stopping.at_once()

import gc
from collections.abc import Sequence
from operator import add, mul

import numpy as np

from autograd import Value, no_grad
from gpt_pictures import draw_loss
from names_data import BOS, LETTERS, SYMBOLS, decode, load, summary
from options import described, finish, parsed, positive_int, progress, seed

WIDTH, HEADS, PLACES = 16, 4, 16
Vector = list[Value]
Weights = dict[str, list[Vector]]


def initial(rng: np.random.Generator) -> Weights:
    """Weights by name: a vector for each token, for each place, and for each number that a layer gives."""
    square = (WIDTH, WIDTH)
    shapes = {"tokens": (SYMBOLS, WIDTH), "places": (PLACES, WIDTH)}
    shapes |= {"queries": square, "keys": square, "values": square, "out": square}
    shapes |= {"up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH), "head": (SYMBOLS, WIDTH)}
    return {
        name: [[Value(w) for w in row] for row in rng.normal(0, 0.08, shape).tolist()] for name, shape in shapes.items()
    }


def dot(x: Vector, y: Vector) -> Value:
    """The sum of products."""
    return sum(map(mul, x, y))


def plus(x: Vector, y: Vector) -> Vector:
    """Number by number."""
    return list(map(add, x, y))


def linear(x: Vector, weights: list[Vector]) -> Vector:
    """A matrix times x."""
    return [dot(row, x) for row in weights]


def normed(x: Vector) -> Vector:
    """x divided by the root of its mean square."""
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(x: Vector) -> Vector:
    """Shares that add up to 1."""
    most = max(xi.data for xi in x)
    powers = [(xi - most).exp() for xi in x]
    total = sum(powers)
    return [power / total for power in powers]


def attention(x: Vector, weights: Weights, keys: list[Vector], values: list[Vector]) -> Vector:
    """What each head finds at the places so far, this one included, in the shares that its query and keys say."""
    query = linear(x, weights["queries"])
    keys.append(linear(x, weights["keys"]))
    values.append(linear(x, weights["values"]))
    found: Vector = []
    size = WIDTH // HEADS
    for head in (slice(i, i + size) for i in range(0, WIDTH, size)):
        shares = softmax([dot(query[head], key[head]) / size**0.5 for key in keys])
        found += [dot(shares, list(column)) for column in zip(*(value[head] for value in values))]
    return linear(found, weights["out"])


def gpt(token: int, place: int, weights: Weights, keys: list[Vector], values: list[Vector]) -> Vector:
    """Logits of what follows this token; keys and values, of the tokens before it, get one more."""
    x = normed(plus(weights["tokens"][token], weights["places"][place]))
    x = plus(x, attention(normed(x), weights, keys, values))
    hidden = [number.relu() for number in linear(normed(x), weights["up"])]
    return linear(plus(x, linear(hidden, weights["down"])), weights["head"])


def loss_of(tokens: Sequence[int], weights: Weights) -> Value:
    """The mean over the tokens of minus the logarithm of the probability of the next one."""
    keys, values, losses = [], [], []
    for place, (token, following) in enumerate(zip(tokens, tokens[1:])):
        shares = softmax(gpt(token, place, weights, keys, values))
        losses.append(-shares[following].log())
    return sum(losses) / len(losses)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), with the learning rate given at each step."""

    def __init__(self, parameters: Vector, betas: tuple[float, float] = (0.85, 0.99), eps: float = 1e-8):
        self.parameters, self.betas, self.eps, self.steps = parameters, betas, eps, 0
        self.means, self.squares = [0.0] * len(parameters), [0.0] * len(parameters)

    def step(self, rate: float) -> None:
        """Change each parameter by its gradient, and forget that."""
        self.steps += 1
        first, second = self.betas
        for i, p in enumerate(self.parameters):
            self.means[i] = first * self.means[i] + (1 - first) * p.grad
            self.squares[i] = second * self.squares[i] + (1 - second) * p.grad**2
            mean = self.means[i] / (1 - first**self.steps)
            square = self.squares[i] / (1 - second**self.steps)
            p.data -= rate * mean / (square**0.5 + self.eps)
            p.grad = 0.0


def tokens_of(name: str) -> list[int]:
    """A name's letters between two BOS."""
    return [BOS, *map(LETTERS.index, name), BOS]


def train(weights: Weights, names: list[str], steps: int, quiet: bool) -> list[float]:
    """A step for each name, the rate falling from 0.01 to 0, to the end or to an interruption; the loss of each."""
    optimizer = Adam([number for vectors in weights.values() for vector in vectors for number in vector])
    losses = []
    with stopping.deferred() as stopped:
        for step, say in progress(0, steps, 1, quiet):
            loss = loss_of(tokens_of(names[step.start % len(names)]), weights)
            loss.backward()
            optimizer.step(0.01 * (1 - step.start / steps))
            losses.append(loss.data)
            say(f"loss {loss.data:.4f}")
            if stopped:
                break
    return losses


@no_grad()
def invent(weights: Weights, rng: np.random.Generator, temperature: float = 0.5) -> str:
    """A name, letter by letter, each letter drawn by its probability; the lower the temperature, the likelier."""
    keys, values, tokens = [], [], [BOS]
    for place in range(PLACES):
        logits = gpt(tokens[-1], place, weights, keys, values)
        shares = softmax([logit / temperature for logit in logits])
        tokens.append(int(rng.choice(SYMBOLS, p=[share.data for share in shares])))
        if tokens[-1] == BOS:
            break
    return decode(np.array(tokens[1:]))


def main(arguments: Sequence[str] | None = None) -> int:
    """The demo; its exit status."""
    about = "Train a GPT of single numbers on first names, and let it invent others."
    parser = described("microgpt", about, quiet="print the names and the summary only")
    parser.add_argument("--steps", type=positive_int, default=1000, help="of Adam, a name each")
    parser.add_argument("--sample", type=positive_int, default=20, help="names to invent", metavar="COUNT")
    parser.add_argument("--seed", type=seed, default=1, help="of the weights, the order and the names")
    options = parsed(parser, arguments, "names")
    rng = np.random.default_rng(options.seed)
    names, weights = load(rng), initial(rng)
    gc.disable()  # it looks for cycles, which graphs do not have
    losses = train(weights, names, options.steps, options.quiet)
    invented = [invent(weights, rng) for _ in range(options.sample)]
    stopped, picture = len(losses) < options.steps, options.out / "loss.png"
    facts = {"steps": f"{len(losses):,}{' (stopped)' if stopped else ''}"}
    facts["loss"] = f"{np.mean(losses[-100:]):.4f} in the last {min(100, len(losses))} steps"
    lines = [summary(invented, names, facts | {"picture": picture})]
    return finish(picture, lambda path: draw_loss(path, np.array(losses), SYMBOLS), lines) or 130 * stopped


if __name__ == "__main__":
    stopping.run(main)
