"""CONTRIBUTING.md is complete: what its examples say, done on a copy of the source, gives what they say."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BELOW = r"[Ii]n `(\S+?)`, below the line that begins with `([^`]+)`:".replace(" ", r"\s+")
BLOCK = r"\n((?:(?!```).*\n)*)```\n"
EDITS = re.findall(rf"{BELOW}\n\n```\w*{BLOCK}", PAGE)
EXAMPLES = re.findall(rf"^```python{BLOCK}\n```{BLOCK}", PAGE, re.M)


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A copy of the source with the document's additions."""
    home = tmp_path_factory.mktemp("copy")
    for folder in ("autograd", "nn", "tests"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", home)
    for file, start, addition in EDITS:
        lines = (home / file).read_text().splitlines(keepends=True)
        (place,) = [i for i, line in enumerate(lines, 1) if line.lstrip().startswith(start)]
        (home / file).write_text("".join([*lines[:place], addition, *lines[place:]]))
    return home


def python(home, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=home, capture_output=True, text=True, timeout=300)


def test_the_document_is_read():
    assert len(EDITS) == len(re.findall(r"that\s+begins\s+with", PAGE)) == 7
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("code, printed", EXAMPLES)
def test_the_examples_print_what_they_say(edited, code, printed):
    pytest.importorskip("llvmlite")
    run = python(edited, "-c", f"{code}\nimport autograd; print(autograd.__file__)")
    assert run.returncode == 0, run.stderr
    *lines, file = run.stdout.split("\n")[:-1]
    assert file == str(edited / "autograd" / "__init__.py")
    assert [line for line in lines if line] == printed.split("\n")[:-1]


def test_the_tests_that_walk_the_table_pass_for_what_was_added(edited):
    files = [f"tests/test_{name}.py" for name in ("operations", "compiler", "numpy", "accuracy")]
    chosen = "softsign or nextafter or every_recorded_name"
    run = python(edited, "-m", "pytest", "-p", "no:cacheprovider", "-k", chosen, "-vv", *files)
    assert run.returncode == 0, run.stdout
    for name in ("softsign", "nextafter"):
        assert f"test_derivatives_of_arrays[{name}] PASSED" in run.stdout
        assert f"test_right_to_the_last_digits[llvm-{name}-] PASSED" in run.stdout
        assert f"test_every_operation_on_numbers_and_at_edges[{name}] PASSED" in run.stdout
    assert "test_every_recorded_name_is_tested PASSED" in run.stdout
