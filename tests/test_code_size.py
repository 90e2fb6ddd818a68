"""Machine code is no longer than its program, and so is the time that it takes to make it."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import nn
from autograd import jit

RNG = np.random.default_rng(0)


class Residual(nn.Module):
    """x + layer(normed x), a block that deep networks repeat."""

    def __init__(self, width):
        self.norm, self.layer = nn.LayerNorm(width), nn.Linear(width, width, rng=RNG)

    def forward(self, x):
        return x + self.layer(self.norm(x))


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The bytes of machine code that were made since."""
    monkeypatch.setenv("CRABGRAD_CACHE", str(tmp_path))
    return lambda: sum(file.stat().st_size for file in tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 64), (2, 9, 64)])
@pytest.mark.parametrize("layer", [nn.GELU(), nn.Tanh(), np.sin], ids=["GELU", "Tanh", "sin"])
def test_loops_that_call_functions_are_not_unrolled(layer, shape, dtype, code):
    x, bias = (RNG.normal(size=s).astype(dtype) for s in (shape, 64))
    np.testing.assert_allclose(jit(lambda x: layer(x + bias), backend="llvm")(x), layer(x + bias), 1e-5, 1e-6)
    assert code() < 10_000


def test_equal_layers_share_their_code(code):
    model = nn.Sequential(*(Residual(16) for _ in range(12)))
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), lr=0.01), backend="llvm")
    x = np.ones((2, 9, 16))
    step(x, x)
    assert code() < 50_000
