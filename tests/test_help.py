"""What help(), dir() and inspect.signature say is there and true, before and after the first use."""

import importlib
import inspect
import re
import subprocess
import sys

import pytest

import autograd
import autograd.numpy as anp
import nn
from autograd import Tensor, Value
from autograd.methods import BINARY, UNARY, install
from autograd.node import Node
from autograd.operation import ELEMENTWISE, OPERATIONS

from .demos import command

METHODS = {f"__{row.name}__" if row.name in BINARY + UNARY else row.name: row for row in ELEMENTWISE}
METHODS["__pos__"] = OPERATIONS["alias"]
METHODS |= {f"__r{name}__": OPERATIONS[name] for name in BINARY}
ATTRIBUTES = "data grad name operation args when shape ndim size dtype T mT".split()
PUBLIC = [
    (module.__name__, name)
    for module in (autograd, nn, nn.scalar)
    for name in getattr(module, "__all__", ["MLP", "Layer"])
]


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_methods_of_the_table_say_what_they_are_before_and_after_their_first_call(kind):
    install(kind.reading)  # as on import
    for name in METHODS.keys() & vars(kind).keys():
        row, method = METHODS[name], vars(kind)[name]
        expected = ["self"] if len(row.arguments) == 1 else ["self", "other"]
        for called in (False, True):
            assert list(inspect.signature(method).parameters) == expected
            assert method.__name__ == name and method.__qualname__ == f"{kind.__name__}.{name}"
            assert method.__doc__ == row.__doc__ and row.name in row.__doc__
            if not called:
                method(*[kind(1.5 if name == "arccosh" else 0.5)] * len(expected))
            before, method = method, vars(kind)[name]
        assert method is before and method.__code__.co_name == row.name


@pytest.mark.parametrize("name", sorted(anp.ROWS.keys() - {"where"}))
def test_functions_of_the_table_say_what_they_are(name):
    function, row = getattr(anp, name), anp.ROWS[name]
    assert inspect.isfunction(function) and function.__name__ == function.__qualname__ == name
    assert function.__module__ == "autograd.numpy" and function.__doc__ == row.__doc__
    assert list(inspect.signature(function).parameters) == row.names


def test_every_function_of_numpy_here_has_a_text():
    for name in set(anp.__all__) - {"linalg"}:
        assert getattr(anp, name).__doc__, name
        assert inspect.signature(getattr(anp, name)).parameters, name
    for name in anp.linalg.__all__:
        assert getattr(anp.linalg, name).__doc__, name


DEMOS = "digits gpt least_squares microgpt moons names_rnn newton rosenbrock".split()


@pytest.mark.parametrize("demo", ["gaussian", *DEMOS])
def test_a_demos_help_says_the_defaults(demo):
    said = subprocess.run([*command(demo), "--help"], capture_output=True, text=True, check=True).stdout
    defaults = {"batch-size": 16, "learning-rate": 0.002, "iterations": 5_000_000, "seed": 12}
    assert demo in DEMOS or all(f"--{name} {value}" in " ".join(said.split()) for name, value in defaults.items())
    for option in re.findall(r"^  (--[a-z-]+ .*(?:\n    .*)*)", said, re.MULTILINE):
        assert demo not in DEMOS or "(default: " in " ".join(option.split()), option


@pytest.mark.parametrize("module, name", PUBLIC)
def test_what_is_public_has_a_text_and_is_listed(module, name):
    home = importlib.import_module(module)
    thing = getattr(home, name)
    assert inspect.getdoc(thing) and name in dir(home)
    if inspect.isclass(thing):
        for method, function in vars(thing).items():
            assert method.startswith("_") or not inspect.isfunction(function) or inspect.getdoc(function), method


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_every_attribute_of_a_node_has_a_text(kind):
    for name in dir(kind):
        if not name.startswith("_") and name != "reading":
            assert inspect.getdoc(inspect.getattr_static(kind, name)), name
    assert all(inspect.getdoc(getattr(Tensor, name)) for name in ATTRIBUTES)
    assert type(Node.__slots__) is dict


@pytest.mark.parametrize(
    "topic, expected",
    [
        ("autograd.Value.tanh", "tanh(self"),
        ("autograd.Value", "The number, a float"),
        ("autograd.Tensor.T", "The axes in reverse order"),
        ("autograd.numpy.exp", "exp(x"),
        ("autograd.numpy.relu", "maximum(x, 0.0)"),
        ("autograd.grad", "TypeError"),
        ("nn.Linear", "unlike PyTorch"),
        ("nn.SGD", ">= 0, <= 1"),
    ],
)
def test_help_shows_it(topic, expected):
    found = subprocess.run([sys.executable, "-m", "pydoc", topic], capture_output=True, text=True, check=True).stdout
    assert expected in found
