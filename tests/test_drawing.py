"""Pictures of graphs: what is in them, names that try to be more than names, and machines without Graphviz."""

import shutil
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from autograd import Tensor, Value, draw, drawing, render

pygraphviz = pytest.importorskip("pygraphviz")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(*nodes):
    """The drawing as another program reads it: its boxes and circles by label, and its edges by their labels."""
    graph = pygraphviz.AGraph(string=draw(*nodes).source)
    labels = {node: node.attr["label"] for node in graph.nodes()}
    return sorted(labels.values()), sorted((labels[a], labels[b]) for a, b in graph.edges())


def test_leaves_operations_constants_and_edges():
    x, y = Value(2.0, name="x"), Value(-3.0, name="y")
    out = x * y + 10
    labels, edges = parsed(out)
    assert labels == sorted(["x\\n2", "y\\n-3", "×", "-6", "+", "10", "4"])
    assert edges == sorted([("x\\n2", "×"), ("y\\n-3", "×"), ("×", "-6"), ("-6", "+"), ("10", "+"), ("+", "4")])


def test_gradients_appear_after_backward():
    x = Value(2.0, name="x")
    out = x**3
    assert not any("grad" in label for label in parsed(out)[0])
    out.backward()
    assert "x\\n2\\ngrad 12" in parsed(out)[0] and "8\\ngrad 1" in parsed(out)[0]


def test_arrays_show_shape_dtype_and_static_arguments():
    x = Tensor(np.ones((2, 3)), np.float32, name="x")
    out = x.sum(0)
    labels, _ = parsed(out)
    assert "x\\n(2, 3) float32" in labels and "sum axis=(0,)" in labels
    out.backward(np.array([1.0, 2.0, 3.0]))
    assert "x\\n(2, 3) float32\\ngrad 1 … 3" in parsed(out)[0]


def test_a_shared_node_is_drawn_once_and_several_roots_share():
    x = Value(2.0)
    y = x * x
    assert len(parsed(y, y + 1, y + y)[0]) == 2 + 1 + 3 + 2  # x, y; ×; two + with a constant; the two sums


NAMES = [
    '"];evil [label="',
    "\\N",
    "\\l",
    "a\\nb",
    "<b>bold</b>",
    "<",
    "tab\there",
    'quote"',
    '\\"',
    "back\\",
    "{a|b}",
    "<a>\n<b>",
    "ünï ∂",
    "\\",
    "\x00\x1b[31m",
    "\ud800",
    "%s{}",
    "->",
    "a & b;",
    "/* x",
    "# x",
    "&lt;",
    "&amp;",
    "a&#65;b&&#x41;",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(name):
    x = Value(1.0, name=name) * 2
    graph = pygraphviz.AGraph(string=draw(x).source)
    assert len(graph.nodes()) == 4 and len(graph.edges()) == 3
    picture = ElementTree.fromstring(drawing.svg(x))
    shown = [text.text.replace("\N{NO-BREAK SPACE}", " ") for text in picture.iter(f"{SVG}text")]
    shown = [text.replace("\N{WORD JOINER}", "") for text in shown]
    clean = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in name)
    assert sorted(shown) == sorted([*clean.split("\n"), "1", "×", "2", "2"])
    assert not list(picture.iter(f"{SVG}a")) and sum(g.get("class") == "node" for g in picture.iter(f"{SVG}g")) == 4


def test_what_is_too_large_or_no_node_is_refused():
    x = y = Value(1.0)
    for _ in range(1500):
        y = y + 1
    assert draw(y).source.count('label="+"') == 1500
    for _ in range(1500):
        y = y + 1
    with pytest.raises(ValueError, match="3001 nodes is too large to look at"):
        draw(y)
    with pytest.raises(TypeError, match="Values and Tensors, not float"):
        draw(x, 2.0)


@pytest.mark.parametrize("name, start", [("graph.svg", b"<?xml"), ("graph.png", b"\x89PNG"), ("graph.pdf", b"%PDF")])
def test_render_writes_pictures(tmp_path, name, start):
    path = render((Value(1.0, name="x") * 2).tanh(), path=tmp_path / name)
    assert path.read_bytes().startswith(start) and [p.name for p in tmp_path.iterdir()] == [name]


def test_render_needs_a_format(tmp_path):
    with pytest.raises(ValueError, match="needs a suffix"):
        render(Value(1.0), path=tmp_path / "graph")


def test_a_notebook_shows_the_picture():
    assert "<svg" in (Value(2.0) * 3)._repr_svg_()


def test_without_graphviz_the_graph_is_written_and_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(RuntimeError, match=r"(?s)pip install pygraphviz.*apt install graphviz.*brew.*graph\.gv"):
        render(Value(1.0) * 2, path=tmp_path / "graph.svg")
    assert (tmp_path / "graph.gv").read_text().startswith("digraph") and not (tmp_path / "graph.svg").exists()
    assert (Value(2.0) * 3)._repr_svg_() is None
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match="pip install graphviz"):
        draw(Value(1.0))


def test_the_dot_program_is_used_where_there_is_one(monkeypatch):
    import graphviz

    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/dot")
    monkeypatch.setattr(graphviz.Digraph, "pipe", lambda self, form: f"{form} by dot".encode())
    assert drawing.svg(Value(1.0)) == "svg by dot"
