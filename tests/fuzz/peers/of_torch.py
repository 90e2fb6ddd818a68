"""What programs call, by PyTorch: NumPy's names by torch._numpy, the one by which torch.compile reads them."""

from types import SimpleNamespace

import torch
import torch._numpy as np


def enter(x):
    return np.asarray(torch.tensor(x))


def leave(y):
    return np.asarray(y).tensor.detach().numpy()


def vjp(f, *args):
    """The result, and a function of its cotangent; what is differentiated may itself be part of a graph."""
    inputs = [x.tensor.view_as(x.tensor) if x.tensor.requires_grad else x.tensor.clone() for x in args]
    wanted = [x if x.requires_grad else x.requires_grad_() for x in inputs if x.is_floating_point()]
    out = f(*map(np.asarray, inputs))

    def pull(seed):
        if out.tensor.requires_grad:
            options = {"create_graph": True, "materialize_grads": True}
            found = torch.autograd.grad(out.tensor, wanted, seed.tensor.to(out.tensor.dtype), **options)
        else:
            found = map(torch.zeros_like, wanted)
        found = iter(found)
        return [np.asarray(next(found)) if x.is_floating_point() else None for x in inputs]

    return out, pull


def value_and_grad(f, places=0):
    def function(*args):
        out, pull = vjp(f, *args)
        gradients = pull(np.ones_like(out))
        return out, gradients[places] if isinstance(places, int) else [gradients[i] for i in places]

    return function


def grad(f, places=0):
    return lambda *args: value_and_grad(f, places)(*args)[1]


def jvp(f, args, tangents):
    """By reverse mode, twice: what pull gives is linear in its seed."""
    out, pull = vjp(f, *args)
    seed = np.asarray(torch.zeros_like(out.tensor))
    _, along = vjp(lambda v: sum([np.sum(g * t) for g, t in zip(pull(v), tangents)]), seed)
    return out, along(np.asarray(1.0))[0]


def jacobian(f):
    def function(x):
        out, pull = vjp(f, x)
        units = np.eye(out.size).reshape((out.size, *out.shape))
        return np.stack([pull(unit)[0] for unit in units]).reshape((*out.shape, *x.shape))

    return function


def vmap(f, in_axes):
    def function(*args):
        rows = [x if axis is None else np.moveaxis(x, axis, 0) for x, axis in zip(args, in_axes)]
        count = next(len(x) for x, axis in zip(rows, in_axes) if axis is not None)
        parts = [[x if axis is None else x[k] for x, axis in zip(rows, in_axes)] for k in range(count)]
        return np.stack([f(*part) for part in parts])

    return function


def scan(f, carry, xs):
    ys = []
    for x in xs:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, np.stack(ys)


def on_arrays(f):
    """A function of PyTorch's own on its NumPy's arrays."""

    def function(x, *args, **options):
        return np.asarray(f(np.asarray(x).tensor, *(getattr(arg, "tensor", arg) for arg in args), **options))

    return function


def along(f):
    """The same for one that goes along an axis."""
    return on_arrays(lambda x, axis=-1, keepdims=None: f(x, axis, *[] if keepdims is None else [keepdims]))


def logsumexp(x, axis=None, keepdims=False):
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


F = torch.nn.functional
SPECIAL = {name: on_arrays(getattr(torch.special, name)) for name in torch.special.__all__}
OURS = {
    **{name: on_arrays(getattr(F, name)) for name in "relu sigmoid softplus".split()},
    **{name: along(getattr(F, name)) for name in "softmax log_softmax".split()},
    **{"log_sigmoid": on_arrays(F.logsigmoid), "logsumexp": on_arrays(logsumexp)},
    **{f"a{name[3:]}": f for name, f in vars(np).items() if name[:3] == "arc"},
    **{"pow": np.power, "concat": np.concatenate, "permute_dims": np.transpose, "asanyarray": np.asarray},
    "fix": np.trunc,  # its own rounds
    **{"matrix_transpose": lambda x: np.swapaxes(x, -1, -2), "affine": lambda x, w, b: x @ w + b},
    "segment_sum": lambda x, i, n: torch.zeros(n, *x.shape[i.ndim :], dtype=x.dtype).index_put((i,), x, True),
}
SCOPE = {
    **{"vjp": vjp, "value_and_grad": value_and_grad, "grad": grad, "jvp": jvp, "vmap": vmap, "scan": scan},
    **{"jacobian": jacobian, "jacrev": jacobian, "jacfwd": jacobian, "hessian": lambda f: jacobian(grad(f))},
    **{"checkpoint": lambda f: f, "jit": lambda f, backend="": f},
    "hvp": lambda f: lambda x, v: jvp(grad(f), (x,), (v,))[1],
    "elementwise_grad": lambda f: grad(lambda *args: np.sum(f(*args))),
    "special": SimpleNamespace(**SPECIAL),
    "np": SimpleNamespace(**{**vars(np), **OURS}),
}
