"""The README's code prints what it says, its table is the table, and the demo runs as a user runs it."""

import contextlib
import csv
import io
import pathlib
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from autograd import rules

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DEMO = [sys.executable, str(ROOT / "demos" / "gaussian.py")]


@pytest.mark.parametrize("code, printed", re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.S))
def test_readme_code_prints_what_it_says(code, printed):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue().split() == printed.split()


def test_readme_quotes_the_table():
    rows = re.findall(r"^\w+\(.*\) += .*\|.*$", README, re.M)
    assert len(rows) == 4 and all(row in rules.ELEMENTWISE + rules.ARRAY for row in rows)


def test_the_demo_writes_everything(tmp_path):
    run = subprocess.run([*DEMO, "--iterations", "3000", "--out", tmp_path], capture_output=True, text=True, check=True)
    assert "3,000 of 3,000  loss" in run.stdout and "iterations/second" in run.stdout
    starts = {
        "target.png": b"\x89PNG",
        "learned.png": b"\x89PNG",
        "error.png": b"\x89PNG",
        "loss.png": b"\x89PNG",
        "learning.gif": b"GIF8",
        "graph.svg": b"<?xml",
        "weights.npz": b"PK",
    }
    for name, start in starts.items():
        assert (tmp_path / name).read_bytes().startswith(start)
    assert [row["iteration"] for row in csv.DictReader((tmp_path / "history.csv").read_text().splitlines())] == [
        "1000",
        "2000",
        "3000",
    ]


@pytest.mark.parametrize(
    "options", [["--iterations", "10000", "--backend", "eager", "--optimizer", "adam"], ["--iterations", "3000000"]]
)
def test_interrupted_and_resumed_is_the_same_run(tmp_path, options):
    options = [*options, "--seed", "1"]
    subprocess.run([*DEMO, *options, "--quiet", "--out", tmp_path / "through"], check=True, capture_output=True)
    with subprocess.Popen([*DEMO, *options, "--out", tmp_path / "stopped"], stdout=subprocess.PIPE, text=True) as run:
        assert "loss" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said = run.stdout.read()
    assert run.returncode == 130 and "--resume" in said
    subprocess.run(
        [*DEMO, *options, "--quiet", "--out", tmp_path / "stopped", "--resume"], check=True, capture_output=True
    )
    for name in ("weights.npz", "history.csv"):
        assert (tmp_path / "through" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes()


def test_backends_learn_the_same(tmp_path):
    for backend in ("eager", "python", "llvm"):
        subprocess.run(
            [*DEMO, "--iterations", "1000", "--quiet", "--backend", backend, "--out", tmp_path / backend],
            check=True,
            capture_output=True,
        )
    eager, *compiled = (np.load(tmp_path / backend / "weights.npz") for backend in ("eager", "python", "llvm"))
    for weights in compiled:
        for name in eager.files:
            np.testing.assert_allclose(weights[name], eager[name], rtol=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        ["--batch-size", "0"],
        ["--iterations", "-1"],
        ["--learning-rate", "nan"],
        ["--hidden-sizes", "8", "0"],
        ["--seed", "x"],
        ["--optimizer", "newton"],
        ["--resume"],
        ["--recipe", "slow"],
        ["--backend", "c"],
        ["--decay", "0"],
    ],
)
def test_bad_values_are_one_line(options, tmp_path):
    run = subprocess.run([*DEMO, *options, "--out", tmp_path], capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "name, printed",
    [
        ("rosenbrock", r"BFGS, differences.*e-\d+ .*\nBFGS, our gradient.*e-\d+ .*\ntrust region, our hessian .*e-\d+"),
        ("least_squares", r"Misra1a: (8|9|1\d)\.\d digits[\s\S]*Thurber: (8|9|1\d)\.\d digits"),
        ("newton", r"after  40 steps: gradient descent \d.*e-01   Newton-CG \d.*e-0[45]"),
    ],
)
def test_derivatives_in_use(name, printed):
    run = subprocess.run(
        [sys.executable, str(ROOT / "demos" / f"{name}.py")], capture_output=True, text=True, check=True
    )
    assert re.search(printed, run.stdout)


def test_importing_the_engine_imports_numpy_alone():
    heavy = "graphviz matplotlib llvmlite tqdm pygraphviz".split()
    code = f"import sys, autograd, nn; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"
    assert np.__version__ >= "2"
