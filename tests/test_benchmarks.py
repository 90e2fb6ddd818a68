"""The contenders of the benchmarks compute the same thing, and the table is printed. No time is asserted."""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import autograd.numpy as anp
from autograd import scan, value_and_grad
from benchmarks.rows import FUNCTIONS, ROWS, Row

from .demos import png_size

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def contenders(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import by_hand
    import ours
    import peers
    import race_by_hand
    import race_ours
    import race_peers

    files = ours, by_hand, peers, race_ours, race_by_hand, race_peers
    return {name: work for file in files for name, work in file.WORKS.items()}


def numbers(parameters):
    return [getattr(p, "data", p) if not isinstance(p, np.ndarray) else p for p in parameters]


@pytest.mark.parametrize("sizes, n", [((2, 8, 8, 1), 16), ((2, 64, 64, 1), 256), ((2, 5, 4, 3, 1), 7)])
def test_every_step_is_the_same_step(contenders, sizes, n):
    works = [contenders[name](sizes, n) for name in ("numpy step", "buffers step", "ours eager", "ours layers")]
    for _ in range(3):
        losses = [work() for work in works]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-10)
    for work in works[1:]:
        for mine, theirs in zip(numbers(works[0].parameters), numbers(work.parameters)):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_a_call_of_many_steps_ends_where_single_ones_do(contenders):
    many, one = contenders["ours step"]((2, 8, 8, 1), 16, "python"), contenders["numpy step"]((2, 8, 8, 1), 16)
    assert many() == pytest.approx([one() for _ in range(many.count)][-1], rel=1e-8)


@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="there is no C compiler")
def test_c_is_the_same_step():
    # in a process of its own: loading what -ffast-math made turns off the subnormal numbers of the whole process
    code = """import by_hand, numpy
c, work = by_hand.step_in_c((2, 8, 8, 1), 16), by_hand.step((2, 8, 8, 1), 16)
c()
numpy.testing.assert_allclose(c.losses[:50], [work() for _ in range(50)], rtol=1e-8)"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "benchmarks", check=True)


def test_the_scalar_graphs_have_the_same_loss(contenders):
    assert contenders["ours scalar"]()() == pytest.approx(contenders["microgpt scalar"]()(), rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_slopes_by_hand_are_ours(contenders, name):
    import task

    value, slope = contenders["numpy elementwise"](name)()
    ours = value_and_grad(lambda x: getattr(anp, name)(x).sum())(task.numbers(name))
    np.testing.assert_allclose(ours[0], value, rtol=1e-10)
    np.testing.assert_allclose(ours[1], slope, rtol=1e-10)


@pytest.mark.parametrize("kind", ["digits", "convolutional", "transformer"])
def test_classifiers_learn(contenders, kind):
    work = contenders["ours train"](kind)
    before = work()
    assert [work() for _ in range(4)][-1] < before


def test_a_scan_is_the_recurrent_network(contenders):
    import task

    parameters, xs = task.sequence(5)
    unrolled, scanned = (task.recurrent(anp, how, parameters, xs) for how in (None, scan))
    assert unrolled == pytest.approx(scanned, rel=1e-12)


def test_a_large_graph_is_drawn_in_few_boxes(contenders):
    assert contenders["ours drawing"](10, "svg")().startswith(b"<?xml")


def test_every_row_has_contenders(contenders):
    for row in ROWS:
        for who, *work in (name.split() for name in (row.ours, row.peer) if name):
            assert f"{who} {work[work[0] == 'first']}" in contenders


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("who", ["ours race-python", "ours race-eager"])
def test_contenders_of_the_race_compute_the_same(contenders, monkeypatch, who, n):
    import race
    import race_numpy

    monkeypatch.setattr(race, "UPDATES", 4)
    race_numpy.judged(contenders[who])(16, n, "float64")
    with pytest.raises(ValueError, match="something else"):
        race_numpy.judged(lambda *args: lambda: [3.3, 3.3, 3.3, 3.3])(16, n, "float64")


@pytest.mark.parametrize("who", ["ours race-value", "microgpt race-scalar"])
def test_the_race_on_single_numbers_is_the_same(contenders, monkeypatch, who):
    import race
    import race_numpy

    monkeypatch.setattr(race, "FEW", 2)
    race_numpy.judged(contenders[who])(4, 3, "float64")


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc")
def test_c_runs_the_same_race():
    code = "import race_by_hand, race_numpy; race_numpy.judged(race_by_hand.c_race)(16, 16, 'float32')"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "benchmarks", check=True)


def test_packed_rows_hold_the_same_names(contenders):
    import race

    (tokens, labels), (inputs, wanted) = race.batches(16), race.packed(16)
    for x, y, rows, right in zip(tokens, labels, inputs, wanted):
        names = sorted((a[b >= 0].tolist(), b[b >= 0].tolist()) for a, b in zip(x, y))
        which = [rows[..., 2] == i for i in range(16)]
        assert sorted((rows[w, 0].tolist(), right[w].tolist()) for w in which) == names
        assert all(w.any(1).sum() == 1 for w in which)
        assert all(rows[w, 1].tolist() == list(range(w.sum())) for w in which)


def test_a_row_says_how_far_its_target_is():
    assert Row("", "", "", ">= 14 x").factor(1.0, 7.0) == 2
    assert Row("", "", "", "<= 0.5 x").factor(1.0, 4.0) == 0.5
    assert Row("", "", "", "<= 3 us").factor(6e-6, 1.0) == pytest.approx(2)


def test_a_chart_and_its_tables_are_of_one_measurement(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from benchmarks import chart, race_chart

    def measured(names, peers, rounds):
        names = list(names)
        asked.extend(names)
        absent = [name for name in names if name.startswith("jax")]
        return {name: [1e-6 * len(asked)] for name in names}, dict.fromkeys(absent, "is not installed")

    monkeypatch.setattr(chart, "measure", measured)
    for draw, labels in (
        (chart.draw_chart, list(chart.BARS)),
        (race_chart.draw_race, [label for label, *_ in race_chart.RACERS.values()]),
    ):
        asked = []
        draw(str(tmp_path / "chart.png"), "python", 1)
        assert png_size(tmp_path / "chart.png")[0] >= 1200
        tables = (tmp_path / "chart.md").read_text()
        for label in labels:
            assert (f"| {label} | " in tables) == (not label.startswith("JAX")), label
        assert " us |" in tables and "nan" not in tables


@pytest.mark.parametrize("option, value", [("rounds", "0"), ("peers", "/nowhere/python"), ("only", "a row of cars")])
def test_what_is_wrong_is_a_line(option, value, monkeypatch, capsys):
    from benchmarks import __main__ as table

    monkeypatch.setattr(sys, "argv", ["benchmarks", f"--{option}", value])
    with pytest.raises(SystemExit) as ended:
        table.main()
    assert ended.value.code == 2 and f"error: --{option} {value} is " in capsys.readouterr().err


def test_the_table_is_printed():
    def table(*options):
        return subprocess.run(
            [sys.executable, "-m", "benchmarks", "--rounds", "1", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "us" in table("--only", "a call")
    assert "is not installed" in table("--only", "mygrad step", "--peers", sys.executable)
