"""What users write, with types: it passes mypy --strict and pyright, and runs. See test_types.py."""

import pathlib
import tempfile
from typing import Any

import numpy
from numpy.typing import NDArray

import autograd.numpy as np
import nn
from autograd import (
    AnomalyError,
    Tensor,
    Value,
    check_gradients,
    checkpoint,
    define,
    detect_anomaly,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from nn import scalar

Array = NDArray[numpy.float64]
points: Array = numpy.linspace(-1.0, 1.0, 6).reshape(3, 2)


def of_values() -> Value:
    a, b = Value(2.0, name="a"), Value(-3)
    c: Value = (2 * a + b / 3 - 1) ** 2 + numpy.float64(0.5) * b.exp() - abs(-b).tanh().relu()
    c.backward()
    assert a.grad is not None and c > 0.5 and a != b
    quotient, rest = divmod(+c, 2.0)
    again: Value = 2 * quotient + rest
    slope: float = a.grad + again.data + float(c)
    return c.detach() + slope


def of_tensors() -> Tensor:
    x = Tensor(points)
    y: Tensor = 1.0 - points * x + x @ points.T[:, :2].T.T[:2] * 0.5 if x.ndim == 1 else (x + points) / 2 - x**2
    z = (points @ x.T).reshape(-1, 3).mean(axis=0) + y[0].sum() + y[:, 0] + [1.0, 2.0, 3.0]
    mask: NDArray[numpy.bool] = z > 0.0
    z.sum().backward()
    assert x.grad is not None and mask.any()
    moved: NDArray[Any] = x.data - 0.1 * x.grad
    rows = [row.exp() for row in Tensor(moved)]
    return np.stack(rows).transpose().mean() + np.where(mask, z, 0.0).sum() + np.linalg.norm(x)


def of_both() -> float:
    w, x = Value(0.5), Tensor(points)
    line: Tensor = points * w + (w - x) ** 2 + x / w
    angles: Tensor = np.array([[np.cos(w), -np.sin(w)], [np.sin(w), np.cos(w)]]) @ numpy.ones(2)
    number: Value = np.hypot(w, 2.0) * 3
    array: Tensor = np.hypot(w, points) + np.hypot(x, w) + number
    above: NDArray[numpy.bool] = w < points
    out = np.mean([w, number]) + line.sum() + angles.sum() + array.mean() + np.stack([w, w]).sum()
    out.backward()
    assert w.grad is not None and above.any()
    return w.grad


def loss(w: Any, x: Any = 2.0) -> Any:
    return np.sum(np.tanh(w * x) ** 2 + np.maximum(w, 0.1))


def of_functions() -> float:
    w: Array = numpy.array([0.5, -0.25])
    slope: Array = grad(checkpoint(loss))(w)
    value, both = value_and_grad(loss, argnum=(0, 1))(w, 3.0)
    curvature: Array = hessian(loss)(w) + (jacobian(grad(loss))(w) + jacfwd(jacrev(loss))(w)) / 2
    assert (elementwise_grad(np.tanh)(w) > 0.0).all() and grad(lambda w: (loss(w), w), argnums=0, has_aux=True)(w)
    along: Array = hvp(loss)(w, slope)
    _, tangent = jvp(loss, (w,), (slope,))
    _, pull = vjp(loss, w)
    t = Tensor(w)
    inner: list[Any] = gradients(loss(t), [t], create_graph=True)
    check_gradients(loss, w, order=1)
    return float(value + tangent + curvature.sum() + along.sum() + pull(1.0)[0].sum() + len(inner) + both[1])


cube = define("typed_cube(x) = x ** 3 | g * (3 * x ** 2)")


@jit
def compiled(x: Array) -> Any:
    return np.exp(np.reshape(x, (-1,))).sum()


@no_grad()
def quietly(x: Tensor) -> Tensor:
    return np.logsumexp(x.sqrt(), axis=0)


def of_the_rest() -> float:
    fast: float = compiled(points) + jit(grad(cube), backend="python")(2.0)
    with no_grad(), detect_anomaly():
        try:
            Value(0.0).log()
        except AnomalyError:
            fast += quietly(Tensor(points**2)).sum().item()
    return fast


def of_networks(folder: pathlib.Path) -> float:
    model = nn.MLP(2, [4], 1, rng=0, activation=nn.Tanh)
    other = nn.Sequential(nn.Linear(2, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=1, init=nn.xavier))
    target = points[:, :1]
    optimizer = nn.SGD(model.parameters(), lr=nn.ExponentialDecay(0.1, 0.99), momentum=0.9)
    error: Tensor = nn.MSE()(model(points), target)
    optimizer.zero_grad()
    error.backward()
    optimizer.step()
    groups = [{"params": other.parameters(), "eps": 1e-8}]
    step = nn.TrainStep(other, nn.Huber(), nn.Adam(groups, lr=nn.Warmup(nn.CosineDecay(0.01, 50), 5)))
    losses = step.run(numpy.stack([points] * 4), numpy.stack([target] * 4))
    nn.save(folder / "model.npz", model)
    nn.load(folder / "model.npz", model)
    neuron = scalar.MLP(2, [3, 1], rng=0)
    loss: float = step(points, target)
    return float(error) + loss + float(losses[0] + neuron([1.0, 2.0]).data)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(of_values(), of_tensors(), of_both(), of_functions(), of_the_rest(), of_networks(pathlib.Path(name)))
