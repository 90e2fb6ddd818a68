"""micrograd's network on Value: every weight a number, every neuron a line of arithmetic."""

from collections.abc import Sequence
from typing import Any

from autograd import Value

from .init import generator
from .layers import positive


class _Parts:
    """What has parameters."""

    def parameters(self) -> list[Value]:
        """Every weight and bias."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters():
            parameter.grad = None


class Neuron(_Parts):
    """The weighted sum of `nin` inputs plus a bias, through a ReLU if `nonlin`; ValueError for another count of inputs.

    Weights are uniform in [-1, 1) from `rng`, a seed or a numpy.random.Generator; the bias begins as 0.
    """

    def __init__(self, nin: int, nonlin: bool = True, rng: Any = 0):
        rng = generator(rng)
        self.w = [Value(w) for w in rng.uniform(-1, 1, positive("nin", nin))]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x: Sequence) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"{self!r} has {len(self.w)} weights, the input has {len(x)} numbers")
        activation = self.b
        for w, xi in zip(self.w, x):
            activation = activation + w * xi
        return activation.relu() if self.nonlin else activation

    def parameters(self) -> list[Value]:
        """Every weight and bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(_Parts):
    """`nout` neurons with the same inputs; a single one gives a Value instead of a list."""

    def __init__(self, nin: int, nout: int, rng: Any = 0, **options: Any):
        rng = generator(rng)
        self.neurons = [Neuron(nin, rng=rng, **options) for _ in range(positive("nout", nout))]

    def __call__(self, x: Sequence) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """Every weight and bias."""
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(_Parts):
    """Layers of these sizes, a ReLU after each but the last; of a list of `nin` numbers or Values."""

    def __init__(self, nin: int, nouts: Sequence[int], rng: Any = 0):
        rng = generator(rng)
        sizes = [nin, *nouts]
        self.layers = [Layer(a, b, rng, nonlin=i < len(nouts) - 1) for i, (a, b) in enumerate(zip(sizes, sizes[1:]))]

    def __call__(self, x: Any) -> Any:
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 or isinstance(x, list) else [x])
        return x

    def parameters(self) -> list[Value]:
        """Every weight and bias."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
