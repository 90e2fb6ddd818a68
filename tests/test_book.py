"""The book: every page's code prints what stands there, its rows are the table's, its links and pictures are there."""

import contextlib
import io
import pathlib
import re
import runpy
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import autograd
import nn
from autograd import rules

ROOT = pathlib.Path(__file__).parent.parent
BOOK = ROOT / "docs" / "book"
PAGES = sorted(BOOK.glob("[0-9]*.md"))
TEXTS = {page.name: page.read_text() for page in [BOOK / "README.md", *PAGES]}
CODE = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.S | re.M)
LINK = re.compile(r"\]\((\S+?)\)")


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_a_page_prints_what_it_says(page, monkeypatch):
    for needed, module in ((r'"llvm"|TrainStep\(model', "llvmlite"), ("names_data", "names")):
        if re.search(needed, "".join(code for code, _ in CODE.findall(TEXTS[page]))):
            pytest.importorskip(module)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    scope, blocks = {"__name__": "page"}, CODE.findall(TEXTS[page])
    assert len(blocks) == TEXTS[page].count("```python") > 0
    for code, printed in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, scope)
        assert out.getvalue().rstrip() == printed.rstrip()


def test_quoted_rows_are_the_tables():
    table = rules.ELEMENTWISE_ROWS + rules.ARRAY_ROWS
    rows = [row for text in TEXTS.values() for row in re.findall(r"^\w+\([\w, ;]*\) += .*\|.*$", text, re.M)]
    assert len(rows) > 10 and all(f"{row}\n" in table for row in rows)


def test_pages_lead_to_one_another():
    assert LINK.findall(TEXTS["README.md"]) == [page.name for page in PAGES]
    assert re.findall(r"- (\d\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M) == [page.name for page in PAGES]
    for before, page, after in zip([None, *PAGES], PAGES, [*PAGES[1:], None]):
        end = TEXTS[page.name].rpartition("\n---\n")[2]
        assert LINK.findall(end) == [p.name for p in (before, BOOK / "README.md", after) if p]
        for number, title in re.findall(r"\[(\d+)\. ([^\]]*)\]", end):
            assert PAGES[int(number) - 1].read_text().startswith(f"# {number}. {title}")


def test_links_and_pictures_are_there():
    named = {name for text in TEXTS.values() for name in LINK.findall(text)}
    assert all((BOOK / name).is_file() for name in named)
    assert {name for name in named if name.endswith(".svg")} == {path.name for path in BOOK.glob("*.svg")}
    assert all(path.stat().st_size < 60_000 for path in BOOK.glob("*.svg"))


def test_the_pictures_are_drawn(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("MPLBACKEND", "agg")
    runpy.run_path(str(BOOK / "pictures.py"))["main"](tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in BOOK.glob("*.svg")}
    for path in tmp_path.iterdir():
        drawn, kept = (ElementTree.parse(p).getroot() for p in (path, BOOK / path.name))
        assert drawn.tag == kept.tag == "{http://www.w3.org/2000/svg}svg"
        assert sorted(words_in(drawn)) == sorted(words_in(kept))


def words_in(svg):
    """The text of a picture, without its numbers: labels of axes depend on what matplotlib finds room for."""
    texts = ["".join(part.itertext()).strip() for part in svg.iter("{http://www.w3.org/2000/svg}text")]
    return [text for text in texts if re.search("[a-z]", text)]


def test_names_on_the_last_page_exist():
    here = [row.split(" | ")[1] for row in TEXTS[PAGES[-1].name].splitlines() if row.startswith("| ")]
    ours = " ".join(part for cell in here for part in re.findall("`([^`]*)`", cell))
    assert all(hasattr(nn, name) for name in re.findall(r"\bnn\.(\w+)", ours))
    assert all(hasattr(autograd.numpy, name) for name in re.findall(r"\bnp\.(\w+)", ours))
    called = re.findall(r"(?<!class )(?<![\w.])(\w\w+)\(", ours)
    assert all(hasattr(autograd, name) for name in called if name != "print")


def test_the_site_is_built(tmp_path):
    pytest.importorskip("mkdocs")
    site = tmp_path / "site"
    built = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    subprocess.run(built, cwd=ROOT, check=True)
    assert {path.stem for path in site.glob("[0-9]*.html")} >= {page.stem for page in PAGES}
