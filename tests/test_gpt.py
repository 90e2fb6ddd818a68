"""The two GPT demos compute the same, names in shared rows do not see one another, and names come out."""

import functools
import pathlib
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn

from .demos import ROOT, command

pytest.importorskip("names")
PICTURES = ["attention.png", "letters.png", "loss.png"]
NAMES = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=15), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def demos():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "demos")
        import gpt
        import microgpt
        import names_data
        import packing

        yield SimpleNamespace(gpt=gpt, micro=microgpt, data=names_data, packing=packing)


def as_lists(demos, model):
    """The weights of a GPT of one layer as those of microgpt: a vector for each number that a layer gives."""
    attention, block = model.blocks[0].attention, model.blocks[0]
    matrices = {name: getattr(attention, name).weight.data.T for name in ("queries", "keys", "values", "out")}
    matrices |= {"up": block.up.weight.data.T, "down": block.down.weight.data.T, "head": model.head.weight.data.T}
    matrices |= {"tokens": model.tokens.weight.data, "places": model.places.weight.data}
    return {name: [[demos.micro.Value(w) for w in row] for row in rows.tolist()] for name, rows in matrices.items()}


def test_arrays_and_single_numbers_follow_the_same_losses(demos):
    names, model = ["emma", "jo", "abe"], demos.gpt.GPT(width=16, layers=1, rng=0)
    weights = as_lists(demos, model)
    optimizer = demos.micro.Adam([number for vectors in weights.values() for vector in vectors for number in vector])
    losses = []
    for i, name in enumerate(names):
        loss = demos.micro.loss_of(demos.micro.tokens_of(name), weights)
        loss.backward()
        optimizer.step(0.01 * (1 - i / 3))
        losses.append(loss.data)
    adam = nn.Adam(model.parameters(), lambda step: 0.01 * (1 - (step - 1) / 3), betas=(0.85, 0.99))
    x, labels = demos.packing.in_rows(names, 16, several=False)
    ours = nn.TrainStep(model, nn.CrossEntropy(), adam).run(tuple(part[:, None] for part in x), labels[:, None])
    np.testing.assert_allclose(ours, losses, rtol=1e-9)
    for name, rows in as_lists(demos, model).items():
        ours, theirs = ([[number.data for number in row] for row in matrix] for matrix in (rows, weights[name]))
        np.testing.assert_allclose(ours, theirs, atol=1e-6, err_msg=name)  # a first step of Adam is a sign


@given(names=NAMES, several=st.booleans())
def test_every_name_is_in_a_row_once(demos, names, several):
    (tokens, places, owners), labels = demos.packing.in_rows(names, 16, several)
    assert tokens.shape == places.shape == owners.shape == labels.shape and tokens.shape[1] == 16
    assert len(tokens) <= len(names) if several else len(tokens) == len(names)
    for i, name in enumerate(names):
        here = owners == i
        assert np.count_nonzero(here.any(1)) == 1  # in one row, and there in order
        letters = [demos.data.LETTERS.index(letter) for letter in name]
        assert tokens[here].tolist() == [demos.data.BOS, *letters]
        assert labels[here].tolist() == [*letters, demos.data.BOS]
        assert places[here].tolist() == [*range(len(name) + 1)]
    assert (labels[owners == -1] == demos.data.UNCOUNTED).all()


@given(names=NAMES)
def test_names_in_a_row_do_not_see_one_another(demos, names):
    model = demos.gpt.GPT(width=8, layers=2, rng=1)
    losses = []
    for several in (False, True):
        x, labels = demos.packing.in_rows(names, 16, several)
        losses.append(nn.CrossEntropy()(model(*x), labels).data)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)


def test_what_a_head_looks_at_is_shares_of_what_came_before(demos):
    shares = demos.gpt.GPT(width=8, layers=3, rng=0).looks([demos.data.BOS, 0, 1, 2])
    assert len(shares) == 3
    for layer in shares:
        assert layer.shape == (demos.gpt.HEADS, 4, 4) and (np.triu(layer, 1) == 0).all()
        np.testing.assert_allclose(layer.sum(-1), 1.0)


