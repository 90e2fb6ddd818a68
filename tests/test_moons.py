"""The moons demo as a user runs it: it learns, draws, stops when asked to, and refuses bad values."""

import re
import signal
import subprocess
import time

import pytest

from .demos import READY, ROOT, command, png_size

DEMO = command("moons")


@pytest.mark.parametrize("data", ["moons", "spirals"])
def test_it_learns_and_draws(tmp_path, data):
    out = tmp_path / "new" / "directory"
    demo = [*DEMO, "--data", data, "--steps", "8", "--out", out]
    run = subprocess.run(demo, capture_output=True, text=True, check=True)
    losses = [float(loss) for loss in re.findall(r"of 8 +loss (\S+)", run.stdout)]
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert re.search(r"steps +8\ntime +\S+ s\nloss +\S+\naccuracy +\d+%\npicture +.*boundary\.png\n$", run.stdout)
    assert [path.name for path in out.iterdir()] == ["boundary.png"]
    assert png_size(out / "boundary.png") == (1800, 1280)


def test_the_seed_decides_everything(tmp_path):
    options = ["--steps", "2", "--eager", "--quiet", "--out", tmp_path, "--seed"]
    runs = [subprocess.Popen([*DEMO, *options, seed], stdout=subprocess.PIPE, text=True) for seed in ("3", "3", "4")]
    said = [re.sub("time .*", "", run.communicate()[0]) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert said[0] == said[1] != said[2] and said[0].startswith("steps")


def test_compiled_and_eager_learn_the_same(tmp_path):
    runs = [
        subprocess.Popen([*DEMO, "--steps", "4", "--out", tmp_path, *more], stdout=subprocess.PIPE, text=True)
        for more in ([], ["--eager"])
    ]
    compiled, eager = (re.sub("time .*", "", run.communicate()[0]) for run in runs)
    assert compiled == eager and "4 of 4" in eager


def test_an_interruption_ends_with_the_picture(tmp_path):
    demo = [*DEMO, "--eager", "--steps", "200", "--out", tmp_path]
    with subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert "20 of 200" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said, complaint = run.communicate()
    assert run.returncode == 130 and re.search(r"steps +\d+ \(stopped\)", said) and not complaint
    assert (tmp_path / "boundary.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "options",
    [
        ["--steps", "0"],
        ["--steps", "1.5"],
        ["--seed", "-1"],
        ["--seed", "x"],
        ["--data", "circles"],
        ["--out", str(ROOT / "setup.cfg")],
    ],
)
def test_bad_values_are_one_line(options, tmp_path):
    run = subprocess.run([*DEMO, "--out", tmp_path, *options], capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "Traceback" not in run.stderr and not run.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("delay", [0, 0.1, 0.2, 0.4, 0.8, 1.2])
def test_ctrl_c_at_any_moment_is_a_line(tmp_path, delay):
    demo = [*command("moons", READY), "--steps", "3", "--quiet", "--out", tmp_path]
    with subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready False\n"
        time.sleep(delay)
        run.send_signal(signal.SIGINT)
        _, complaint = run.communicate()
    assert (run.returncode, complaint) in {(130, "stopped\n"), (130, ""), (0, "")}
    assert delay or complaint


@pytest.mark.parametrize("printed", ["/dev/null", "/dev/full"])
def test_what_cannot_be_written_is_a_line(tmp_path, printed):
    (tmp_path / "boundary.png").mkdir()
    with open(printed, "w") as out:
        demo = [*DEMO, "--steps", "1", "--eager", "--out", tmp_path]
        run = subprocess.run(demo, stdout=out, stderr=subprocess.PIPE, text=True)
    untold = "; not printed: No space left on device" if printed == "/dev/full" else ""
    assert run.returncode == 1
    assert run.stderr == f"not written to {tmp_path}: boundary.png (Is a directory){untold}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["boundary.png"]
