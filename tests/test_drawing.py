"""Pictures of graphs: what is in them, and names that try to be more than names."""

from xml.etree import ElementTree

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import nn
import nn.scalar
from autograd import Tensor, Value, define, draw, grad, gradients, jit
from autograd import numpy as anp
from autograd.graph import history

pygraphviz = pytest.importorskip("pygraphviz")
SVG = "{http://www.w3.org/2000/svg}"
BATCH = np.random.default_rng(0).normal(size=(5, 2))
HELD = []


@pytest.fixture(autouse=True)
def dropped():
    """Let go of what was held."""
    yield
    HELD.clear()


def as_read(*what, **options):
    """The drawing as another program reads it; it is held, since its nodes do not hold it."""
    HELD.append(pygraphviz.AGraph(string=draw(*what, **options).source))
    return HELD[-1]


def parsed(*what, **options):
    """Its boxes and circles by label, and its edges by their labels."""
    graph = as_read(*what, **options)
    labels = {node: node.attr["label"] for node in graph.nodes()}
    return sorted(labels.values()), sorted((labels[a], labels[b]) for a, b in graph.edges())


def frames(graph, above=()):
    """Each frame's path of labels, and the labels of what stands directly in it."""
    inner = graph.subgraphs()
    here = [*above, *([graph.graph_attr["label"]] if above or graph.name.startswith("cluster") else [])]
    nodes = {node for node in graph.nodes() if not any(node in part.nodes() for part in inner)}
    found = {tuple(here): sorted(node.attr["label"] for node in nodes)}
    for part in inner:
        found |= frames(part, here)
    return found


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
    assert "x\\n(2, 3) float32" in labels and "Σ axis=0" in labels
    assert "Σ" in parsed(x.sum())[0]  # axis=None says nothing
    assert "getitem [0, 1:]" in parsed(x[0, 1:])[0] and "getitem [::2]" in parsed(x[::2])[0]
    out.backward(np.array([1.0, 2.0, 3.0]))
    assert "x\\n(2, 3) float32\\ngrad 1 … 3" in parsed(out)[0]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_numbers_are_right_and_never_minus_zero(number):
    (shown,) = parsed(Value(number))[0]
    assert shown != "-0" and float(shown) == pytest.approx(number, rel=1e-3)


def test_which_argument_is_which_is_written_at_arrows_where_it_matters():
    x, y = Value(2.0, name="x"), Value(3.0, name="y")
    heads = {edge[0].attr["label"]: edge.attr["headlabel"] for edge in as_read(x - y).edges()}
    assert heads == {"x\\n2": "x", "y\\n3": "y", "−": ""}
    assert not any(edge.attr["headlabel"] for edge in as_read(x * y).edges())


def test_a_shared_node_is_drawn_once_and_several_roots_share():
    x = Value(2.0)
    y = x * x
    assert len(parsed(y, y + 1, y + y)[0]) == 2 + 1 + 3 + 2  # x, y; ×; two + with a constant; the two sums


def test_the_graph_of_a_gradient_stands_beside_the_function():
    x = Value(0.5, name="x")
    y = (x * x).sin()
    (g,) = gradients(y, [x], create_graph=True)
    y.name, g.name = "y", "slope"
    found = frames(as_read(y, g))
    assert found[()] == ["x\\n0.5"] and found[("y",)] == sorted(["×", "0.25", "sin", "y\\n0.2474"])
    assert "cos" in found[("slope",)] and "slope\\n0.9689" in found[("slope",)]
    assert len(found) == 3 and len(as_read(y, g).nodes()) == len(history(y, g)) * 2 - 1 + 1  # a leaf, a constant


def test_nan_and_infinity_stand_out_and_are_counted():
    with np.errstate(all="ignore"):
        out = Tensor([1.0, -1.0, 0.0], name="x").log()
    styles = {node.attr["label"]: (node.attr["color"], node.attr["penwidth"]) for node in as_read(out).nodes()}
    assert styles["(3,) float64\\n1 NaN, 1 inf of 3"] == ("#d55e00", "2.5") != styles["x\\n(3,) float64"]
    assert "NaN" in parsed(Value(np.nan))[0] and "-inf" in parsed(Value(-np.inf))[0]
    assert '"#000000"' in draw(out, arrays="heatmap").source


