"""nn.Checkpoint: a run goes on as if nothing had been, whatever there was; what is no checkpoint changes nothing."""

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import nn
from autograd.claiming import Claim

from . import kill
from .demos import ROOT

fcntl, resource = pytest.importorskip("fcntl"), pytest.importorskip("resource")  # not on Windows


class Training:
    """A network with all that has a state, and a loop by hand or by TrainStep."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        layers = nn.Linear(2, 4, self.rng), nn.BatchNorm(4), nn.Dropout(0.5, seed), nn.Linear(4, 1, self.rng)
        self.model, self.loss = nn.Sequential(*layers), nn.MSE()
        self.optimizer = nn.Adam(self.model.parameters(), nn.Warmup(0.01, 5))
        self.notes = {"losses": [], "best": 9.0, "surface": np.zeros((2, 3)), "name": "a"}
        self.step = nn.TrainStep(self.model, self.loss, self.optimizer, backend="python")

    def parts(self):
        return {"model": self.model, "optimizer": self.optimizer, "rng": self.rng, "notes": self.notes}

    def train(self, steps, compiled=False):
        for _ in range(steps):
            x = self.rng.normal(size=(8, 2))
            if compiled:
                loss = self.step(x, x[:, :1])
            else:
                found = self.loss(self.model(x), x[:, :1])
                self.optimizer.zero_grad()
                found.backward()
                self.optimizer.step()
                loss = found.item()
            self.notes["losses"].append(loss)
            self.notes |= {"best": min(loss, self.notes["best"]), "surface": self.notes["surface"] + 1.0}

    def all(self):
        """All that it goes on from, to be compared."""
        arrays = {**self.model.state_dict(), **self.optimizer.state_dict()}
        draws = [g.bit_generator.state for g in (self.rng, self.model.layers[2].rng)]
        return (
            {k: x.tolist() for k, x in arrays.items()},
            draws,
            {**self.notes, "surface": self.notes["surface"].tolist()},
        )


@pytest.fixture
def saved(tmp_path):
    """A folder with a checkpoint after three steps, and what was saved."""
    training = Training()
    training.train(3)
    nn.Checkpoint(tmp_path, **training.parts()).save(3)
    return tmp_path, training.all()


@pytest.mark.parametrize("compiled", [False, True], ids=["by hand", "TrainStep"])
def test_a_run_goes_on_as_if_nothing_had_been(tmp_path, compiled):
    through = Training()
    through.train(7, compiled)
    first, second = Training(), Training(seed=1)
    checkpoint = nn.Checkpoint(tmp_path, **first.parts())
    assert checkpoint.load() == 0 and checkpoint.paths() == []
    first.train(4, compiled)
    checkpoint.save(4)
    second.train(2, compiled)
    assert nn.Checkpoint(tmp_path, **second.parts()).load() == 4
    second.train(3, compiled)
    assert second.all() == through.all()


def test_the_newest_stay(tmp_path):
    training = Training()
    checkpoint = nn.Checkpoint(tmp_path, keep=3, **training.parts())
    (tmp_path / "step-7-best.npz").touch()
    for step in (0, 2, 9, 10, 10, 100):
        checkpoint.save(step)
    assert [path.name for path in checkpoint.paths()] == ["step-100.npz", "step-10.npz", "step-9.npz"]
    with pytest.raises(ValueError, match="step-11.npz would be older than step-100.npz: load or remove that"):
        checkpoint.save(11)
    assert len(checkpoint.paths()) == 3 and (tmp_path / "step-7-best.npz").exists()


@pytest.mark.parametrize("kind", "PCG64 PCG64DXSM MT19937 Philox SFC64".split())
def test_every_generator_of_numpy_goes_on(tmp_path, kind):
    make = getattr(np.random, kind)
    first, second = np.random.Generator(make(0)), np.random.Generator(make(1))
    first.random(3, np.float32)
    nn.Checkpoint(tmp_path, rng=first).save(1)
    assert nn.Checkpoint(tmp_path, rng=second).load() == 1
    np.testing.assert_array_equal(first.random(9, np.float32), second.random(9, np.float32))


class Drawing(nn.Module):
    def __init__(self, seed):
        self.draws, self.inner = [np.random.default_rng(seed)], {"a": (nn.Dropout(0.5, seed),)}


def test_generators_that_modules_hold_go_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = Drawing(0), Drawing(1)
    checkpoint = nn.Checkpoint("runs/a", model=first)
    first.draws[0].random(3)
    monkeypatch.chdir(tmp_path / "runs")
    checkpoint.save(1)
    assert nn.Checkpoint("a", model=second).load() == 1
    assert second.draws[0].random() == first.draws[0].random()
    assert second.inner["a"][0].rng.random() == first.inner["a"][0].rng.random()


def broken_state(change, kind=np.random.PCG64):
    state = kind(3).state
    change(state)
    return json.dumps({"rng": state, "model/layers.2.rng": np.random.PCG64(0).state}, default=np.ndarray.tolist)


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("model/layers.0.weight", None, "has no model/layers.0.weight"),
        ("more/x", np.zeros(1), "has more/x, which is unknown here"),
        ("notes/more", np.zeros(1), "has notes/more, which is unknown here"),
        ("/etc/passwd", np.zeros(1), "has /etc/passwd, which is unknown here"),
        ("model/../../x", np.zeros(1), "which is unknown here"),
        (
            "model/layers.0.weight",
            np.zeros((2, 5)),
            r"layers.0.weight is float64 of shape \(2, 5\) in the state, expected",
        ),
        ("model/layers.0.weight", np.zeros((2, 4), "f4"), "layers.0.weight is float32"),
        ("notes/surface", np.zeros((3, 3)), r"notes/surface is float64 of shape \(3, 3\)"),
        ("optimizer/steps", np.array(-1), "Adam: the number of steps must be a positive integer or 0, not -1"),
        ("step", np.array(4), "step-3.npz is of step 4"),
        ("step", np.array("3"), "is of step 3"),
        ("generators", None, "has no generators"),
        *[
            ("generators", np.array(text), r"not the states of generators rng \(PCG64\), model/layers.2.rng \(PCG64\)")
            for text in (
                *("", "{", "1", "[]", "{}", "[" * 100_000, '{"rng": 1}', '{"rng": {"state": {}}}'),
                broken_state(lambda state: state.update(bit_generator="MT19937")),
                broken_state(lambda state: state.update(uinteger=-1)),
                broken_state(lambda state: state["state"].update(state=2**200)),
                broken_state(lambda state: state["state"].update(inc="1")),
                broken_state(lambda state: None, np.random.MT19937),
            )
        ],
        ("generators", np.zeros(3), "not the states of generators"),
    ],
)
def test_what_is_no_checkpoint_of_this_run_changes_nothing(saved, name, change, message):
    folder, _ = saved
    arrays = nn.load(folder / "step-3.npz")
    arrays = {**arrays, name: change} if change is not None else {k: x for k, x in arrays.items() if k != name}
    nn.save(folder / "step-3.npz", arrays)
    other = Training(seed=1)
    before, losses = other.all(), other.notes["losses"]
    with pytest.raises(ValueError, match=message):
        nn.Checkpoint(folder, **other.parts()).load()
    assert other.all() == before and other.notes["losses"] is losses


@pytest.mark.parametrize("kind, place", [("MT19937", "pos"), ("Philox", "buffer_pos")])
@pytest.mark.parametrize("at", [-1, 10**9])
def test_a_generator_does_not_read_beyond_its_memory(tmp_path, kind, place, at):
    rng = np.random.Generator(getattr(np.random, kind)(0))
    nn.Checkpoint(tmp_path, rng=rng).save(1)
    state = rng.bit_generator.state
    (state if place in state else state["state"])[place] = at
    text = json.dumps({"rng": state}, default=np.ndarray.tolist)
    nn.save(tmp_path / "step-1.npz", {"step": np.array(1), "generators": np.array(text)})
    with pytest.raises(ValueError, match=f"not the states of generators rng .{kind}"):
        nn.Checkpoint(tmp_path, rng=rng).load()


def test_an_interruption_while_it_loads_changes_nothing(saved, monkeypatch):
    folder, _ = saved
    other = Training(seed=1)
    before, checkpoint = other.all(), nn.Checkpoint(folder, **other.parts())
    real = nn.Adam.load_state_dict

    def interrupted(self, state):
        monkeypatch.setattr(nn.Adam, "load_state_dict", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(nn.Adam, "load_state_dict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.load()
    assert other.all() == before


def test_nan_is_a_warning_that_names_it(saved):
    folder, _ = saved
    arrays = nn.load(folder / "step-3.npz")
    arrays["model/layers.0.bias"][1] = arrays["notes/surface"][0] = np.nan
    nn.save(folder / "step-3.npz", arrays)
    other = Training(seed=1)
    with pytest.warns(RuntimeWarning, match="step-3.npz has NaN in model/layers.0.bias$") as heard:
        assert nn.Checkpoint(folder, **other.parts()).load() == 3
    assert heard[0].filename == __file__ and np.isnan(other.model.layers[0].bias.data[1])


def test_a_dict_that_unpacks_to_more_than_the_file_is_refused(tmp_path):
    notes = {"losses": []}
    checkpoint = nn.Checkpoint(tmp_path, notes=notes)
    np.savez_compressed(
        tmp_path / "step-1.npz", **{"step": 1, "generators": np.array("{}"), "notes/losses": np.zeros(10**6)}
    )
    with pytest.raises(ValueError, match="unpacks to more than it is"):
        checkpoint.load()
    assert notes == {"losses": []}


@pytest.mark.parametrize(
    "parts",
    [{"step": nn.TrainStep(nn.Linear(1, 1, 0), nn.MSE(), nn.SGD(nn.Linear(1, 1, 0).parameters()))}, {"a/b": {}}],
)
def test_what_cannot_be_a_part_is_said(tmp_path, parts):
    with pytest.raises(TypeError, match="parts are modules, optimizers, .*without /; of a TrainStep give the model"):
        nn.Checkpoint(tmp_path / "new", **parts)
    assert not (tmp_path / "new").exists()


def test_what_would_not_come_back_is_said(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path, notes={1: 2.0})
    with pytest.raises(TypeError, match="in notes, the key 1 would come back as text"):
        checkpoint.save(1)
    with pytest.raises(ValueError, match="more than 18 digits"):
        checkpoint.save(10**18)
    assert checkpoint.paths() == []


def test_a_second_process_says_so(tmp_path):
    program = "import nn, sys\ntry: nn.Checkpoint(sys.argv[1])\nexcept BlockingIOError as error: print(error)"
    checkpoint = nn.Checkpoint(tmp_path)
    second = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert second.stdout == f"{tmp_path} is in use by another process: wait for its end, or give another folder\n"
    newer = nn.Checkpoint(tmp_path)
    with pytest.raises(ValueError, match="it was closed, something newer in this process took over the folder"):
        checkpoint.save(1)
    newer.save(1)
    newer.close()
    with open(tmp_path / ".lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is free


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_a_second_one(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path)
    child = os.fork()
    if not child:
        with suppress(BaseException):
            with pytest.raises(ValueError, match="was forked by the one that has it"):
                checkpoint.save(2)
            with pytest.raises(BlockingIOError):
                nn.Checkpoint(tmp_path)
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    checkpoint.save(1)


@contextmanager
def small_disk(size):
    """No file can be longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_older_ones(saved):
    folder, _ = saved
    checkpoint = nn.Checkpoint(folder, **Training().parts())
    checkpoint.load()
    before = (folder / "step-3.npz").read_bytes()
    for size in (0, 1, 1000, len(before) - 1):
        with small_disk(size), pytest.raises(OSError) as error:
            checkpoint.save(4)
        assert error.value.errno == errno.EFBIG
    assert {path.name for path in folder.iterdir()} == {".lock", "step-3.npz"}
    assert (folder / "step-3.npz").read_bytes() == before and checkpoint.load() == 3


