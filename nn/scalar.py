"""micrograd's network on Value: every weight a number, every neuron a line of arithmetic.

Weights are drawn from `rng`, a seed or a numpy.random.Generator. Without one, all come from a generator that is kept
here: each neuron has others, and a program the same each time it runs.
"""

from collections.abc import Sequence
from typing import Any

from autograd import Value
from autograd.tree import flatten

from .arguments import generator, positive, sizes

KEPT = generator(0)


class Module:
    """What has parameters."""

    def parameters(self) -> list[Value]:
        """Every weight and bias that it holds, in lists or in modules."""
        parts = [x.parameters() if isinstance(x, Module) else x for x in flatten([*vars(self).values()])]
        return [x for x in flatten(parts) if isinstance(x, Value)]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(Module):
    """The weighted sum of `nin` inputs plus a bias, through a ReLU if `nonlin`; ValueError for another count of inputs.

    Weights are uniform in [-1, 1); the bias begins as 0.
    """

    def __init__(self, nin: int, nonlin: bool = True, rng: Any = KEPT):
        self.w = [Value(w) for w in generator(rng).uniform(-1, 1, positive("nin", nin))]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x: Sequence) -> Value:
        if not hasattr(x, "__len__"):
            raise TypeError(f"{self!r} takes a list of {len(self.w)} numbers or Values, not {x!r}")
        if len(x) != len(self.w):
            raise ValueError(f"{self!r} has {len(self.w)} weights, the input has {len(x)} numbers")
        activation = self.b
        for w, xi in zip(self.w, x):
            activation = activation + w * xi
        return activation.relu() if self.nonlin else activation

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons with the same inputs; a single one gives a Value instead of a list."""

    def __init__(self, nin: int, nout: int, rng: Any = KEPT, **options: Any):
        rng = generator(rng)
        self.neurons = [Neuron(nin, rng=rng, **options) for _ in range(positive("nout", nout))]

    def __call__(self, x: Sequence) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers of these sizes, a ReLU after each but the last; of a list of `nin` numbers or Values."""

    def __init__(self, nin: int, nouts: Sequence[int], rng: Any = KEPT):
        rng, counts = generator(rng), [nin, *sizes("nouts", "a size in nouts", nouts)]
        last = len(counts) - 2
        self.layers = [Layer(a, b, rng, nonlin=i < last) for i, (a, b) in enumerate(zip(counts, counts[1:]))]

    def __call__(self, x: Any) -> Any:
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 or isinstance(x, list) else [x])
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
