"""The race by JAX and PyTorch; a script for their interpreter."""

from collections.abc import Callable
from functools import partial

import numpy as np
import race
import race_numpy
from peers import Jax, torch_on_one_thread


def jax_race(width: int, n: int, dtype: str) -> Callable:
    """All updates in lax.scan, with packed rows, which take two thirds of the time of padded ones."""
    names, (first, second) = Jax(), race.BETAS
    parameters, tree = race.weights(width, dtype), names.jax.tree.map
    zeros = tree(np.zeros_like, parameters)

    def loss(parameters, x, y):
        return race.entropy(names, race.gpt(names, parameters, x), y)

    def update(carry, batch):
        parameters, means, squares, step = carry
        value, gradients = names.jax.value_and_grad(loss)(parameters, *batch)
        means = tree(lambda m, g: first * m + (1 - first) * g, means, gradients)
        squares = tree(lambda s, g: second * s + (1 - second) * g * g, squares, gradients)
        rate, root = race.rate(step) / (1 - first**step), (1 - second**step) ** -0.5
        move = lambda p, m, s: p - rate * m / (names.sqrt(s) * root + race.TINY)
        return (tree(move, parameters, means, squares), means, squares, step + 1), value

    start, stretches = names.jax.device_put(((parameters, zeros, zeros, np.array(1, dtype)), race.stretches(n)))
    program = names.jax.jit(partial(names.scan, update))

    def work() -> np.ndarray:
        carry, losses = start, []
        for stretch in stretches:
            carry, found = program(carry, stretch)
            losses.append(found)
        return np.concatenate(losses)

    work.count = race.UPDATES * n
    return work


def torch_race(compiled: bool, width: int, n: int, dtype: str) -> Callable:
    """PyTorch by its own functions, fused attention and Adam among them; where it is eager, without padding."""
    torch = torch_on_one_thread()
    functional, arrays = torch.nn.functional, race.weights(width, dtype)
    data = list(zip(*race.packed(n))) if compiled else race.trimmed(n)
    batches = [tuple(map(torch.from_numpy, (*map(np.array, race.parts(x)), y.reshape(-1)))) for x, y in data]
    parameters = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]

    def loss_of(symbols, places, seen, labels):
        embedding, placing, wq, wk, wv, wo, w1, w2, out = parameters
        x = functional.rms_norm(embedding[symbols] + placing[places], (width,), eps=race.EPS)
        h = functional.rms_norm(x, (width,), eps=race.EPS)
        q, k, v = ((h @ w).unflatten(-1, (race.HEADS, -1)).transpose(1, 2) for w in (wq, wk, wv))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + mixed.transpose(1, 2).flatten(-2) @ wo
        x = x + torch.relu(functional.rms_norm(x, (width,), eps=race.EPS) @ w1) @ w2
        return functional.cross_entropy((x @ out).flatten(0, 1), labels, ignore_index=-1)

    loss_of = torch.compile(loss_of) if compiled else loss_of

    def work() -> list[float]:
        with torch.no_grad():
            for p, a in zip(parameters, arrays):
                p.copy_(torch.from_numpy(a))
        optimizer = torch.optim.Adam(parameters, race.RATE, race.BETAS, race.TINY, fused=True)
        losses = []
        for step, batch in enumerate(batches, 1):
            optimizer.param_groups[0]["lr"] = race.rate(step)
            optimizer.zero_grad()
            loss = loss_of(*batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    work.count = len(batches) * n
    return work


WORKS = {
    "jax race": jax_race,
    "torch race": partial(torch_race, False),
    "torch.compile race": partial(torch_race, True),
}

if __name__ == "__main__":
    race_numpy.serve(WORKS)
