"""docs/architecture.md quotes what is really generated, and its modules import in its order."""

import ast
import contextlib
import io
import pathlib
import re

import pytest

from autograd import operation

ROOT = pathlib.Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
BLOCKS = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?(?:\n```llvm\n(.*?)^```\n)?", re.S | re.M)
ROOMS = re.findall(r"^- `((?:autograd|nn)/\S+\.py)`: \S", PAGE, re.M)
UP = {("autograd/conduct.py", "autograd/drawing/__init__.py")}  # inside a method


def test_what_is_quoted_is_generated():
    pytest.importorskip("llvmlite")
    scope = {"__name__": "architecture"}
    blocks = BLOCKS.findall(PAGE)
    assert len(blocks) == PAGE.count("```python") and sum(bool(llvm) for _, _, llvm in blocks) == 1
    for code, printed, llvm in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, scope)
        assert out.getvalue() == printed
        assert llvm in scope["fast"].source if llvm else True


def test_the_number_of_rows():
    (said,) = re.findall(r"has\s(\d+) of them", PAGE)
    assert int(said) == len(operation.BUILT_IN)


def module_file(name):
    """The file of a module of ours, or None."""
    path = ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file.relative_to(ROOT).as_posix()
    return None


def imported(file):
    """The files of ours that a file imports, each with whether it is imported with the file or only in a function."""
    source = ast.parse((ROOT / file).read_text())
    package = file.removesuffix(".py").split("/")[:-1]
    inner = {id(part) for f in ast.walk(source) if isinstance(f, ast.FunctionDef) for part in ast.walk(f)}
    for part in ast.walk(source):
        if isinstance(part, ast.Import):
            names = [(alias.name,) for alias in part.names]
        elif isinstance(part, ast.ImportFrom):
            home = [*package[: len(package) + 1 - part.level], part.module] if part.level else [part.module]
            home = ".".join(filter(None, home))
            names = [(f"{home}.{alias.name}", home) for alias in part.names]
        else:
            continue
        for wishes in names:
            found = next(filter(None, map(module_file, wishes)), None)
            if found and found.split("/")[0] in ("autograd", "nn", "demos", "benchmarks", "tests"):
                yield found, id(part) not in inner


def test_every_module_has_its_line():
    files = [f.relative_to(ROOT).as_posix() for home in ("autograd", "nn") for f in (ROOT / home).rglob("*.py")]
    assert sorted(ROOMS) == sorted(files)


@pytest.mark.parametrize("file", ROOMS)
def test_no_module_imports_one_that_stands_after_it(file):
    above = set(ROOMS[: ROOMS.index(file)])
    for found, at_once in imported(file):
        assert found in above or (not at_once and (file, found) in UP), f"{file} imports {found}"


def test_the_arrow_that_points_up_is_there():
    assert all((found, False) in imported(file) for file, found in UP)
