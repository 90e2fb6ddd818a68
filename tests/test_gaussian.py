"""The Gaussian demo as a user runs it: it learns, draws, goes on after every kind of end, and loses nothing."""

import csv
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nn

from .demos import READY, ROOT, command

DEMO = command("gaussian")
LAST = "step-2500.npz"
WRITTEN = "weights.npz history.csv target.png learned.png error.png loss.png learning.gif graph.svg".split()


def run(*options, before="", **settings):
    """A run of the demo to its end; what Fontconfig has to say about the machine is not the demo's."""
    ended = subprocess.run(
        [*command("gaussian", before), *map(str, options)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings},
    )
    ended.stderr = without_fontconfig(ended.stderr)
    return ended


def without_fontconfig(said):
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith("Fontconfig"))


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_demo_writes_everything(tmp_path):
    run = subprocess.run([*DEMO, "--iterations", "3000", "--out", tmp_path], capture_output=True, text=True, check=True)
    assert re.search("3,000 of 3,000  loss .*\ndrawing ...\niterations +3,000\n(.*\n)*iterations/second", run.stdout)
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


def test_the_default_leaves_the_poor_minimum(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "demos")
    import gaussian

    run = gaussian.Run(gaussian.parse([])[1])
    assert [run.train(range(k, k + 1000)) for k in range(0, 120_000, 1000)][-1] < 0.015
    assert run.done == 120_000


@pytest.mark.parametrize(
    "options", [["--backend", "eager", "--optimizer", "adam"], ["--hidden-sizes", "32", "32", "--batch-size", "64"]]
)
def test_interrupted_and_resumed_is_the_same_run(tmp_path, options):
    options = [*options, "--iterations", "5000", "--seed", "1"]
    subprocess.run([*DEMO, *options, "--quiet", "--out", tmp_path / "through"], check=True, capture_output=True)
    with subprocess.Popen(
        [*DEMO, *options, "--out", "it's stopped"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as run:
        assert "loss" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said = run.stdout.read()
    assert run.returncode == 130
    (line,) = re.findall("^stopped; go on with: (.*)$", said, re.MULTILINE)
    subprocess.run(line, shell=True, check=True, capture_output=True, cwd=tmp_path)
    for name in ("weights.npz", "history.csv"):
        assert (tmp_path / "through" / name).read_bytes() == (tmp_path / "it's stopped" / name).read_bytes()


def test_every_option_is_explained(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "demos")
    import gaussian

    assert all(option.help for option in gaussian.parse([])[0]._actions)


def test_backends_learn_the_same(tmp_path):
    def learn(backend):
        return run("--iterations", 1000, "--quiet", "--backend", backend, "--out", tmp_path / backend).returncode

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(learn, ("eager", "python", "llvm"))) == [0, 0, 0]
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The directory of a finished run of 2500 iterations."""
    out = tmp_path_factory.mktemp("finished")
    assert run("--iterations", 2500, "--quiet", "--out", out).returncode == 0
    return out


# ends the process like a power cut, before or after a file takes its name
KILLED = """
import os, signal
def replace(*paths, real=os.replace):
    global count
    count += 1
    if count == {}:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*paths)
count, os.replace = 0, replace
"""
EVERY_CHUNK = "import itertools, time; time.monotonic = itertools.count(0, 2).__next__"  # is time for a checkpoint
NO_CHUNK = "import time; time.monotonic = lambda: 0.0\n"  # is, on a slow machine neither


@pytest.mark.parametrize("moment, done", [(2, "1,500"), (5, "0")])
def test_a_killed_run_goes_on_and_a_finished_one_ends_again(tmp_path, finished, moment, done):
    options = ["--iterations", 2500, "--quiet", "--out", tmp_path]
    assert run(*options, before=EVERY_CHUNK + KILLED.format(moment)).returncode == -signal.SIGKILL
    resumed = run(*options, "--resume")
    assert (resumed.returncode, resumed.stderr) == (0, "") and resumed.stdout.startswith("iterations  ")
    assert ("backend             none: all iterations were done before" in resumed.stdout) == (done == "0")
    for name in ("weights.npz", "history.csv", "learning.gif"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_killed_before_the_first_checkpoint(tmp_path):
    options = ["--iterations", 2500, "--out", tmp_path]
    assert run(*options, before=KILLED.format(1)).returncode == -signal.SIGKILL
    resumed = run(*options, "--resume")
    assert resumed.returncode == 2 and resumed.stderr == (
        f"gaussian.py: there is no checkpoint in {tmp_path}: leave --resume out, or give another --out\n"
    )


def stopped_after(delay, out):
    """The status and the complaints of a run that gets Ctrl-C so long after it can."""
    with subprocess.Popen(
        [*command("gaussian", READY), "--iterations", "3000", "--quiet", "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready False\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
    return process.returncode, without_fontconfig(complaint)


def test_ctrl_c_at_any_moment_is_a_line(tmp_path):
    delays = np.linspace(0, 1.5, 11)
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda delay: stopped_after(delay, tmp_path / str(delay)), delays))
    assert {status for status, _ in ended} <= {130, 0} and ended[0] == (130, "stopped\n")
    assert {complaint for _, complaint in ended} <= {"stopped\n", ""}


# happens when a file is about to be whole
FULL = """
import errno, os
def fsync(handle, real=os.fsync):
    global count
    count += 1
    {}
    real(handle)
