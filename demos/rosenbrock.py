"""Rosenbrock's valley in ten dimensions: scipy.optimize.minimize with exact gradients and hessians."""

import sys

import numpy as np

from autograd import hessian, value_and_grad


def rosenbrock(x):
    """The sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 (Rosenbrock 1960); 0 where all x are 1."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def main() -> int:
    """Three methods from the same start; prints what each needed."""
    try:
        from scipy.optimize import minimize
    except ImportError:
        print('scipy is not installed: pip install -e ".[demo]"', file=sys.stderr)
        return 2
    start = np.tile([1.3, 0.7], 5)
    runs = {
        "BFGS, differences": minimize(rosenbrock, start, method="BFGS"),
        "BFGS, our gradient": minimize(value_and_grad(rosenbrock), start, jac=True, method="BFGS"),
        "trust region, our hessian": minimize(
            value_and_grad(rosenbrock), start, jac=True, hess=hessian(rosenbrock), method="trust-exact"
        ),
    }
    print(f"{'':28}{'f(x)':>10}{'max |x - 1|':>14}{'iterations':>12}{'values of f':>13}")
    for name, run in runs.items():
        print(f"{name:28}{run.fun:10.1e}{np.abs(run.x - 1).max():14.1e}{run.nit:12}{run.nfev:13}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
