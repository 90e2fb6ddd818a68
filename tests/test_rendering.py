"""render writes pictures by whatever of Graphviz is there; notebooks show what is small."""

import shutil
import struct
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from autograd import Tensor, Value, draw, drawing, render

pytest.importorskip("pygraphviz")

SVG = "{http://www.w3.org/2000/svg}"


def test_titles_and_tooltips():
    picture = ElementTree.fromstring(draw(Tensor([1.0, 3.0], name="x").exp()).pipe("svg", encoding="utf-8"))
    titles = {title.text for title in picture.iter(f"{SVG}title")}
    assert {"x 0", "graph"} < titles
    tips = [a.get("{http://www.w3.org/1999/xlink}title") for a in picture.iter(f"{SVG}a")]
    assert "x\n(2,) float64\n1 … 3, mean 2" in tips and any("d/dx: g * out" in tip for tip in tips)


def test_what_is_no_node_is_refused():
    with pytest.raises(TypeError, match="not 2.0"):
        draw(Value(1.0), 2.0)
    with pytest.raises(TypeError, match="not None"):
        draw()


@pytest.mark.parametrize("name, start", [("graph.svg", b"<?xml"), ("graph.PNG", b"\x89PNG"), ("graph.pdf", b"%PDF")])
def test_render_writes_pictures(tmp_path, name, start):
    out = (Value(1.0, name="x") * 2).tanh()
    for path in (render(out, tmp_path / name), render(out, path=str(tmp_path / name))):
        assert path.read_bytes().startswith(start) and [p.name for p in tmp_path.iterdir()] == [name]


def test_pixels_are_small_enough_to_be_sharp(tmp_path):
    path = render(Value(1.0, name="x") * 2, tmp_path / "graph.png")
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert 300 < width < 800 and 60 < height < 300


@pytest.mark.parametrize("name", ["graph", "graph.xyz", "graph.docx", ".svg"])
def test_render_needs_a_known_format(tmp_path, name):
    with pytest.raises(ValueError, match=r"says the format, which is one of svg, png, pdf"):
        render(Value(1.0), tmp_path / name)
    with pytest.raises(TypeError, match=r'render\(loss, "loss.svg"\)'):
        render(Value(1.0))


def without_dot(monkeypatch, pygraphviz_too=False):
    monkeypatch.setenv("PATH", "")
    if pygraphviz_too:
        monkeypatch.setitem(sys.modules, "pygraphviz", None)


def test_pygraphviz_alone_is_enough(tmp_path, monkeypatch):
    without_dot(monkeypatch)
    graph = draw(Value(2.0) * 3)
    assert "<svg" in graph._repr_mimebundle_()["image/svg+xml"] and graph.pipe("png").startswith(b"\x89PNG")
    assert render(Value(1.0) * 2, tmp_path / "graph.svg").exists()


def test_without_graphviz_the_graph_is_written_and_the_error_says_what_to_install(tmp_path, monkeypatch):
    without_dot(monkeypatch, pygraphviz_too=True)
    with pytest.raises(RuntimeError, match=r"(?s)pip install pygraphviz.*apt install graphviz.*brew.*graph\.gv"):
        render(Value(1.0) * 2, path=tmp_path / "graph.svg")
    assert (tmp_path / "graph.gv").read_text().startswith("digraph") and not (tmp_path / "graph.svg").exists()
    assert (Value(2.0) * 3)._repr_html_() is None
    assert list(draw(Value(2.0) * 3)._repr_mimebundle_()) == ["text/plain"]
    monkeypatch.setitem(sys.modules, "graphviz", None)
    drawing.dot._class.cache_clear()
    with pytest.raises(ImportError, match="pip install graphviz"):
        draw(Value(1.0))
    assert (Value(2.0) * 3)._repr_html_() is None


def test_the_dot_program_is_used_where_there_is_one(monkeypatch):
    import graphviz

    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/dot")
    monkeypatch.setattr(graphviz.Digraph, "pipe", lambda self, form, **_: f"{form} by dot")
    assert draw(Value(1.0)).pipe("svg", encoding="utf-8") == "svg by dot"


def test_a_notebook_shows_numbers_first_and_a_picture_of_what_is_small():
    x = Tensor([1.0, 2.0], name="<x>")
    shown = (x * 3)._repr_html_()
    assert (
        shown.startswith("<pre>Tensor([3., 6.])</pre><svg") and "<b>" not in Value(1.0, name="<b>").exp()._repr_html_()
    )
    assert x._repr_html_() is None  # a leaf: there is no graph
    y = x
    for _ in range(59):
        y = y + 1
    assert "<svg" in y._repr_html_() and (y + 1)._repr_html_() is None
    assert Tensor(np.zeros(200_000)).exp()._repr_html_() is None