def test_arrays_as_summary_and_as_heat_map():
    x = Tensor([[0.0, -2.0], [1.0, 4.0]], name="a<b")
    assert "a<b\\n(2, 2) float64\\n-2 … 4, mean 0.75, 1 are 0" in parsed(x, arrays="summary")[0]
    (box,) = as_read(x, arrays="heatmap").nodes()
    table = ElementTree.fromstring(box.attr["label"])
    cells = [cell for cell in table.iter("TD") if "BGCOLOR" in cell.attrib]
    assert ["".join(cell.itertext()) for cell in cells] == ["0", "-2", "1", "4"]
    assert len({cell.get("BGCOLOR") for cell in cells}) == 4 and cells[3].get("BGCOLOR") == "#e69f00"
    assert "".join(table.find("TR").itertext()) == "a<b(2, 2) float64"
    large = ElementTree.fromstring(as_read(Tensor(np.eye(100)), arrays="heatmap").nodes()[0].attr["label"])
    assert len(large.findall("TR")) == 13 and "12 of 100 rows12 of 100 columns" in "".join(large.itertext())
    with pytest.raises(ValueError, match="'pie'"):
        draw(x, arrays="pie")


def test_edges_by_gradient():
    x, y = Value(3.0, name="x"), Value(-1.0, name="y")
    out = x * 100 + y.relu() + y * -0.001
    out.backward()
    found = as_read(out, gradients=True).edges()
    edges = {(edge[0].attr["label"].split("\\n")[0], edge[1].attr["label"]): edge for edge in found}
    wide, narrow, dead = edges["x", "×"], edges["y", "×"], edges["y", "relu"]
    assert (wide.attr["label"], narrow.attr["label"], dead.attr["label"]) == ("100", "-0.001", "0")
    assert float(wide.attr["penwidth"]) > float(narrow.attr["penwidth"]) and dead.attr["style"] == "dashed"
    before = x.grad, y.grad
    draw(out, gradients=True)
    assert (x.grad, y.grad) == before
    for what in ((Value(1.0) * 2,), (lambda a: a * y, 2.0), (x,)):
        with pytest.raises(ValueError, match=r"backward\(\) first"):
            draw(*what, gradients=True)


def test_an_infinite_gradient_is_a_heavy_edge():
    out = Value(0.0).sqrt() * 3.0
    out.backward()
    (edge,) = [edge for edge in as_read(out, gradients=True).edges() if edge.attr["label"] == "inf"]
    assert edge.attr["penwidth"] == "4" and edge.attr["color"] == "#d55e00"


def test_methods_that_a_module_calls_of_itself_have_no_frames():
    assert draw(nn.Attention(4, 2, rng=0), np.ones((3, 4))).source.count("subgraph") == 4  # its Linear layers


def test_a_long_name_is_cut_and_its_tooltip_has_it_all():
    (node,) = as_read(Value(1.0, name="long " * 50)).nodes()
    assert len(node.attr["label"]) < 70 and "…" in node.attr["label"] and "long " * 50 in node.attr["tooltip"]


def test_a_function_of_the_users_is_told_by_its_name_in_a_program():
    twice = jit(define("drawn_twice", lambda x: 2 * x, [lambda g, out, x: 2 * g]), "python")
    twice(np.ones(3))
    assert [x.attr["tooltip"] for x in as_read(twice).nodes() if x.attr["label"] == "drawn_twice"] == ["drawn_twice"]


def test_edges_show_what_arrives_and_nothing_where_nothing_was_selected():
    x, b, z = Tensor(np.ones((4, 3))), Tensor(np.ones(3), name="b"), Value(0.0, name="z")
    (x + b).sum().backward()
    out = (x + b).sum()
    out.backward()
    assert {e[0].attr["label"][:1]: e.attr["label"] for e in as_read(out, gradients=True).edges()}["b"] == "4"
    out = (z.log() * 0.0).relu()
    out.backward()
    assert {e.attr["label"] for e in as_read(out, gradients=True).edges()} <= {"0", "1", None, ""}


def test_edges_by_gradient_of_every_kind_of_node():
    x, w = Value(2.0), Tensor(np.ones(3))
    out = (jit(lambda w: w * w)(w) * x)[1:].sum()
    out.backward()
    edges = as_read(out, gradients=True).edges()
    labels = [edge.attr["label"] for edge in edges if not edge[0].endswith("made")]
    assert "4" in labels and all(labels)


class Twice(nn.Module):
    """Uses one layer twice, and has a parameter of its own."""

    def __init__(self):
        self.inner = {"same": [nn.Linear(2, 2, rng=0)]}
        self.scale = Tensor(2.0)
        self.calls = np.zeros(1)

    def forward(self, x):
        self.calls = self.calls + 1
        return self.inner["same"][0](self.inner["same"][0](x)) * self.scale


def test_a_model_is_grouped_by_module_and_parameters_have_paths():
    found = frames(as_read(nn.MLP(2, [3], 1, rng=0), BATCH))
    first, relu, last = (
        "layers.0: Linear(2 -> 3), 9 parameters",
        "layers.1: ReLU",
        "layers.2: Linear(3 -> 1), 4 parameters",
    )
    assert set(found) == {(), (first,), (relu,), (last,)} and found[()] == ["x\\n(5, 2) float64"]
    assert {"layers.0.weight\\n(2, 3) float64", "layers.0.bias\\n(3,) float64"} < {*found[(first,)]}
    assert found[(relu,)] == ["(5, 3) float64", "relu"]
    assert draw(nn.MLP(2, [3], 1, rng=0), BATCH).graph_attr["rankdir"] == "LR"
    assert 'label="MLP, 13 parameters"' in draw(nn.MLP(2, [3], 1, rng=0), BATCH).source


