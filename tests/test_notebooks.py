"""What notebooks show: tables of models, optimizers and programs, and docs/tour.ipynb, which runs.

After a change, `jupyter execute --inplace docs/tour.ipynb` brings what it shows up to date.
"""

import pathlib
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from autograd import Tensor, jit
from autograd.tables import table

ROOT = pathlib.Path(__file__).parent.parent


def cells(html):
    """The text of a table, row by row; it is well-formed."""
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


def test_text_in_a_table_stays_text_and_a_long_one_is_cut():
    html = table("a <caption>", ["<i>", "&lt;"], [["<script>", 1]] * 100)
    assert ElementTree.fromstring(html).find("caption").text == "a <caption>"
    rows = cells(html)
    assert rows[:2] == [["<i>", "&lt;"], ["<script>", "1"]] and rows[-1] == ["... 40 more"] and len(rows) == 62


def test_a_model_is_the_table_that_it_prints():
    model = nn.MLP(2, [3], 1, rng=0)
    rows = cells(model._repr_html_())
    assert rows[0] == ["name", "kind", "shapes", "count"] and rows[-1] == ["", "total", "", "13"]
    assert rows[1] == ["layers.0", "Linear(2 -> 3)", "(2, 3) (3,)", "9"]


def test_an_optimizer_shows_its_groups():
    first, second = Tensor(np.ones(3)), Tensor(np.ones((2, 2)))
    optimizer = nn.SGD([first, {"params": [second], "lr": 0.5}], lr=0.1, momentum=0.9)
    rows = cells(optimizer._repr_html_())
    assert rows[0] == ["lr", "momentum", "nesterov", "weight_decay", "parameters", "numbers"]
    assert rows[1:] == [["0.1", "0.9", "False", "0.0", "1", "3"], ["0.5", "0.9", "False", "0.0", "1", "4"]]

    class Plain(nn.optim.Optimizer):
        """Of a user, and no dataclass."""

    assert cells(Plain([first], 0.1)._repr_html_()) == [["lr", "parameters", "numbers"], ["0.1", "1", "3"]]


def test_jitted_functions_and_programs():
    f = jit(lambda x: (x * 2.0).sin(), backend="python")
    assert cells(f._repr_html_()) == [["inputs", "operations", "backend"]]
    f(Tensor([1.0, 2.0]))
    assert cells(f._repr_html_())[1] == ["<x (2,) float64>", "2", "python (as asked for)"]
    assert cells(f.program._repr_html_()) == [
        ["", "word", "of", "static", "shape", "dtype"],
        ["0: x", "input", "", "", "(2,)", "float64"],
        ["1", "mul", "0: x, 2.0", "", "(2,)", "float64"],
        ["2", "sin", "1", "", "(2,)", "float64"],
    ]


def test_the_tour_runs():
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs docs/tour.ipynb, and is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel runs docs/tour.ipynb, and is not installed")
    pytest.importorskip("pygraphviz", reason="docs/tour.ipynb draws")
    import nbformat

    tour = nbformat.read(ROOT / "docs" / "tour.ipynb", as_version=4)
    before = [shown(cell) for cell in tour.cells]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Jupyter's own parts
        nbclient.NotebookClient(tour, timeout=60, resources={"metadata": {"path": str(ROOT)}}).execute()
    assert [shown(cell) for cell in tour.cells] == before


def shown(cell):
    """What a cell shows: kinds of pictures, and the text that is the same each time."""
    outputs = [output["data"] for output in cell.get("outputs", []) if output["output_type"] == "execute_result"]
    return [sorted(data) if "image/svg+xml" in data else data["text/plain"] for data in outputs]
