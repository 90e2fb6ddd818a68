"""What programs call, by JAX."""

import os
from types import SimpleNamespace

os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # each program is compiled to run a few times

import jax
import jax.numpy as jnp
import numpy
from jax.scipy import special

jax.config.update("jax_enable_x64", True)
enter, leave = jnp.asarray, numpy.asarray


def elementwise_grad(f):
    return jax.grad(lambda *args: jnp.sum(f(*args)))


def hvp(f):
    return lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1]


def affine(x, w, b):
    return x @ w + b


OURS = {name: getattr(jax.nn, name) for name in "relu sigmoid softplus log_sigmoid softmax log_softmax".split()}
OURS["segment_sum"] = lambda x, i, n: jnp.zeros((n, *x.shape[i.ndim :]), x.dtype).at[i].add(x)
SCOPE = {
    **{
        name: getattr(jax, name) for name in "checkpoint grad value_and_grad vjp jvp jacfwd jacrev hessian vmap".split()
    },
    **{"jacobian": jax.jacrev, "scan": jax.lax.scan, "jit": lambda f, backend="": jax.jit(f)},
    **{"compiled": jax.jit, "hvp": hvp, "elementwise_grad": elementwise_grad, "special": special},
    "np": SimpleNamespace(**{**vars(jnp), **OURS, "logsumexp": special.logsumexp, "affine": affine}),
}
