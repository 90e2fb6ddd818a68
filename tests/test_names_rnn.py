"""The demo that invents names as a user runs it, and the names as integers."""

import re
import runpy
import signal
import subprocess

import numpy as np

from .demos import ROOT, command

DEMO = command("names_rnn")
SMALL = ["--width", "8", "--sample", "5"]


def test_it_learns_invents_and_draws(tmp_path):
    demo = [*DEMO, *SMALL, "--steps", "200", "--cell", "lstm", "--out", tmp_path]
    said = subprocess.run(demo, capture_output=True, text=True, check=True).stdout
    losses = np.array(re.findall(r"of 200 +loss (\S+)  held out (\S+)", said), float)
    assert len(losses) == 4 and (losses[-1] < losses[0]).all() and (losses[-1] < np.log(27)).all()
    assert re.search(r"\n([a-z]* *){5}\nnew +[0-5] of 5 are .*\nsteps +200\nloss +\S+, of names held out \S+,", said)
    assert [path.name for path in tmp_path.iterdir()] == ["names.png"]
    assert (tmp_path / "names.png").read_bytes().startswith(b"\x89PNG")


def test_an_interruption_ends_with_names_and_the_picture(tmp_path):
    demo = [*DEMO, *SMALL, "--steps", "10000", "--cell", "rnn", "--out", tmp_path]
    with subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert "1,000 of 10,000" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said, complaint = run.communicate()
    assert run.returncode == 130 and re.search(r"steps +\S+ \(stopped\)", said) and not complaint
    assert (tmp_path / "names.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_wrong_is_one_line(tmp_path):
    missing = command("names_rnn", "sys.modules['names'] = None")
    for demo, said in (
        ([*missing, "--out", tmp_path], 'names is not installed: pip install -e ".[demo]"'),
        ([*DEMO, "--learning-rate", "0"], "'0' is not a positive number"),
    ):
        run = subprocess.run(demo, capture_output=True, text=True)
        assert run.returncode == 2 and run.stderr.count("\n") == 1 and said in run.stderr and not run.stdout


def test_names_become_integers_and_names_again():
    data = runpy.run_path(str(ROOT / "demos" / "names_data.py"))
    names = data["load"](np.random.default_rng(0))
    assert len(names) == 5494 and {"mary", "james"} <= {*names} and names != data["load"](np.random.default_rng(1))
    symbols, following = data["encode"](["abe", "z", "abcdef"], 4)
    assert symbols.tolist() == [[26, 0, 1, 4], [26, 25, 26, 26], [26, 0, 1, 2]]
    assert following.tolist() == [[0, 1, 4, 26], [25, 26, -100, -100], [0, 1, 2, 3]]
    assert [data["decode"](row) for row in data["encode"](names, 12)[1]] == names
