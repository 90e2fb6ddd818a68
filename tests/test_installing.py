"""What an installation must be: alone under its import name, and complete."""

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent


def imported(module: str, place: pathlib.Path) -> str:
    """What a fresh interpreter that finds packages in this folder writes on import: nothing if all is well."""
    command = f"import sys; sys.path.insert(0, {str(place)!r}); import {module}"
    return subprocess.run([sys.executable, "-c", command], cwd=place, capture_output=True, text=True).stderr


@pytest.fixture
def place(tmp_path):
    for name in ("autograd", "nn"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_alone_it_is_imported(place):
    assert imported("autograd", place) == imported("nn", place) == ""


@pytest.mark.parametrize("module", ["autograd", "nn"])
def test_files_of_the_other_autograd_are_named(place, module):
    (place / "autograd" / "core.py").write_text("")
    assert "ImportError: HIPS autograd is installed" in imported(module, place)
    assert "pip uninstall autograd" in imported(module, place)


def test_nn_says_that_the_other_autograd_was_kept(place):
    (place / "autograd" / "core.py").write_text("grad = None")
    (place / "autograd" / "__init__.py").write_text("from .core import grad")
    assert "ImportError: `autograd` is not crabgrad's here" in imported("nn", place)
    assert "pip uninstall autograd" in imported("nn", place)
