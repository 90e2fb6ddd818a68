"""SciPy's functions that NumPy lacks, on floats, arrays and nodes: `from autograd.scipy import special, stats`."""

from typing import Any

try:
    import scipy as _scipy
except ImportError:
    raise ImportError('autograd.scipy needs scipy, which is not installed: pip install "crabgrad[scipy]"') from None

from . import special, stats

__all__ = ["special", "stats"]


def __getattr__(name: str) -> Any:
    why = "is not differentiated here" if hasattr(_scipy, name) else "is no name of scipy"
    raise AttributeError(f"module 'autograd.scipy' has no attribute {name!r}: scipy.{name} {why}")
