"""NumPy's warnings, and what hides something, are brought to the user's line; nothing is silent."""

import os
import pathlib
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, define, grad, gradients, hvp, jit, jvp, vjp

ZEROS = np.array([0.0, 1.0])
WARNING = [
    (lambda x: x.log(), "divide by zero encountered in log"),
    (lambda x: anp.log(x), "divide by zero encountered in log"),
    (lambda x: 1 / x, "divide by zero encountered in divide"),
    (lambda x: x / x, "invalid value encountered in divide"),
    (lambda x: np.arccosh(x), "invalid value encountered in arccosh"),
    (lambda x: anp.mean(x + 1.5e308), "overflow encountered in reduce"),  # a word of ours in between
    (lambda x: (x + 1e308).sum(), "overflow encountered in reduce"),
    (lambda x: nn.MSE()(x * 1e300, ZEROS), "overflow encountered in multiply"),  # nn is no user
    (lambda x: anp.logsumexp(x * np.inf), "invalid value encountered in multiply"),
    (lambda x: grad(lambda x: x.log().sum())(x.data), "divide by zero encountered in log"),
]


@pytest.mark.parametrize("f, message", WARNING, ids=[f"{i}: {message}" for i, (_, message) in enumerate(WARNING)])
def test_a_warning_names_the_users_line(f, message):
    x, line = Tensor(ZEROS), f.__code__.co_firstlineno
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        value = f(x)
    assert [(str(w.message), w.filename, w.lineno) for w in found] == [(message, __file__, line)]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(getattr(value, "data", value), getattr(f(x), "data", f(x)))


def test_warnings_as_errors_and_errors_of_numpy_are_what_they_are():
    x = Tensor(ZEROS)
    with pytest.raises(RuntimeWarning, match="^divide by zero encountered in log$") as caught:
        x.log()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="log: x of shape .*: divide by zero"):
        x.log()
    with pytest.raises(ValueError, match="add: x of shape .*broadcast"):
        x + np.ones(3)
    heard = []
    with np.errstate(divide="call", call=lambda kind, flag: heard.append(kind)):
        assert x.log().data[0] == -np.inf and heard == ["divide by zero"]


def test_settings_of_warnings_are_the_users(capfd):
    x = Tensor(ZEROS)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        for _ in range(3):
            x.log()
        x.log()
    assert len(found) == 2  # once for each line
    with warnings.catch_warnings(), np.errstate(divide="warn"):
        warnings.simplefilter("ignore")
        assert x.log().data[0] == -np.inf
    before = np.geterr(), warnings.filters[:]
    with pytest.raises(RuntimeWarning):
        x.log()
    assert (np.geterr(), warnings.filters[:]) == before and capfd.readouterr() == ("", "")


def test_the_plain_reading_of_a_row_and_other_threads():
    found = []

    def run():
        norm = define("as_sum(x) = 1 / x | g")(ZEROS)  # on an array
        found.append(norm)
        found.append(Tensor(ZEROS).log())

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert [w.filename for w in heard] == [__file__] * 2 and found[0].tolist() == [np.inf, 1.0]


@pytest.mark.parametrize("option", ["default", "error"])
def test_a_program_sees_its_own_line(tmp_path, option):
    program = tmp_path / "program.py"
    program.write_text("from autograd import Tensor\nx = Tensor([0.0])\n\ny = x.log()\n")
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(nn.__file__).parent.parent)}
    command = [sys.executable, "-W", option, str(program)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    if option == "error":
        assert ran.returncode == 1 and ran.stderr.endswith("RuntimeWarning: divide by zero encountered in log\n")
        assert "TypeError" not in ran.stderr and f'"{program}", line 4' in ran.stderr
    else:
        shown = f"{program}:4: RuntimeWarning: divide by zero encountered in log\n  y = x.log()\n"
        assert (ran.returncode, ran.stderr) == (0, shown)


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
PLACES = np.ma.array([0, 1, 2], mask=[False, True, False])
CHOICE = np.ma.array([True, True, False], mask=[False, True, False])
X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "use",
    [
        lambda x: Tensor(MASKED),
        lambda x: Tensor([MASKED, X]),
        lambda x: Tensor([[[1.0, 2.0, 3.0], MASKED]]),
        lambda x: Tensor([np.ma.masked, 1.0]),
        lambda x: x + MASKED,
        lambda x: x + [MASKED],
        lambda x: MASKED @ x,
        lambda x: x > MASKED,
        lambda x: np.where(CHOICE, x, 0.0),
        lambda x: x[PLACES],
        lambda x: x[CHOICE],
        lambda x: anp.outer(x, X)[:, CHOICE],
        lambda x: jit(lambda y: y[CHOICE].sum())(X),
        lambda x: anp.take(x, PLACES),
        lambda x: anp.take_along_axis(x, PLACES, 0),
        lambda x: anp.repeat(x, PLACES),
        lambda x: anp.delete(x, PLACES),
        lambda x: anp.full_like(x, MASKED),
        lambda x: anp.stack([x, MASKED]),
        lambda x: x.backward(MASKED),
        lambda x: gradients(x.exp(), [x], seed=MASKED),
        lambda x: grad(lambda y: y.sum())(MASKED),
        lambda x: grad(lambda y: (y * MASKED).sum())(X),
        lambda x: vjp(lambda y: y * y, X)[1](MASKED),
        lambda x: jvp(lambda y: y * y, (X,), (MASKED,)),
        lambda x: hvp(lambda y: (y * y).sum())(X, MASKED),
        lambda x: jit(lambda y: (y * MASKED).sum())(X),
        lambda x: nn.CrossEntropy()(anp.outer(x, X), PLACES),
        lambda x: nn.Linear(3, 1, rng=0)(MASKED),
        lambda x: nn.Linear(1, 3, rng=0).load_state_dict({"weight": np.ones((1, 3)), "bias": MASKED}),
        lambda x: nn.save("never", {"x": MASKED}),
    ],
)
def test_a_mask_is_refused_wherever_it_arrives(use):
    with pytest.raises(TypeError, match="would lose its mask"):
        use(Tensor(X))


