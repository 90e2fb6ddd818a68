"""BatchNorm follows its batches once each: by hand, compiled, inside a checkpoint, and as PyTorch's does."""

import numpy as np
import pytest

import nn
from autograd import Tensor, TracingError, check_gradients, checkpoint, jit

from .layers import normed, on_parameters


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 2, 2)])
def test_batch_norm_in_training_is_pytorchs(shape):
    torch = pytest.importorskip("torch")
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    ours, theirs = nn.BatchNorm(3, 1e-3, 0.3), kind(3, 1e-3, 0.3).double()
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, weight = rng.normal(size=shape), rng.normal(size=shape)
        a, b = Tensor(x), torch.tensor(x, requires_grad=True)
        (ours(a) * weight).sum().backward()
        (theirs(b) * torch.tensor(weight)).sum().backward()
        np.testing.assert_allclose(a.grad, b.grad.numpy(), 1e-9, 1e-12)
    np.testing.assert_allclose(ours.mean, theirs.running_mean.numpy(), 1e-12)
    np.testing.assert_allclose(ours.var, theirs.running_var.numpy(), 1e-12)
    np.testing.assert_allclose(ours.eval()(x).data, theirs.eval()(b).detach().numpy(), 1e-11)


def test_batch_norm_follows_its_batches():
    rng, mean, var = np.random.default_rng(0), np.zeros(3), np.ones(3)
    layer, of_images = nn.BatchNorm(3), nn.BatchNorm(3)
    for _ in range(3):
        x = rng.normal(2.0, 3.0, size=(8, 3))
        mean, var = 0.9 * mean + 0.1 * x.mean(0), 0.9 * var + 0.1 * x.var(0, ddof=1)
        np.testing.assert_allclose(layer(Tensor(x)).data, normed(x, 0), 1e-10)
        images = x.reshape(2, 4, 1, 3).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(of_images(images).data, normed(images, (0, 2, 3)), 1e-10)
    for norm in (layer, of_images):
        assert type(norm.mean) is type(norm.var) is np.ndarray
        np.testing.assert_allclose([norm.mean, norm.var], [mean, var], 1e-12)
    before = layer.eval().state_dict()
    np.testing.assert_allclose(layer(x).data, (x - mean) / np.sqrt(var + 1e-5), 1e-10)
    assert (
        all((before[k] == a).all() for k, a in layer.state_dict().items())
        and [*before] == "weight bias mean var".split()
    )
    function, parameters = on_parameters(nn.BatchNorm(3))
    check_gradients(function, x, *parameters)
    single = nn.BatchNorm(3, dtype="f4")
    assert single(Tensor(x)).dtype == "f8" and single.mean.dtype == single.var.dtype == "f4"


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_batch_norm_is_trained_by_a_compiled_step(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    models = [nn.Sequential(nn.Linear(3, 3, 0, dtype="f4"), nn.BatchNorm(3, dtype="f4")) for _ in range(2)]
    ours, theirs = (nn.SGD(model.parameters(), 0.1) for model in models)
    xs = np.random.default_rng(0).normal(size=(3, 4, 3)).astype("f4")
    nn.TrainStep(models[0], nn.MSE(), ours, backend).run(xs, xs)
    for x in xs:
        loss = nn.MSE()(models[1](x), x)
        theirs.zero_grad()
        loss.backward()
        theirs.step()
    for found, expected in zip(models[0].state_dict().values(), models[1].state_dict().values()):
        assert found.dtype == expected.dtype == "f4"
        np.testing.assert_allclose(found, expected, 1e-5, 1e-6)


def test_batch_norm_follows_once_a_batch_that_a_checkpoint_runs_twice():
    x, results = Tensor(np.random.default_rng(0).normal(size=(4, 3))), []
    for run in (lambda layer: layer, checkpoint, lambda layer: checkpoint(checkpoint(layer))):
        layer, x.grad = nn.BatchNorm(3), None
        (run(layer)(x) ** 3).sum().backward()
        layer(x)
        results.append(np.concatenate([layer.mean, layer.var, x.grad.ravel()]))
    np.testing.assert_allclose(results[1], results[0], 1e-12)
    np.testing.assert_allclose(results[2], results[0], 1e-12)


def test_batch_norm_in_training_is_not_jitted_alone():
    layer = nn.BatchNorm(3)
    with pytest.raises(TracingError, match=r"BatchNorm\.mean was assigned to inside jit: .* put the model into eval"):
        jit(layer)(np.ones((2, 3)))
    assert type(layer.mean) is np.ndarray
