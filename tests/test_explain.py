"""explain: what its page tells is what the engine computes, names stay text, large graphs are collapsed."""

import html
import html.parser
import json
import math
import pathlib
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, define, detect_anomaly, explain
from autograd.explaining import formulas, told_of
from autograd.explaining.layout import layered
from autograd.explaining.story import MOST
from autograd.operation import BUILT_IN
from nn.scalar import MLP

from .demos import command

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--",
    "<img src=x onerror=alert(1)>",
    '"><b>',
    "&lt;",
    "\ud800",
    "\u2028",
]


class Reader(html.parser.HTMLParser):
    """A page as a browser takes it apart: elements, and what is in its scripts."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def told(node, tmp_path):
    """What the page tells, read from the file."""
    path = explain(node, tmp_path / "page.html").path
    return json.loads(Reader(path.read_text()).scripts[0])


def numbers(value):
    return np.array(value, dtype=object).astype(float)  # "NaN" and "Infinity" are texts


def summed(story):
    """The gradients that the page adds up, by the names of its boxes."""
    sums = {story["output"]: np.ones_like(numbers(story["boxes"][story["output"]]["value"]))}
    for i in story["backward"]:
        for part in story["boxes"][i]["handed"]:
            sums[part["to"]] = sums.get(part["to"], 0.0) + numbers(part["added"])
    return {box["name"]: sums.get(i, 0.0) for i, box in enumerate(story["boxes"])}


UNARY = ["tanh", "exp", "relu", "sigmoid", "sin", "abs", "square", "neg"]
BINARY = ["add", "sub", "mul", "truediv", "maximum"]


@st.composite
def graphs(draw, leaf):
    """A graph of a few operations on three leaves, some of them used often."""
    nodes = [leaf(draw(st.floats(-2, 2)), name) for name in "abc"]
    for _ in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(UNARY + BINARY))
        args = [nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(1 + (name in BINARY))]
        nodes.append(BUILT_IN[name](*args))
    return nodes[:3], nodes[-1]


def array_leaf(x, name):
    return Tensor(x * np.array([[1.0, -2.0], [0.5, 3.0]]), name=name)


@pytest.mark.parametrize("leaf", [lambda x, name: Value(x, name=name), array_leaf], ids=["Value", "Tensor"])
def test_what_is_added_up_is_what_backward_adds(leaf):
    @given(graphs(leaf))
    def check(graph):
        leaves, output = graph
        output = output if isinstance(output, Value) else output.sum()
        with np.errstate(all="ignore"):
            sums = summed(told_of(lambda: output))
        assert all(not np.any(x.grad) if x.grad is not None else True for x in leaves)
        output.backward()
        for x in leaves:
            if x.name in sums:
                np.testing.assert_array_equal(sums[x.name], x.grad)

    check()


def test_each_part_is_the_gradient_times_the_local_derivative(tmp_path):
    a, b = Value(0.5, name="a"), Value(-3.0, name="b")
    d = a * b + (b / a).tanh() - a**3
    d.name = "d"
    story = told(d, tmp_path)
    boxes, sums = story["boxes"], summed(story)
    parts = [(box, part) for box in boxes for part in box.get("handed", ())]
    assert len(parts) == 10
    for box, part in parts:
        assert math.isclose(part["added"], sums[box["name"]] * part["slope"], rel_tol=1e-15)
    assert [part["slope"] for part in boxes[2]["handed"]] == [-3.0, 0.5]


def test_rules_are_those_of_the_rows(tmp_path):
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    (product,) = [box for box in told(a * b, tmp_path)["boxes"] if "row" in box]
    text = lambda markup: "".join(ElementTree.fromstring(f"<math>{markup}</math>").itertext())
    assert text(product["row"]) == "mul(x,y)=x·y" and text(product["formula"]) == "a·b"
    assert text(product["numbers"]) == "2·(−3)"
    assert [text(part["row"]) for part in product["handed"]] == ["g·y", "g·x"]
    assert [text(part["local"]) for part in product["handed"]] == ["b", "a"]
    (matmul,) = [
        box
        for box in told((Tensor(np.eye(2), name="W") @ np.ones(2)).sum(), tmp_path)["boxes"][1:]
        if "@" in box.get("formula", "")
    ]
    assert "slope" not in matmul["handed"][0]


@pytest.mark.parametrize("operation", BUILT_IN.values(), ids=BUILT_IN)
def test_every_row_is_mathematics(operation):
    for tree in (operation.value, *filter(None, operation.pullbacks)):
        markup = formulas.mathematics(tree, {}).markup
        assert ElementTree.fromstring(f"<math>{markup}</math>") is not None and "{" not in markup.replace(
            "<mo>{</mo>", ""
        )


def test_parentheses_stand_where_they_are_needed():
    names = {"x": formulas.number(-2), "y": formulas.Formula("<mi>a</mi><mo>+</mo><mi>b</mi>", formulas.SUM)}
    shown = {}
    for name in ("add", "sub", "mul", "pow", "neg", "truediv"):
        markup = formulas.mathematics(BUILT_IN[name].value, names).markup
        shown[name] = "".join(ElementTree.fromstring(f"<math>{markup}</math>").itertext())
    assert shown == {
        "add": "−2+(a+b)", "sub": "−2−(a+b)", "mul": "(−2)·(a+b)", "pow": "(−2)a+b", "neg": "−(−2)", "truediv": "−2a+b",
    }  # fmt: skip
    relu = formulas.mathematics(BUILT_IN["relu"].pullbacks[0], {}).markup
    assert "".join(ElementTree.fromstring(f"<math>{relu}</math>").itertext()) == "{gif\N{NO-BREAK SPACE}out≠00else"
    assert formulas.number(-0.0).markup == "<mn>0</mn>" and "∞" in formulas.number(-math.inf).markup


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_only_a_name(name, tmp_path):
    x = Value(2.0, name=name)
    clean, page = (Reader(explain(y * 3, tmp_path / "page.html").page) for y in (Value(2.0, name="x"), x))
    assert page.elements == clean.elements and len(page.scripts) == 2
    boxes = json.loads(page.scripts[0])["boxes"]
    assert boxes[0]["name"] == name
    for markup in (boxes[0]["symbol"], boxes[1]["formula"], boxes[1]["handed"][0]["symbol"]):
        known = {"math", "mrow", "mi", "mn", "mo"}
        assert {tag for tag, _ in Reader(f"<math>{markup}</math>").elements} <= known
    (tag, attributes), *more = Reader(explain(x * 3, tmp_path / "page.html")._repr_html_()).elements
    assert tag == "iframe" and not more and attributes["srcdoc"] == (tmp_path / "page.html").read_text()


def test_the_page_is_alone_and_written_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explanation = explain(Value(1.0) * 2)
    text = pathlib.Path(explanation).read_text()
    assert text == explanation.page and [p.name for p in tmp_path.iterdir()] == ["explain.html"]
    assert not [
        a for _, a in Reader(text).elements if set(a) & {"src", "href"} and a != {"rel": "icon", "href": "data:,"}
    ]
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "") and "/*" not in text
    with pytest.raises(FileNotFoundError):
        explain(Value(1.0) * 2, tmp_path / "nowhere" / "page.html")


def test_what_cannot_be_explained_is_refused(tmp_path):
    with pytest.raises(TypeError, match="not float"):
        explain(2.0, tmp_path / "page.html")
    with pytest.raises(TypeError, match="returns a Value or a Tensor, not int"):
        explain(lambda: 3, tmp_path / "page.html")
    with pytest.raises(ValueError, match=r"shape \(2,\) needs a seed"):
        explain(Tensor([1.0, 2.0]) * 2, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_a_leaf_what_is_not_finite_and_what_is_not_used(tmp_path):
    assert [box["value"] for box in told(Value(math.inf), tmp_path)["boxes"]] == ["Infinity"]
    with np.errstate(all="ignore"):
        story = told((Tensor([1.0, 0.0], name="x").log() * Tensor([math.nan, 1.0])).sum(), tmp_path)
    assert [box["value"] for box in story["boxes"]][:3] == [[[1.0, 0.0]], [[0.0, "-Infinity"]], [["NaN", 1.0]]]
    dead = told(Value(-1.0, name="x").relu() * Value(2.0).sign(), tmp_path)
    assert not summed(dead)["x"] and [len(box["handed"]) for box in dead["boxes"] if "handed" in box] == [1, 0, 2]


def test_arrays_are_shown_in_part_and_broadcasting_is_said(tmp_path):
    w, b = Tensor(np.arange(1200.0).reshape(20, 60), name="w"), Tensor(np.ones(60, np.float32), name="b")
    boxes = {box["name"]: box for box in told((w + b).mean(), tmp_path)["boxes"]}
    assert np.shape(boxes["w"]["value"]) == (12, 24) and boxes["w"]["shape"] == "(20, 60) float64, shown in part"
    assert boxes["b"]["single"] and [part.get("summed") for part in boxes["v1"]["handed"]] == [None, "(20, 60) → (60,)"]


def test_a_new_axis_is_a_part_of_an_index(tmp_path):
    boxes = told(Tensor([1.0, 2.0], name="x")[None].sum(), tmp_path)["boxes"]
    assert "None" in boxes[1]["formula"] and "None" not in boxes[2]["formula"]


def test_values_beside_arrays_and_operations_of_the_user(tmp_path):
    cube = define("cubed_here(x) = x ** 3 | g * (3 * x ** 2)")
    halved = define("halved_here", lambda x: x / 2, [lambda g, out, x: g / 2])
    a, w = Value(2.0, name="a"), Tensor([1.0, -1.0], name="w")
    output = halved((cube(w) * a * a).sum())
    sums = summed(told(output, tmp_path))
    output.backward()
    assert sums["a"] == a.grad and np.array_equal(sums["w"][0], w.grad)


def test_a_function_tells_lines_and_modules(tmp_path):
    model = nn.MLP(2, [3], 1, rng=0)
    x = np.ones((4, 2))

    def loss():
        out = model(x)
        return (out * out).mean()

    with detect_anomaly():
        story = told(loss, tmp_path)
    boxes = {box["name"]: box for box in story["boxes"]}
    assert {"layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"} < set(boxes)
    assert boxes["v1"]["module"] == "layers.0: Linear(2 -> 3)" and "weight" in boxes["v1"]["formula"]
    assert boxes["v1"]["line"].endswith("\nout = model(x)") and f"{__file__}, line " in boxes["v1"]["line"]
    assert boxes["v5"]["module"] == "" and boxes["v5"]["line"].endswith("return (out * out).mean()")


def test_a_large_graph_is_collapsed_by_module_or_in_parts(tmp_path):
    model, x = MLP(2, [16, 16, 1], rng=1), [Value(0.5, name="x0"), Value(-1.0, name="x1")]
    output = model(x)
    known, unknown = told(lambda: model(x), tmp_path), told(output, tmp_path)
    titles = [box["name"] for box in known["boxes"]]
    assert titles == ["x0", "x1", *(f"layers.{i}.neurons.{j}" for i, n in enumerate((16, 16, 1)) for j in range(n))]
    assert unknown["boxes"][0]["name"].startswith("part 1 of ") and len(unknown["boxes"]) <= MOST < unknown["nodes"]
    assert "22 operations: 9 ×, 9 +, 4 relu" in [box["contents"] for box in unknown["boxes"]]
    output.backward()
    assert summed(known)["x0"] == pytest.approx(x[0].grad) and summed(known)["x1"] == pytest.approx(x[1].grad)
    bias = next(leaf for leaf in known["boxes"][-1]["leaves"] if leaf["name"] == "layers.2.neurons.0.b")
    assert bias["gradient"] == model.layers[2].neurons[0].b.grad == 1.0


def test_parameters_of_a_model_that_is_called_often_are_one_box(tmp_path):
    model, xs = MLP(2, [16, 16, 1], rng=1), [[0.5, -1.0], [2.0, 1.0]]
    story = told(lambda: sum(model(x) ** 2 for x in xs), tmp_path)
    assert [box["name"] for box in story["boxes"]].count("MLP") == 2 and len(story["boxes"]) < 10
    sum(model(x) ** 2 for x in xs).backward()
    (shared,) = [box for box in story["boxes"] if box["name"] == "shared parameters"]
    found = {leaf["name"]: leaf["gradient"] for leaf in shared["leaves"]}
    assert shared["contents"] == "337 leaves" and len(found) + shared["more"] == 337
    assert found["layers.0.neurons.0.b"] == pytest.approx(model.layers[0].neurons[0].b.grad)


@st.composite
def orders(draw):
    return [
        sorted(draw(st.sets(st.integers(0, i - 1), max_size=3))) if i else [] for i in range(draw(st.integers(1, 30)))
    ]


@given(orders())
def test_boxes_stand_apart_and_after_what_they_are_made_of(below):
    points, ways = layered(below)
    assert len(points) == len(below) and len(ways) == sum(map(len, below))
    for a in range(len(points)):
        for b in range(a):
            assert points[a][0] != points[b][0] or abs(points[a][1] - points[b][1]) > 0.99
    for way, (i, j) in zip(ways, [(i, j) for i, boxes in enumerate(below) for j in boxes]):
        assert (
            way[0] == points[j] and way[-1] == points[i] and [p[0] for p in way] == [*range(way[0][0], way[-1][0] + 1)]
        )
    assert min(p[1] for p in points) >= 0 and min(p[0] for p in points) >= 0


def test_a_chain_is_straight_with_its_leaves_beside_it_and_ways_are_shared():
    leaves = [[] for _ in range(10)]
    chain = [[0, 1], *([10 + i, i + 2] for i in range(8))]
    points, _ = layered(leaves + chain)
    assert len({place for _, place in points[10:]}) == 1 and len({place for _, place in points[2:10]}) == 1
    _, ways = layered([[], [0], [0, 1], [0, 2], [0, 3]])
    long = sorted((way for way in ways if len(way) > 2), key=len)
    assert all(longer[: len(way) - 1] == way[:-1] for way, longer in zip(long, long[1:]))


def test_the_demo_plays_an_expression_and_a_neuron(tmp_path):
    image = pytest.importorskip("PIL.Image")
    run = subprocess.run([*command("backprop"), "--out", tmp_path], capture_output=True, text=True, check=True)
    assert "24.7041   d/da 138.8338   d/db 645.5773" in run.stdout and "0.7071   d/dx1 -1.5" in run.stdout
    files = [f"{name}.{form}" for name in ("expression", "neuron") for form in ("gif", "html")]
    assert sorted(p.name for p in tmp_path.iterdir()) == files
    with image.open(tmp_path / "neuron.gif") as picture:
        shown = []
        for i in range(picture.n_frames):
            picture.seek(i)
            shown.append(picture.convert("RGB").tobytes())
    assert len(set(shown)) == len(shown) == 13