count, os.fsync = 0, fsync
"""
NO_SPACE = "raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))"


def test_a_checkpoint_that_fails_is_said_and_tried_again(tmp_path, finished):
    ended = run("--iterations", 2500, "--out", tmp_path, before=EVERY_CHUNK + FULL.format(f"if count == 1: {NO_SPACE}"))
    assert ended.returncode == 0
    assert ended.stderr == (f"not written to {tmp_path}: checkpoint (No space left on device); the training goes on\n")
    assert contents(tmp_path).keys() == {".lock", "step-2000.npz", LAST, *WRITTEN}
    assert (tmp_path / LAST).read_bytes() == (finished / LAST).read_bytes()


@pytest.mark.parametrize(
    "happens, why",
    [
        (NO_SPACE, "No space left on device"),
        ("import shutil; shutil.rmtree(sys.argv[-1])", "No such file or directory"),
        ("import shutil; shutil.rmtree(sys.argv[-1]); open(sys.argv[-1], 'w').close()", "Not a directory"),
    ],
    ids=["full", "vanished", "replaced"],
)
def test_a_run_that_can_write_nothing_ends_with_a_line(tmp_path, happens, why):
    out = tmp_path / "out"
    out.mkdir()
    ended = run("--iterations", 1000, "--out", out, before=NO_CHUNK + FULL.format(happens))
    assert ended.returncode == 1 and "running loss" in ended.stdout
    lost = f"not written to {out}: checkpoint ({why}); not written to {out}: {', '.join(WRITTEN)} ({why})\n"
    assert ended.stderr == lost
    assert not out.is_dir() or contents(out).keys() == {".lock"}


def test_what_can_be_written_is_written(tmp_path):
    full_once = NO_CHUNK + FULL.format(f"if count == 3: {NO_SPACE}")
    ended = run("--iterations", 1000, "--out", tmp_path, before=full_once)
    assert ended.returncode == 1
    assert ended.stderr == f"not written to {tmp_path}: weights.npz (No space left on device)\n"
    assert contents(tmp_path).keys() == {".lock", "step-1000.npz", *WRITTEN} - {"weights.npz"}


def test_a_full_disk_behind_the_output_is_a_line(tmp_path):
    with open("/dev/full", "w") as full:
        ended = run("--iterations", 1000, "--out", tmp_path, stdout=full)
    assert (ended.returncode, ended.stderr) == (1, "not printed: No space left on device\n")
    assert contents(tmp_path).keys() == {".lock", "step-1000.npz", *WRITTEN}


def test_without_graphviz_the_rest_is_drawn_and_the_run_summed_up(tmp_path):
    ended = run("--iterations", 1000, "--out", tmp_path, before="sys.modules['graphviz'] = None")
    assert ended.returncode == 0 and "running loss" in ended.stdout
    assert ended.stderr == "graph.svg was not drawn: drawing needs the graphviz package: pip install graphviz\n"
    assert contents(tmp_path).keys() == {".lock", "step-1000.npz", *WRITTEN} - {"graph.svg"}


def test_two_runs_do_not_share_a_directory(tmp_path):
    options = ["--iterations", "20000000", "--out", tmp_path]
    with subprocess.Popen([*DEMO, *options], stdout=subprocess.PIPE, text=True) as first:
        assert "loss" in first.stdout.readline()
        for more in ([], ["--resume"]):
            second = run(*options, *more)
            assert (second.returncode, second.stdout) == (2, "")
            assert re.fullmatch(".* is in use by another process: .*\n", second.stderr)
        first.kill()
    assert list(tmp_path.glob("step-*.npz")) and not {*WRITTEN} & contents(tmp_path).keys()
    for other in (["--seed", 1], ["--hidden-sizes", 4], ["--optimizer", "adam"]):
        third = run(*options, "--resume", *other)
        assert third.returncode == 2 and 'made with {"batch_size": 16, ' in third.stderr


def made_by_hand(folder, arrays):
    """A folder with a checkpoint of these arrays."""
    nn.save(folder / LAST, arrays)
    (folder / ".lock").touch()


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("record/settings", lambda _: np.array("[]"), r"made with \[\]: resume with the same options"),
        ("record/losses", lambda a: a[1:], r"record/losses is float64 of shape \(2,\)"),
        ("record/surfaces", lambda a: a.astype("f4"), "record/surfaces is float32"),
        ("optimizer/steps", lambda a: a - 10_000, "number of steps must be a positive integer"),
        ("generators", lambda _: np.array("{}"), r"not the states of generators rng \(PCG64\)"),
        ("more", lambda _: np.zeros(1), "has more, which is unknown"),
    ],
)
def test_a_checkpoint_made_by_hand_is_refused(tmp_path, finished, name, change, message):
    arrays = nn.load(finished / LAST)
    made_by_hand(tmp_path, {**arrays, name: change(arrays.get(name))})
    before = contents(tmp_path)
    ended = run("--iterations", 2500, "--resume", "--out", tmp_path)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and re.search(message, ended.stderr)
    assert contents(tmp_path) == before and not ended.stdout


def test_a_run_that_diverged_goes_on(tmp_path, finished):
    arrays = nn.load(finished / LAST)
    broken = [name for name in arrays if name.startswith(("model/", "record/losses", "record/surfaces"))]
    made_by_hand(tmp_path, {**arrays, **{name: arrays[name] * np.nan for name in broken}})
    ended = run("--iterations", 2500, "--resume", "--out", tmp_path)
    assert ended.returncode == 0 and "running loss        nan" in ended.stdout
    assert "has NaN in model/layers.0.weight, " in ended.stderr
