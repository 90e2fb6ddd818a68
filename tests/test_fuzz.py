"""Random programs, calls and texts come to what they should, and so does each that once did not."""

import contextlib
import random
import re

import numpy
import pytest

import autograd.numpy as np
from autograd import Tensor, TracingError, grad, jit, scan, vmap
from autograd.tree import flatten

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")

from autograd.scipy import special  # noqa: E402

from .fuzz import texts  # noqa: E402
from .fuzz.calls import arguments, drawing  # noqa: E402
from .fuzz.calls import comparing as calls  # noqa: E402
from .fuzz.hunting import Hunt  # noqa: E402
from .fuzz.peers.comparing import Peer  # noqa: E402
from .fuzz.programs import templates, text  # noqa: E402
from .fuzz.programs.drawing import drawn  # noqa: E402
from .fuzz.programs.running import run  # noqa: E402
from .fuzz.programs.text import BACKENDS  # noqa: E402

ROW = numpy.arange(3.0)
FOUND = {  # what random programs found, as small as it can be
    "an integer array is reshaped as its method is called": (
        lambda x: x.reshape(-1, 1).transpose(1, 0),
        [ROW.astype(int)],
    ),
    "a product with a row of integers": (lambda x, y: x @ y, [numpy.ones((1, 1)), numpy.array([2])]),
    "a row of the table that NumPy has no function for, of constants": (lambda x: x * np.softmax(ROW), [ROW]),
    "the same in vmap": (vmap(lambda x: x * np.norm(ROW)), [ROW]),
    "padding a number": (lambda x: np.pad(x, 1), [numpy.array(2.0)]),
    "an integer of 32 bits beside a larger one": (lambda x: [x < 2**40, 2**40 <= x], [ROW.astype("i4")]),
    "an integer of 64 bits beside one": (
        lambda x: [x < 2**53, x == 2**53],
        [numpy.array([2**53 - 1, 2**53, 2**53 + 1])],
    ),
    "a bound that is no number": (lambda x: [np.clip(x, -1.0, numpy.nan), np.clip(x, numpy.nan, x)], [ROW]),
    "remainders by no number": (lambda x: [x % numpy.nan, x < x % numpy.nan, x // numpy.nan, x % numpy.inf], [ROW]),
    "large products of small integers": (lambda x: [np.prod(x), np.cumprod(x)], [numpy.full(9, 65537, "i4")]),
    "means of large integers": (lambda x: [np.mean(x), np.var(x, 0)], [numpy.array([[-(2**63)], [-(2**63)], [4]])]),
    "a mask that is carried": (
        lambda x: grad(lambda x: np.sum(scan(lambda a, b: (a, np.relu(b)), numpy.array([True]), x)[1]))(x),
        [ROW],
    ),
    "a mask by zero, and by infinity": (lambda m: [m / -0.0, m * numpy.inf], [ROW > 1]),
    "choices by integers": (lambda i, x: np.choose(i % 2, [x, -x]), [ROW.astype(int), numpy.ones((2, 3))]),
    "large integers in a loop": (lambda x: scan(lambda a, b: (a * 3, a), x, length=3), [numpy.array([2**53 + 1])]),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name, backend):
    function, args = FOUND[name]
    with numpy.errstate(all="ignore"):
        expected = flatten(function(*(Tensor(x) if x.dtype.kind == "f" else x for x in args)))
    for ours, theirs in zip(flatten(jit(function, backend=backend)(*args)), expected, strict=True):
        theirs = numpy.asarray(theirs.data if isinstance(theirs, Tensor) else theirs)
        numpy.testing.assert_allclose(ours, theirs, rtol=1e-12)
        assert numpy.shape(ours) == theirs.shape and ours.dtype == theirs.dtype


def test_integers_in_functions_that_llvm_does_not_print():
    def f(x):
        return [
            np.median(x),
            np.quantile(x, 0.25),
            *np.average(x, returned=True),
            np.argsort(x[0]),
            np.argmax(x[0], -1),
        ]

    x = numpy.array([1, 2, 5])
    for ours, theirs in zip(jit(f)(x), f(x), strict=True):
        numpy.testing.assert_array_equal(ours, theirs)
        assert numpy.asarray(ours).dtype == theirs.dtype


def test_a_word_that_is_not_printed_and_does_not_broadcast():
    with pytest.raises(TypeError, match="searchsorted of integers is not printed"):
        jit(lambda x: np.searchsorted([0, 1], x), backend="llvm")(numpy.ones((2, 3), int))


def test_what_is_refused_is_said_and_not_what_comes_of_trying_on():
    with pytest.raises(ValueError, match="cannot reshape"):
        jit(lambda x: np.take(x, x % 2).reshape(3))(numpy.arange(4))


def test_every_function_is_drawn_in_programs():
    lines = " ".join(templates.COMMON + templates.RARE)
    found = {*re.findall(r"\.(\w+)", lines), *re.findall(r"(?<!\.)\b(\w+)\(", lines)}
    plain = """around iscomplexobj isrealobj may_share_memory result_type histogram2d histogramdd histogram_bin_edges
    linalg""".split()
    assert found.issuperset({*np.__all__, *np.linalg.__all__, *text.TRANSFORMS} - {*plain})


def test_a_program_is_printed_as_it_runs(capsys):
    for number in range(12):
        program = drawn(random.Random(number), steps=6)
        with numpy.errstate(all="ignore"), contextlib.suppress(TracingError, TypeError):
            exec(program.text(), {})
    assert len(capsys.readouterr().out.splitlines()) > 24


FAKE = """
import types
import numpy
enter = leave = numpy.asarray
SCOPE = {"np": types.SimpleNamespace(sin=numpy.sin, cos=numpy.sin, sign=lambda x: numpy.where(x < 0.0, -2.0, 1.0))}
"""


def test_a_peer_that_is_off_is_found_out_but_not_where_it_leaps(tmp_path, monkeypatch):
    (tmp_path / "of_fake.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def said(word, *numbers):
        x = numpy.array(numbers)
        program = text.Program({"x0": (x, x)}, (text.Line(("v0",), f"np.{word}(x0)"),), ("v0",))
        return peer.difference(program, [[(getattr(numpy, word)(x), numpy.zeros(x.shape))]])

    with Peer("fake") as peer:
        assert peer.starts()
        assert said("sin", 0.5, 2.0) is None
        assert said("cos", 0.5, 2.0).startswith("in fake: call 0, result 0: value")
        assert said("sign", 0.0, 2.0) is None
        assert said("sign", -0.5, 2.0).startswith("in fake: call 0, result 0: value")
        assert said("tan", 0.5, 2.0) is None and peer.compared == 2
        assert [*peer.refused] == ["AttributeError: 'types.SimpleNamespace' object has no attribute 'tan'"]
        assert said("sin", 0.5) is None
    assert not Peer("nowhere").starts()


def test_random_programs():
    ran, _, failures = run(seed=0, seconds=60, most=60)
    assert ran > 50 and not failures


# calls that came to something else than NumPy's, or did not refuse what it refuses, as small as they can be
CALLS_FOUND = """
np.clip(T([1.0]), 0.0, np.nan)
np.round(T([1.25], 'f4'), np.int64(1))
np.var(T([1.0, 2.0], 'f4'), ddof=np.int64(1))
np.max(T([1.0], 'f4'), initial=np.int64(2))
np.linalg.norm(T([1.0], 'f4'), ord=np.float64(3))
np.linalg.norm(T(np.zeros((0,))), -1)
np.linalg.norm(T([1.0]), 1, axis=(0,))
np.reshape(T([1.0]), shape=None)
np.reshape(T([1.0]), -1, 'K')
np.ravel(T([[1.0, 2.0]]), 'F')
np.cumsum(T([1.0]), (0,))
np.cumprod(T([1.0]), (0,))
np.sort(T([1.0]), (0,))
np.sort(T([1.0]), kind='x')
np.stack([T([1.0])], (0,))
np.split(T([1.0]), 1, (0,))
np.sum(T([1.0]), [0])
np.sum(T([1.0]), 1.5)
np.sum(T(1.0), -1)
np.cumsum(T(1.0), 0)
np.max(T([1.0]), initial=[0.5])
np.diff(T([1.0]), -1)
np.diff(T(1.0), 0)
np.ldexp(T([1.0], 'f4'), np.array([1]))
np.linalg.cond(T([[0.0, 0.0]]))
np.linalg.cond(T([[0.0, 0.0]]), -2)
np.linalg.multi_dot([T([[1.0]]), T([[1.0]]), V(1.0)])
np.linalg.multi_dot([T(2.0), T([3.0])])
np.linalg.norm(T(np.zeros((0, 3))), 2)
np.linalg.norm(T(np.zeros((3, 0))), 1)
np.linalg.norm(T([[2.0]]), 'f')
special.logsumexp(T(np.zeros((0,))), b=T(np.zeros((0,))))
special.logsumexp(T([1000.0, 2.0]), b=T([0.0, 1.0]))
np.diff(T([1.0, 2.0, 4.0]), 2)
np.diff(T([1.0, 2.0, 4.0]), 9)
np.diff(T([1.0, 2.0]), 0, prepend=1.0)
np.linalg.norm(T([[[1.0]]]), 'fro')
np.einsum('ii', T([[1.0], [1.0], [1.0]]))
np.einsum('i,i', T(np.zeros((0,))), T([1.0]))
np.broadcast_to(T([[1.0]]), ())
np.tensordot(T([1.0]), T([1.0]), 2)
np.tensordot(T([1.0]), T([1.0]), np.int64(1))
np.tensordot(T([[1.0]]), T([[1.0]]), ([0, 0], [0, 0]))
np.pad(T(1.0), 1)
np.convolve(T([1.0]), T([1.0]), 'x')
np.convolve(T(1.0), [1.0])
np.transpose(T([[1.0]]), ())
np.transpose(T([[1.0, 2.0]]), np.array([1, 0]))
np.linspace(T(1.0, 'f4'), T(2.0, 'f4'), np.int64(1), False, True)
np.take(T([1.0]), [])
np.take_along_axis(T([1.0]), np.array([True]))
np.append(T([1.0]), [])
np.meshgrid(T([1.0]), np.array([1]))
np.nanmedian(T(np.zeros((2, 0))), 0)
np.nanmin(T(np.zeros((0,))), initial=1.0)
np.cumulative_sum(T(np.zeros((0,))))
np.gradient(T([1.0, 2.0]), axis=(0, 0))
np.linspace(1.0, T([2.0]), 1, retstep=True)
np.geomspace(T([1.0]), T([0.0]))
np.select([T([1.0])], [T([1.0])])
np.piecewise(T([1.0]), [np.array([True, True])], [np.sin])
np.matvec(T([1.0]), T([1.0]))
np.trapezoid(T([[1.0, 2.0], [3.0, 4.0]]), dx=np.array([1.0, 2.0]), axis=0)
np.vander(T([[1.0]]))
np.asarray(T([1.0]), order='X')
np.asfortranarray(T(1.0))
np.linalg.matrix_power(T([1.0]), 0)
np.linalg.multi_dot([T([1.0])])
np.linalg.outer(T([1.0]), 1.0)
np.linspace(T([1.0], 'f4'), 1.0, np.int64(1), False)
np.nanstd(np.array(np.zeros((0, 3))), where='a', mean=np.mean(T(np.zeros((0, 3))), 0, keepdims=True))
special.polygamma('a', T([1.0]))
special.gammaincc(T([1.0]), None)
special.multigammaln(T([1.0]), 1.5)
stats.beta.logpdf(T([2.0]), T([1.0]), T([0.0]))
stats.chi2.pdf(T([1.0, -1.0]), 0.0)
stats.poisson.pmf(T([-1.0, 1.0]), T([-1.0]))
stats.poisson.cdf(T([-1.0, 1.0]), T([-1.0]))
stats.gamma.logpdf(T([1.0, 2.0]), T([1.0, 2.0, 3.0]))
stats.multivariate_normal.logpdf(T([1.0, 2.0]))
stats.multivariate_normal.pdf(T([[1.0, 2.0]]), T([[1.0, 2.0]]))
np.convolve(T([1.0, 2.0, 3.0]), V(1.0), 0)
np.convolve(T([1.0, 2.0]), T([1.0, 2.0, 3.0, 4.0]), 's')
np.sum(T([1.0]), dtype=bool)
np.nansum(T([1.0, np.nan]), dtype=int)
np.prod(T([2.5]), dtype=int, initial=1.0)
np.nanprod(T(np.zeros((0, 3))), 0, int)
np.mean(T([1.0]), dtype=int)
np.nanstd(T([1.0]), dtype=int)
np.var(T([1.0], 'f4'), -1, 'f2', mean=T([1.0], 'f4'))
np.cov(T([1.0, 1.0, 0.0]), bias=None)
np.average(T([1.0, 2.0]), weights=np.array([1, 3]), returned=True)
np.ediff1d(1.5, T([1.0]))
np.ediff1d(np.array([1, 3]), T([1.0]))
np.ediff1d(T([1.0, 3.0], 'f4'), T([1.0]), [0.5])
np.average(1.5, None, T(2.0))
np.average(T([[1.0, 2.0]]), np.array([0, 1]))
np.linspace(T(3.0), 3.0, 7)
np.linspace(T(1.0), T(2.0), dtype=int)
np.polyval([1.0, 2.0], T([1.0], 'f4'))
np.interp(V(1.0), [0.0, 1.0], [2.0, 4.0], T([1.0]), [0.5], 1.0)
np.extract(T(np.zeros((0,))), [])
np.broadcast_to(T(1.0), (2, 3), True)
np.multiply.reduce(T(1.0), 1)
numpy.exp(T([1.0]), out=np.zeros(1))
numpy.exp(T([1.0]), where=np.array([True]))
np.spacing(T([3.0]), out=T([1.0]))
np.spacing(T([3.0]), T([1.0]))
np.argmax(T([3.0]), 0, T(1.0))
1.0 in T([[1.0, 2.0]])
3.0 in T(1.0)
T([1.0, 2.0]).item()
T([1.0]).sum(axis=9)
T([1.0]).mean(dtype='x')
T([1.0]).astype('x')
T([1.0]).squeeze(1.5)
T([1.0]).flatten('X')
""".strip().splitlines()


@pytest.mark.parametrize("text", CALLS_FOUND)
def test_what_calls_found(text):
    assert calls.difference(text) is None


def test_every_argument_of_every_function_is_drawn():
    for name in drawing.NAMES:
        for parameter in drawing.parameters(name):
            assert drawing.templates(name, parameter.name), f"{name}: what is {parameter} drawn from?"


def test_every_name_is_drawn():
    tables = {"np": np, "np.linalg": np.linalg, "special": special}
    names = {f"{home}.{name}" for home, module in tables.items() for name in module.__all__} - {"np.linalg"}
    methods = {f".{name}" for name in dir(Tensor) if hasattr(numpy.ndarray, name) and name[0] != "_"}
    expressions = " ".join(" ".join(arguments.TABLE[name]) for name in drawing.EXPRESSIONS)
    assert names <= {*drawing.NAMES}
    assert methods - {*drawing.NAMES} <= {*re.findall(r"\.\w+", expressions), ".data"}


def test_random_calls():
    hunt = Hunt(calls.difference, calls.sort_of, seed=0, prefix="")
    hunt.run({"calls": lambda choices: drawing.call(choices.one_of(drawing.NAMES), choices)}, seconds=60, most=300)
    assert hunt.tried == 300 and not hunt.failures


def test_a_failure_is_made_small_and_kept_once(capsys):
    def longer_than_three(text):
        return f"length {len(text)}" if len(text) > 3 else None

    hunt = Hunt(longer_than_three, texts.sort_of, seed=0, prefix="again")
    hunt.run({"x": lambda choices: "".join(choices.some("ab", 9))}, seconds=60, most=9)
    (said,) = hunt.failures.values()
    assert (
        re.fullmatch(r"aaaa\n# length 4\n# again: again --seed 0 --only 'x' --first \d --most 1\n", said)
        and "aaaa" in capsys.readouterr().out
    )


TEXTS_FOUND = {
    "signs": f"of_a_row('f(x) = {'-' * 200}x | g')",
    "parentheses": f"of_a_row('f(x) = {'(' * 300}x{')' * 300} | g')",
    "a dtype that NumPy reads as Python": "Tensor([1.0]).astype('0)')",
    "one of a Tensor": "Tensor([1.0], '0)')",
}


@pytest.mark.parametrize("text", TEXTS_FOUND.values(), ids=TEXTS_FOUND)
def test_what_texts_found(text):
    assert texts.difference(text) is None


def test_random_texts():
    hunt = Hunt(texts.difference, texts.sort_of, seed=0, prefix="")
    hunt.run(texts.MAKERS, seconds=60, most=25)
    assert hunt.tried == 150 and not hunt.failures