@pytest.mark.parametrize("use", [lambda x: x + MASKED, lambda x: MASKED * x, lambda x: Value(np.ma.masked)])
def test_a_mask_beside_a_number_is_refused(use):
    with pytest.raises(TypeError):
        use(Value(1.0))


def test_backward_leaves_alone_what_it_does_not_reach():
    x, y = Tensor(X), Tensor(X)
    before = x.grad
    y.sum().backward()
    assert x.grad is before is None
    x.sum().backward()
    y.sum().backward()
    assert x.grad.tolist() == [1.0] * 3
    assert gradients(y.sum(), [x])[0].tolist() == [0.0] * 3


@pytest.mark.parametrize(
    "call, name",
    [
        *[(lambda x, f=f: f(x), rf"fft\.{f.__name__}") for f in (np.fft.fft, np.fft.irfft, np.fft.fft2, anp.fft.rfft)],
        (lambda x: np.linalg.eig(x), r"numpy\.linalg\.eig"),
        (lambda x: anp.linalg.eigvals(x), r"numpy\.linalg\.eigvals"),
        (lambda x: np.linalg.eig([x, x]), r"np\.linalg\.eig: a Tensor does not turn into an array"),
        (lambda x: np.fft.rfft([x]), r"np\.fft\.rfft: a Tensor does not turn"),
        (lambda x: np.asarray(x), r"np\.asarray: a Tensor does not turn"),
        (lambda x: np.random.normal(Value(1.0)), r"np\.random\.normal: a Value does not turn"),
        (lambda x: scipy.linalg.expm(x), r"scipy\.linalg\.expm: a Tensor does not turn"),
        (lambda x: scipy.special.erf(x), "erf is not differentiated"),
        (lambda x: anp.roots(x[0]), r"numpy\.roots"),
        (lambda x: np.unique(x), r"numpy\.unique"),
        (lambda x: x * 1j, "real numbers, not complex128"),
        (lambda x: Value(1.0) + 1j, "real number, not 1j"),
        (lambda x: Tensor([1j]), "real numbers, not complex128"),
        (lambda x: x.astype(complex), "holds floats, not complex128"),
    ],
)
def test_what_is_not_differentiated_is_named(call, name):
    with pytest.raises(TypeError, match=name):
        call(Tensor(np.eye(2)))


def test_plain_arrays_warn_at_the_users_line_and_into_out_once():
    x = np.array([-1.0, 0.0, 4.0])
    for name, *others in (["sqrt"], ["log"], ["divide", 0.0], ["power", -0.5]):
        with pytest.warns(RuntimeWarning) as found:
            ours = getattr(anp, name)(x, *others)
        assert {w.filename for w in found} == {__file__}
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(ours, getattr(np, name)(x, *others))
    out = x.copy()
    with pytest.warns(RuntimeWarning):
        anp.divide(out, np.array([2.0, 0.0, 2.0]), out=out)
    np.testing.assert_array_equal(out, [-0.5, np.nan, 2.0])


def test_a_node_that_is_written_into_an_array_is_told_what_to_do_instead():
    def at_a_place(x, z):
        z[0] = x[0]
        return z.sum()

    def at_a_slice(x, z):
        z[0:2] = x[0:2]
        return z.sum()

    for f, wrong in ((at_a_place, ValueError), (at_a_slice, TypeError)):
        with pytest.raises(TypeError, match="a Tensor is not written into an array of numbers.*with stack"):
            grad(f)(np.ones(3), np.zeros(3))
        with pytest.raises(wrong) as caught:
            f(Tensor(np.ones(3)), np.zeros(3))
        assert "is not written into an array" in str(caught.value.__cause__ or caught.value)
    with pytest.raises(TypeError, match="a Value is not written into an array"):
        at_a_place([Value(1.0)], np.zeros(3))
    with pytest.raises(ValueError, match="setting an array element"):  # the user's own
        grad(lambda x: np.zeros(2).__setitem__(0, [1.0, 2.0]))(1.0)


def test_a_function_of_scipy_is_not_called_one_of_numpy():
    with pytest.raises(TypeError, match="^gammaln is not differentiated: use one of autograd.numpy or autograd.scipy"):
        grad(scipy.special.gammaln)(2.0)
    with pytest.raises(TypeError, match=r"gammaln\(\) of a node was called inside jit.* or autograd.scipy"):
        jit(scipy.special.gammaln)(2.0)
    with pytest.raises(TypeError, match="not builtin_function_or_method, which the function may find by name"):
        jit(lambda f, x: f(x))(len, 2.0)
