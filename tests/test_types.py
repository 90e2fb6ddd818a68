"""A typical program passes mypy and pyright, and what they read of the table's names is as the table is."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

from . import typed_program
from .make_stubs import stubs

ROOT = pathlib.Path(__file__).parent.parent
PROGRAM = "tests/typed_program.py"


def checked(tool: str, *options: str) -> None:
    """Run a type checker on the program; it finds nothing."""
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed: pip install -e '.[dev]'")
    ran = subprocess.run([sys.executable, "-m", tool, *options, PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_stubs_are_those_of_the_table():
    for path, text in stubs().items():
        assert path.read_text() == text, f"{path.name} is old: python -m tests.make_stubs"


def test_the_program_runs(tmp_path):
    numbers = [
        typed_program.of_values().data,
        typed_program.of_tensors().item(),
        typed_program.of_both(),
        typed_program.of_functions(),
        typed_program.of_the_rest(),
        typed_program.of_networks(tmp_path),
    ]
    assert numbers == pytest.approx([17.089516, 3.213299, 9.976476, 1.904672, 19.497225, 1.645748], abs=1e-5)


def test_mypy_finds_nothing():
    checked("mypy", "--strict", "--follow-imports=silent")


def test_pyright_finds_nothing():
    checked("pyright", "--pythonpath", sys.executable)
