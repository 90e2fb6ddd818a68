"""The digits demo as a user runs it: both networks learn, the held-out digits are read, and the picture is drawn."""

import re
import signal
import subprocess

import pytest

from .demos import command, png_size

DEMO = command("digits")
ACCURACY = r"held-out +(\d+\.\d+)% of 360 right\n"


def run(*options, before=""):
    return subprocess.run([*command("digits", before), *map(str, options)], capture_output=True, text=True)


def test_the_perceptron_reads_98_of_100(tmp_path):
    ended = run("--quiet", "--out", tmp_path)
    assert float(re.search(ACCURACY, ended.stdout)[1]) >= 98


@pytest.mark.parametrize("network, size, updates", [("mlp", 5000, 5), ("conv", 64, 110)])
def test_a_network_learns_and_its_errors_are_drawn(tmp_path, network, size, updates):
    ended = run("--network", network, "--batch-size", size, "--epochs", 5, "--out", tmp_path / "new")
    losses = [float(loss) for loss in re.findall(r" of 5 +loss (\S+)  held-out \d", ended.stdout)]
    assert len(losses) == 5 and losses[-1] < losses[0] and f", {updates} updates\n" in ended.stdout
    assert ended.stdout.endswith("digits.png\n") and png_size(tmp_path / "new" / "digits.png") == (1800, 880)


def test_an_interruption_ends_with_the_picture(tmp_path):
    demo = [*DEMO, "--epochs", "3000", "--out", tmp_path]
    with subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert "300 of 3,000" in started.stdout.readline()
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate()
    assert started.returncode == 130 and re.search(r"epochs +\d[\d,]* \(stopped\)", said)
    assert png_size(tmp_path / "digits.png") == (1800, 880)


@pytest.mark.parametrize("options", [["--network", "transformer"], ["--batch-size", "-1"]])
def test_bad_values_are_one_line(options, tmp_path):
    ended = run("--out", tmp_path, *options)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(f"digits.py: argument {options[0]}: ")


def test_without_scikit_learn_a_line_says_what_to_install(tmp_path):
    ended = run("--out", tmp_path, before="sys.modules['sklearn'] = None")
    assert ended.returncode == 2
    assert ended.stderr == 'digits.py: sklearn is not installed: pip install -e ".[demo]"\n'