def test_a_folder_that_vanishes_or_is_replaced_is_an_oserror(saved):
    folder, _ = saved
    checkpoint = nn.Checkpoint(folder, **Training().parts())
    shutil.move(folder, folder.parent / "elsewhere")
    assert checkpoint.paths() == []
    for work in (checkpoint.load, lambda: checkpoint.save(4)):
        with pytest.raises(FileNotFoundError):
            work()
    folder.mkdir()
    (folder / ".lock").touch()  # by another process
    with pytest.raises(FileNotFoundError, match="is not the folder any more that it was"):
        checkpoint.save(4)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no folder in which nobody may write")
def test_a_folder_in_which_nobody_can_write_is_an_oserror_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    for folder in ("/proc/self/new", tmp_path / "file", tmp_path / "file" / "new"):
        with pytest.raises(OSError):
            nn.Checkpoint(folder)


def test_what_a_killed_process_left_is_removed(tmp_path):
    for name in ("step-3.npzabc.part", "else.part"):
        (tmp_path / name).touch()
    nn.Checkpoint(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "else.part"}


def test_names_are_on_the_disk_before_a_save_is_done(tmp_path, monkeypatch):
    done, real = [], {name: getattr(os, name) for name in ("fsync", "replace")}

    def fsync(handle):
        done.append(("fsync", os.readlink(f"/proc/self/fd/{handle}").split("/")[-1].split(".npz")[0]))
        real["fsync"](handle)

    def replace(*paths):
        done.append(("replace", os.path.basename(paths[1])))
        real["replace"](*paths)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no names of open files")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    Claim(tmp_path / "a" / "b")
    nn.save(tmp_path / "m.npz", {"x": np.zeros(1)})
    folder = tmp_path.name
    assert done == [("fsync", "a"), ("fsync", folder), ("fsync", "m"), ("replace", "m.npz"), ("fsync", folder)]


def test_a_checkpoint_of_an_older_format_is_loaded(tmp_path):
    shutil.copy(ROOT / "tests" / "formats" / "step-3.npz", tmp_path)
    rng = np.random.default_rng(1)
    model = nn.Sequential(nn.Linear(2, 3, 7), nn.BatchNorm(3), nn.Linear(3, 1, 8))
    optimizer, record = nn.Adam(model.parameters()), {"losses": []}
    assert nn.Checkpoint(tmp_path, model=model, optimizer=optimizer, rng=rng, record=record).load() == 3
    assert optimizer.steps == 3 and record == {"losses": [1.0, 0.5]}
    drawn = np.random.default_rng(0)
    drawn.normal(size=(3, 4, 2))
    assert rng.random() == drawn.random()


def test_kills_at_random_moments():
    assert kill.kill(times=1, seed=0, modes=["hand"])[0] == 1
