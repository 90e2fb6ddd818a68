"""What the Gaussian demo draws: lecture-sized pictures, an animation in even steps of the logarithm, and a window."""

import numpy as np
import pytest

from . import window
from .demos import ROOT, png_size

pytest.importorskip("matplotlib")
from matplotlib import pyplot
from PIL import Image


@pytest.fixture
def gaussian(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "demos")
    import gaussian

    return gaussian


@pytest.fixture
def seen():
    """The titles of all that windows show, from a backend that needs no display."""
    window.shown.clear()
    pyplot.switch_backend("module://tests.window")
    yield window.shown
    pyplot.close("all")
    pyplot.switch_backend("agg")


def started(gaussian, *options):
    return gaussian.Run(gaussian.parse(options)[1])


def frames_of(path):
    with Image.open(path) as film:
        for i in range(film.n_frames):
            film.seek(i)
            yield np.asarray(film.convert("RGB"))


def test_the_readme_shows_a_film_of_frames_that_differ():
    path = ROOT / "docs" / "learning.gif"
    frames = list(frames_of(path))
    assert path.stat().st_size <= 4_000_000 and len(frames) > 40
    assert {frame.shape for frame in frames} == {(600, 900, 3)}
    target, learned, below = (slice(0, 400), slice(0, 450)), (slice(0, 400), slice(450, 900)), slice(420, 600)
    for before, after in zip(frames[1:], frames[2:]):  # the camera turns, and the point moves
        for part in (target, learned, below):
            assert np.any(before[part] != after[part])


def test_pictures_are_of_lecture_size(gaussian, tmp_path):
    run = started(gaussian, "--iterations", "300")
    run.train(range(300))
    for name, write in gaussian.results(run).items():
        write(tmp_path / name)
    for name in ("target", "learned", "error", "loss"):
        assert png_size(tmp_path / f"{name}.png")[0] >= 1200
    frames = list(frames_of(tmp_path / "learning.gif"))
    assert len(frames) == len(run.frames) and len({frame.tobytes() for frame in frames}) == len(frames)


def test_surfaces_are_kept_in_even_steps_of_the_logarithm(gaussian):
    run = started(gaussian, "--iterations", "30000", "--recipe", "fast")
    for first in range(0, 30_000, 1000):
        run.train(range(first, first + 1000))
    zero, *kept, last = [at for at, _ in run.frames]
    assert (zero, kept[0], last) == (0, 100, 30_000)
    np.testing.assert_allclose(np.diff(np.log10(kept)), 1 / 12, atol=0.01)


def test_to_keep_surfaces_changes_nothing(gaussian):
    keeps, keeps_none = started(gaussian), started(gaussian)
    keeps_none.moments = [0]
    assert keeps.train(range(1000)) == keeps_none.train(range(1000))
    for mine, theirs in zip(keeps.model.parameters(), keeps_none.model.parameters()):
        np.testing.assert_array_equal(mine.data, theirs.data)
    assert len(keeps.frames) == 14 and len(keeps_none.frames) == 1


def test_a_window_follows_the_run_until_it_is_closed(gaussian, seen):
    run = started(gaussian, "--iterations", "200", "--plot", "live")
    live = gaussian.opened(run.options)
    live.follow(run.frames)
    assert ["target", "learned in 0 iterations"] in seen
    run.train(range(200))
    live.follow(run.frames)
    assert seen[-1] == ["target", "learned in 200 iterations"] and len(seen) >= len(run.frames)
    count = len(seen)
    live.follow(run.frames)
    assert len(seen) == count  # nothing is new
    pyplot.close(live.figure)
    live.follow([*run.frames, (2000, run.frames[-1][1])])
    assert len(seen) == count


def test_the_demo_shows_itself_while_it_trains(gaussian, seen, tmp_path, capsys):
    options = ["--plot", "live", "--iterations", "150", "--quiet", "--out", str(tmp_path)]
    assert gaussian.main(options) == 0
    assert seen[-1] == ["target", "learned in 150 iterations"] and not capsys.readouterr().err
    assert png_size(tmp_path / "learned.png")


def test_without_a_display_a_line_says_so(gaussian, capsys):
    pyplot.switch_backend("agg")
    assert gaussian.opened(gaussian.parse(["--plot", "live"])[1]) is None
    said = capsys.readouterr().err
    assert said.startswith("there is no display for --plot live") and said.count("\n") == 1
    assert gaussian.opened(gaussian.parse([])[1]) is None and not capsys.readouterr().err
