"""SciPy's functions that NumPy lacks, on floats, arrays and nodes: `from autograd.scipy import special, stats`."""

import importlib
from typing import Any

try:
    import scipy as _scipy
except ImportError:
    raise ImportError('autograd.scipy needs scipy, which is not installed: pip install "crabgrad[scipy]"') from None

__all__ = ["special", "stats"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        where = (
            f"scipy.{name} is not differentiated here" if hasattr(_scipy, name) else "there is no such name in scipy"
        )
        raise AttributeError(f"module 'autograd.scipy' has no attribute {name!r}: {where}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__