def test_each_call_has_its_frame_and_what_they_share_has_one_of_its_own():
    model = Twice()
    graph = as_read(model, BATCH)
    labels = [part.graph_attr["label"] for part in graph.subgraphs()]
    assert sorted(labels) == ["inner.same.0: Linear(2 -> 2), 6 parameters"] * 2 + ["shared parameters"]
    found = frames(graph)
    assert "inner.same.0.weight\\n(2, 2) float64" in found["shared parameters",] and "scale\\n2" in found[()]
    assert model.calls == 0  # what forward assigned was taken back


def test_depth_collapses_modules_to_boxes():
    model = nn.Sequential(nn.MLP(2, [3], 1, rng=0), nn.Tanh())
    labels, edges = parsed(model, BATCH, depth=1)
    first = "layers.0: MLP\\n(5, 2) → (5, 1)\\n13 parameters, 3 operations"
    second = "layers.1: Tanh\\n(5, 1) → (5, 1)\\n1 operation"
    assert labels == sorted(["x\\n(5, 2) float64", first, second])
    assert edges == [(first, second), ("x\\n(5, 2) float64", first)]
    assert len(parsed(model, BATCH, depth=2)[0]) == 6 and len(parsed(model, BATCH, depth=0)[0]) == 2
    with pytest.raises(ValueError, match="depth is a whole number"):
        draw(model, BATCH, depth=-1)


def test_modules_of_numbers_and_any_function():
    labels, _ = parsed(nn.scalar.MLP(2, [3, 1]), [1.0, 2.0], depth=1)
    assert "layers.0: Layer\\n2 × number → 3 × number\\n9 parameters, 15 operations" in labels
    labels, _ = parsed(nn.scalar.MLP(2, [3, 1]), [1.0, 2.0])
    assert "x[1]\\n2" in labels and any(label.startswith("layers.0.neurons.2.w.1\\n") for label in labels)
    model, loss = nn.MLP(2, [], 1, rng=0), nn.MSE()
    found = frames(as_read(lambda x, y: loss(model(x), y), BATCH, BATCH[:, :1]))
    assert ("MLP, 3 parameters",) in found and {"x\\n(5, 2) float64", "y\\n(5, 1) float64", "mean"} < {*found[()]}
    assert {"x\\n2", "cos"} < {*parsed(grad(lambda x: anp.sin(x)), 2.0)[0]}
    with pytest.raises(TypeError, match="returned no Value or Tensor"):
        draw(lambda x: 3.0, 2.0)


def test_a_program_and_what_was_recorded_for_it():
    def twice(x):
        return anp.tanh(x * 2.0) + anp.tanh(x * 2.0)

    compiled = jit(twice)
    with pytest.raises(RuntimeError, match="not been called"):
        draw(compiled)
    found = frames(as_read(compiled, 0.5))
    before, after = found["1. as recorded",], found["2. the program",]
    assert before.count("tanh") == 2 and after.count("tanh") == 1 and {"x\\n0.5"} < {*before}
    assert parsed(compiled)[0] == after == parsed(compiled.program)[0]
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    step(BATCH, BATCH[:, :1])
    assert "@" in parsed(step)[0]
    with pytest.raises(TypeError, match="give it alone"):
        draw(step, BATCH, BATCH[:, :1])


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
    "a:b:c",
    "a & b;",
    "/* x",
    "# x",
    "&lt;",
    "&amp;",
    "a&#65;b&&#x41;",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("node", [Value(1.0), Tensor([1.0, 2.0])])
def test_a_name_is_only_a_name(name, node):
    node.name = name
    out = node * 2
    graph = as_read(out)
    assert len(graph.nodes()) == 4 and len(graph.edges()) == 3
    clean = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in name)
    for arrays in ("shape", "heatmap"):
        picture = ElementTree.fromstring(draw(out, arrays=arrays).pipe("svg", encoding="utf-8"))
        shown = [text.text.replace("\N{NO-BREAK SPACE}", " ") for text in picture.iter(f"{SVG}text")]
        shown = [text.replace("\N{WORD JOINER}", "") for text in shown]
        assert {*clean.split("\n"), "×"} <= {*shown}
        assert sum(g.get("class") == "node" for g in picture.iter(f"{SVG}g")) == 4
        assert not [a for a in picture.iter(f"{SVG}a") if any(key.endswith("href") for key in a.attrib)]
