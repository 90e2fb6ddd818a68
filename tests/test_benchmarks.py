"""The contenders of the benchmarks compute the same thing, and the table is printed. No time is asserted."""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def contenders(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import by_hand
    import ours

    return ours.WORKS, by_hand.WORKS


def numbers(parameters):
    return [getattr(p, "data", p) if not isinstance(p, np.ndarray) else p for p in parameters]


@pytest.mark.parametrize("size", ["small", "large"])
def test_every_step_is_the_same_step(contenders, size):
    ours, by_hand = contenders
    works = [ours[size](), by_hand[size](), by_hand[f"{size} buffers"]()] + (
        [ours["small by nn"]()] if size == "small" else []
    )
    for _ in range(3):
        losses = [work() for work in works]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-10)
    for work in works[1:]:
        for mine, theirs in zip(numbers(works[0].parameters), numbers(work.parameters)):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="there is no C compiler")
def test_c_is_the_same_step():
    # in a process of its own: loading what -ffast-math made turns off the subnormal numbers of the whole process
    code = """import by_hand, numpy
c, work = by_hand.WORKS["small C"](), by_hand.WORKS["small"]()
c()
numpy.testing.assert_allclose(c.losses[:50], [work() for _ in range(50)], rtol=1e-8)"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "benchmarks", check=True)


def test_the_scalar_graphs_have_the_same_loss(contenders):
    ours, by_hand = contenders
    assert ours["scalar"]()() == pytest.approx(by_hand["scalar"]()(), rel=1e-12)


def test_the_table_is_printed():
    def table(*options):
        return subprocess.run(
            [sys.executable, "-m", "benchmarks", "--rounds", "1", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "bytes" in table("--only", "chain", "--chain", "20000")
    assert "x its time" in table("--only", "import")
    assert "is not installed" in table("--only", "mygrad", "--peers", sys.executable)
    assert "faster" in table("--only", "crabnn")
