"""docs/limits.md: each line does what it says, and what it says to write instead works."""

import contextlib
import io
import pathlib
import re
import warnings

import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("scipy.sparse")
PAGE = (pathlib.Path(__file__).parent.parent / "docs" / "limits.md").read_text()
NAMES = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
BLOCKS = re.findall(r"```python\n([^`]*)```\n\n```\n([^`]*)```", PAGE)
ROWS = re.findall(r"^\| `(.+?)` \| `(.+?)`.*? \|(.*)\|$", PAGE, re.M)


def outcome(code, scope):
    """What some code prints, else the number that it is, else the error that it raises."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            try:
                value = eval(code, scope)
            except SyntaxError:
                exec(code, scope)
                return out.getvalue().strip()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return repr(value)


@pytest.fixture
def scope():
    found = {"__name__": "limits"}
    exec(NAMES, found)
    return found


@pytest.mark.parametrize("code, expected, instead", ROWS, ids=[row[0] for row in ROWS])
def test_what_happens(code, expected, instead, scope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pattern = ".*".join(map(re.escape, expected.split("...")))
    found = outcome(code, scope)
    assert re.fullmatch(pattern, found, re.S), found
    assert not any(tmp_path.iterdir())
    for code in re.findall("`(.+?)`", instead):
        assert "Error: " not in outcome(code, scope), outcome(code, scope)


def test_every_line_is_read():
    assert len(ROWS) == PAGE.count("\n| `") > 45
    assert PAGE.count("```python") == 1 + len(BLOCKS)


@pytest.mark.parametrize("code, printed", BLOCKS)
def test_what_to_write_prints_what_it_says(code, printed, scope):
    assert outcome(code, scope).split() == printed.split()
