"""Random programs of NumPy's names against an independent engine: JAX, where it is installed, in a process of its own.

`PEERS=/path/to/python python -m pytest tests/test_independent.py` takes the JAX of another interpreter.
"""

import json
import os
import subprocess
import sys

import numpy
import pytest

import autograd.numpy as np
from autograd import grad, jit, jvp

PEERS = os.environ.get("PEERS", sys.executable)
SHAPES = [(2, 3), (3,), (1, 3)]
STEPS = """
{0} + {1}
{0} - {1}
{0} * {1}
{0} / (1.5 + {1} ** 2)
np.sin({0})
np.tanh({0})
np.exp(-({0} ** 2))
np.sqrt({0} ** 2 + 1)
np.where({0} > {1}, {0}, 0.5 * {1})
np.maximum({0}, {1})
np.minimum({0}, np.cos({1}))
np.abs({0}) + {1}
np.clip({0}, -0.7, 0.9)
np.logaddexp({0}, {1})
np.arctan2({0}, 2 + {1} ** 2)
np.hypot({0}, {1} + 3)
np.sinc({0})
np.log1p({0} ** 2)
np.cbrt(2 + np.sin({0}))
np.cumsum({0}, -1)
np.sort({0}, -1)
np.flip({0}, -1)
np.roll({0}, 1, -1) * {1}
{0}[..., ::-1]
{0}[..., np.array([0, 2, 0])]
np.sum({0}, -1, keepdims=True) * {1}
np.mean({0}) + {1}
np.prod(np.cos({0}), -1, keepdims=True) + {1}
np.std({0}) * {1}
np.max({0}, -1, keepdims=True) - {1}
np.linalg.norm({0}) + {1}
np.einsum("...i,...i->...", {0}, {1})[..., None] / (4 + {0} ** 2)
np.linalg.solve(np.eye(3) + 0.1 * np.outer(np.sin({0})[..., :3].ravel()[:3], np.ones(3)), {1}.ravel()[:3])
np.concatenate([{0}.reshape(-1)[:1], {1}.reshape(-1)[:2]])
np.tensordot({0}.reshape(-1)[:3], {1}.reshape(-1)[:3], 1) * 0.1 + {0}
""".strip().splitlines()
JAX = """
import json, sys
try:
    import jax, jax.numpy as np
except ImportError:
    sys.exit("JAX is not installed")
jax.config.update("jax_enable_x64", True)
for source, args in map(json.loads, sys.stdin):
    exec(source)
    args = [np.array(x) for x in args]
    f = lambda *x: np.sum(program(*x))
    first, second = jax.jvp(jax.grad(f, (0, 1, 2)), args, [np.ones_like(x) for x in args])
    print(json.dumps([float(f(*args)), *([x.tolist() for x in part] for part in (first, second))]))
"""


def program(rng):
    """A function of three arrays as text: up to 30 steps, each of earlier results."""
    names, lines = ["x0", "x1", "x2"], ["def program(x0, x1, x2):"]
    for i in range(rng.integers(1, 31)):
        parts = [str(rng.choice(names[-6:])) for _ in range(2)]
        step = STEPS[rng.integers(len(STEPS))].format(*parts)
        lines.append(f"    v{i} = np.tanh({step})")  # bounded: no overflow
        names.append(f"v{i}")
    return "\n".join([*lines, f"    return {' + '.join(names[-3:])}"])


def test_values_and_derivatives_are_those_of_jax():
    rng = numpy.random.default_rng(0)
    cases = [(program(rng), [rng.normal(size=shape).tolist() for shape in SHAPES]) for _ in range(60)]
    run = subprocess.run(
        [PEERS, "-c", JAX], input="\n".join(map(json.dumps, cases)), capture_output=True, text=True, timeout=500
    )
    if "JAX is not installed" in run.stderr:
        pytest.skip("JAX is not installed")
    assert run.returncode == 0, run.stderr
    for (source, args), line in zip(cases, run.stdout.splitlines(), strict=True):
        scope = {"np": np}
        exec(source, scope)
        arrays = tuple(map(numpy.array, args))
        ones = tuple(map(numpy.ones_like, arrays))

        def f(*x, program=scope["program"]):
            return np.sum(program(*x))

        value, first, second = json.loads(line)
        ours = jvp(grad(f, (0, 1, 2)), arrays, ones)
        numpy.testing.assert_allclose(f(*arrays), value, rtol=1e-10, err_msg=source)
        numpy.testing.assert_allclose(jit(f)(*arrays), value, rtol=1e-10, err_msg=source)
        for mine, theirs in zip(ours, (first, second)):
            for a, b in zip(mine, theirs, strict=True):
                numpy.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9, err_msg=source)
