"""What a run leaves behind, and that it can be run again: no network, no files but the kept code, the same numbers."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("graphviz")
ROOT = pathlib.Path(__file__).parent.parent

WATCHED = """
import os, sys
asked, written = [], []
def watch(event, args):
    if event == "open" and isinstance(args[0], str) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(args[0])
    elif event.partition(".")[0] in ("socket", "subprocess", "urllib") or event in ("os.system", "os.posix_spawn"):
        asked.append(event)
sys.addaudithook(watch)
"""
WORK = """
import json
import numpy, autograd.numpy as np, nn
from autograd import Tensor, draw, grad, jit

def data():
    x = numpy.random.default_rng(1).normal(size=(5, 64, 8))
    return x, numpy.sin(x[..., :1])

def trained(update):
    model = nn.Sequential(nn.Linear(8, 64, rng=0), nn.Tanh(), nn.Dropout(0.2, rng=2), nn.Linear(64, 1, rng=1))
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    update(model, optimizer)
    return numpy.concatenate([p.data.ravel() for p in model.parameters()])

def by_hand(model, optimizer):
    for x, y in zip(*data()):
        loss = nn.MSE()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

compiled = lambda backend: lambda *made: nn.TrainStep(made[0], nn.MSE(), made[1], backend=backend).run(*data())
large = numpy.random.default_rng(3).normal(size=(300, 300))
slope = grad(lambda x: np.sum(np.tanh(x @ x)))
found = {
    "eager": trained(by_hand), "python": trained(compiled("python")), "llvm": trained(compiled("llvm")),
    "large, eager": slope(large), "large, llvm": jit(slope, backend="llvm")(large),
}
draw(np.sum(Tensor(large) * 2.0))
print(json.dumps([asked, written, {name: [float(x).hex() for x in xs.ravel()] for name, xs in found.items()}]))
"""


def run(place, more):
    """What a process did that has folders of its own, and what it left in them."""
    folders = {name: str(place / name) for name in ("HOME", "TMPDIR", "cwd")}
    for folder in folders.values():
        os.mkdir(folder)
    kept = {k: x for k, x in os.environ.items() if k not in ("CRABGRAD_CACHE", "XDG_CACHE_HOME")}
    settings = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **folders, **more}
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED + WORK],
        env=kept | settings,
        cwd=folders["cwd"],
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stderr
    asked, written, numbers = json.loads(child.stdout)
    files = [x.relative_to(place) for x in place.rglob("*") if x.is_file()]
    return asked, written, files, {name: np.array([*map(float.fromhex, xs)]) for name, xs in numbers.items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in BLAS's threads and in the order of Python's sets; the second one keeps no code."""
    first = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1"}
    second = {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "CRABGRAD_CACHE": "off"}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(run, [tmp_path_factory.mktemp("run") for _ in range(2)], [first, second]))


def test_nobody_is_asked_and_only_compiled_code_is_written(runs):
    (asked, written, files, _), (*nothing, _) = runs
    assert asked == []
    assert len(files) >= 2 and {(str(x.parent), x.suffix) for x in files} == {("HOME/.cache/crabgrad", ".o")}
    assert {pathlib.Path(x).parts[-4:-1] for x in written} == {("HOME", ".cache", "crabgrad")}
    assert nothing == [[], [], []]  # where it is off


def test_a_run_gives_the_same_numbers_again_bit_for_bit(runs):
    (*_, numbers), (*_, again) = runs
    for name in ("eager", "python", "llvm", "large, llvm"):
        assert numbers[name].tobytes() == again[name].tobytes(), name
    # a large product of NumPy's is that of its BLAS, which adds up in another order by more threads
    np.testing.assert_allclose(numbers["large, eager"], again["large, eager"], rtol=1e-9, atol=1e-11)


def test_compiled_or_not_the_numbers_are_the_same_to_rounding(runs):
    numbers = runs[0][-1]
    for name in ("python", "llvm"):
        np.testing.assert_allclose(numbers[name], numbers["eager"], rtol=1e-9, atol=1e-12)


def test_what_the_page_on_security_says_is_tested():
    tests = "".join(file.read_text() for file in ROOT.glob("tests/test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "SECURITY.md").read_text())
    assert len(named) > 8 and [name for name in named if f"def {name}(" not in tests] == []
