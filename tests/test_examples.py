"""The README's code prints what it says, its table is the table, and the small demos print what they claim."""

import contextlib
import io
import re
import subprocess
import sys

import numpy as np
import pytest

from autograd import rules

from .demos import ROOT, command, png_size

README = (ROOT / "README.md").read_text()
COMPILED = (ROOT / "docs" / "compiled.md").read_text()
LIFETIME = (ROOT / "docs" / "lifetime.md").read_text()
BLOCKS = re.compile(r"```python\n(.*?)```\n\n```\n(.*?)```", re.S)


def printed_by(code, scope):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, scope)
    return out.getvalue().split()


@pytest.mark.parametrize("code, printed", BLOCKS.findall(README + COMPILED + LIFETIME))
def test_code_prints_what_it_says(code, printed):
    assert printed_by(code, {}) == printed.split()


def test_readme_quotes_the_table():
    rows = re.findall(r"^\w+\(.*\) += .*\|.*$", README, re.M)
    assert len(rows) == 4 and all(row in rules.ELEMENTWISE_ROWS + rules.ARRAY_ROWS for row in rows)


@pytest.mark.parametrize(
    "name, printed, size",
    [
        (
            "rosenbrock",
            r"BFGS, differences.*e-\d+ .*\nBFGS, our gradient.*e-\d+ .*\ntrust region, our hessian .*e-\d+",
            (2000, 900),
        ),
        ("least_squares", r"Misra1a: (8|9|1\d)\.\d digits[\s\S]*Thurber: (8|9|1\d)\.\d digits", (1800, 1000)),
        ("newton", r"after  40 steps: gradient descent \d.*e-01   Newton-CG \d.*e-0[45]", (1800, 720)),
    ],
)
def test_derivatives_in_use(name, printed, size, tmp_path):
    run = subprocess.run([*command(name), "--out", tmp_path], capture_output=True, text=True, check=True)
    assert re.search(printed, run.stdout)
    (picture,) = tmp_path.iterdir()
    assert png_size(picture) == size and run.stdout.endswith(f"{picture}\n")


def test_a_small_demo_is_quiet_and_says_in_a_line_what_is_wrong(tmp_path):
    def run(*options, before=""):
        ended = subprocess.run([*command("rosenbrock", before), *options], capture_output=True, text=True)
        return ended.returncode, ended.stdout, ended.stderr

    assert run("--quiet", "--out", tmp_path)[:2] == (0, "") and list(tmp_path.iterdir())
    out = tmp_path / "Übung"
    told = run("--out", out, before="sys.stdout.reconfigure(encoding='ascii')")
    assert told[::2] == (0, "") and r"\xdcbung" in told[1] and list(out.iterdir())
    assert run("--out", out, before="sys.stdout = sys.stderr = None") == (0, "", "")  # as after >&- 2>&-
    readme = ROOT / "README.md"
    assert run("--out", readme) == (2, "", f"rosenbrock.py: --out {readme} is no directory to write to: File exists\n")
    assert run("--out", "/proc")[2].startswith("rosenbrock.py: --out /proc is no directory to write to: ")
    unknown = "unset MPLBACKEND: Key backend: 'odd' is not a valid value for backend; "
    assert unknown in run("--out", tmp_path, before="import os; os.environ['MPLBACKEND'] = 'odd'")[2]
    missing = 'rosenbrock.py: scipy is not installed: pip install -e ".[demo]"\n'
    assert run("--out", tmp_path, before="sys.modules['scipy'] = None") == (2, "", missing)


def test_importing_the_engine_imports_numpy_alone():
    heavy = "graphviz matplotlib llvmlite tqdm pygraphviz".split()
    code = f"import sys, autograd, nn; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"
    assert np.__version__ >= "2"