def test_it_learns_draws_and_invents(demos, tmp_path, capsys):
    out = tmp_path / "new" / "directory"
    assert demos.gpt.main(["--steps", "300", "--width", "8", "--sample", "7", "--seed", "1", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    losses = [float(loss) for loss in re.findall(r"of 300 +loss (\S+) +[\d,]+ samples/s", said)]
    assert len(losses) == 3 and losses[-1] < min(losses[0], 2.5)
    *_, first, second, new, steps, loss, time, backend, drawn = said.splitlines()
    assert re.fullmatch(r"([a-z]* *){5}", first) and re.fullmatch(r"([a-z]* *){2}", second)
    assert re.fullmatch(r"new +[0-7] of 7 are not in the census", new) and f"{losses[-1]:.4f} in the last 100 " in loss
    assert steps == "steps     300" and drawn.endswith(str(out))
    assert time.startswith("time") and backend.startswith("backend")
    assert sorted(path.name for path in out.iterdir()) == PICTURES
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in PICTURES)


@pytest.fixture
def soon_compiled(monkeypatch):
    monkeypatch.setattr(nn, "TrainStep", functools.partial(nn.TrainStep, backend="python"))


def test_the_seed_decides_everything(demos, soon_compiled, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(demos.gpt, "results", lambda *_: {})
    options, said = ["--width", "8", "--layers", "2", "--steps", "2", "--batch-size", "3", "--out", str(tmp_path)], []
    for seed in "334":
        assert demos.gpt.main([*options, "--quiet", "--temperature", "1", "--seed", seed]) == 0
        said.append(re.sub(r"\d+\.\d+ s for", "for", capsys.readouterr().out))
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(
    "options",
    [
        ["--width", "10"],
        ["--layers", "0"],
        ["--steps", "1.5"],
        ["--temperature", "0"],
        ["--dtype", "float16"],
        ["--sample", "-1"],
        ["--out", str(ROOT / "setup.cfg")],
    ],
)
def test_bad_values_are_one_line(demos, capsys, tmp_path, options):
    with pytest.raises(SystemExit) as ended:
        demos.gpt.main(["--out", str(tmp_path / "out"), *options])
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.err.count("\n") == 1 and options[0][2:] in said.err or "setup.cfg" in said.err
    assert not said.out and not list(tmp_path.iterdir())


def test_what_is_not_installed_is_one_line(demos, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "names", None)
    for demo in (demos.gpt, demos.micro):
        with pytest.raises(SystemExit):
            demo.main(["--steps", "1"])
        assert capsys.readouterr().err.endswith(': names is not installed: pip install -e ".[demo]"\n')


def test_what_cannot_be_written_is_a_line(demos, capsys, tmp_path, soon_compiled, monkeypatch):
    (tmp_path / "loss.png").mkdir()
    monkeypatch.setattr(demos.gpt, "results", lambda *_: dict.fromkeys(PICTURES, lambda path: path.write_bytes(b"")))
    assert demos.gpt.main(["--steps", "1", "--width", "4", "--quiet", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"not written to {tmp_path}: loss.png (Is a directory)\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == PICTURES


def interrupted(demo: list[str]) -> str:
    with subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert " of " in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said, complaint = run.communicate()
    assert run.returncode == 130 and not complaint
    return said


def test_an_interruption_ends_with_names_and_pictures(tmp_path: pathlib.Path):
    said = interrupted([*command("gpt"), "--batch-size", "1", "--steps", "30000", "--out", tmp_path])
    assert re.search(r"\nnew .*\nsteps +[\d,]+ \(stopped\)\nloss .* in the last 100 steps\n", said)
    assert sorted(path.name for path in tmp_path.iterdir()) == PICTURES


def test_single_numbers_learn_and_invent(tmp_path: pathlib.Path):
    said = interrupted([*command("microgpt"), "--steps", "10", "--sample", "3", "--out", tmp_path])
    assert re.search(r"(^|\n)([a-z]* *){3}\nnew .*\nsteps +\d \(stopped\)\nloss .* in the last \d steps\n", said)
    assert [path.name for path in tmp_path.iterdir()] == ["loss.png"]
