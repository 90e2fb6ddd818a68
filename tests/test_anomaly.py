"""detect_anomaly names the operation by which a number that is handed out went wrong, and the line of the user."""

import gc
import re
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import (
    AnomalyError,
    Tensor,
    Value,
    checkpoint,
    define,
    detect_anomaly,
    grad,
    gradients,
    hessian,
    jvp,
    no_grad,
)
from autograd.recording import inspection

MASK = np.array([[True, True, False], [True, False, False]])
SCORES = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def said(work, **options):
    """What detect_anomaly says of some work, when it is over at the latest."""
    with pytest.raises(AnomalyError) as caught, detect_anomaly(**options):
        kept = work()  # noqa: F841  # a result that is there at the end
    return str(caught.value)


def infinite_weight():
    model = nn.MLP(2, [3], 1, rng=0)
    model.parameters()[0].data[0, 0] = np.inf
    return model(np.ones((2, 2)))


OF_VALUES = [
    (
        lambda: anp.log(Tensor([[1.0, -1.0, 0.0]], name="w")),
        [
            "the value of log is nan at (0, 1), one of 1 NaN and 1 infinite among 3 elements",
            "log(x) = log(x)",
            "x 'w' of shape (1, 3), -1.0 there",
        ],
    ),
    (lambda: 1.0 / Value(0.0, name="z"), ["the value of truediv is inf", "x = 1.0", "y 'z' = 0.0"]),
    (
        lambda: Tensor([[1e200, 1.0]]) @ np.full((2, 1), 1e200),
        [
            "the value of matmul is inf at (0, 0)",
            "x of shape (1, 2), from 1.0 to 1e+200",
            "y of shape (2, 1), from 1e+200",
        ],
    ),
    # of an infinity that became NaN both are told
    (
        lambda: Value(0.0).log() * 0.0 + 1.0,
        ["the value of mul is nan", "x = -inf", "from log, whose value is -inf, recorded at"],
    ),
    (
        lambda: anp.softmax(anp.where(MASK & False, Tensor(SCORES), -np.inf), -1),
        ["the value of softmax is nan at (0, 0)", "axis = (1,)", "from where, whose value is -inf at (0, 0)"],
    ),
    (
        infinite_weight,
        ["the value of affine is inf at (0, 0)", "y 'weight' of shape (2, 3), 0 NaN and 1 infinite", "by Linear"],
    ),
]
OF_GRADIENTS = [
    (
        lambda: anp.sqrt(Tensor([0.0, 1.0])).sum().backward(),
        [
            "the gradient of sqrt with respect to x is inf at (0,), one of 0 NaN and 1 infinite among 2 elements",
            "d/dx: g * (0.5 / out)",
            "g of shape (2,), 1.0 there",
            "out of shape (2,), 0.0 there",
        ],
    ),
    (lambda: (Value(0.0) ** 0.5).backward(), ["the gradient of pow with respect to x is inf", "x = 0.0", "y = 0.5"]),
    (
        lambda: grad(grad(lambda x: x**1.5))(0.0),
        ["the gradient of lowered with respect to x is inf", "in the gradient of pow"],
    ),
    (
        lambda: hessian(lambda x: anp.sum(x**1.5))(np.zeros(2)),
        ["the gradient of lowered with respect to x is inf at (0,)", "in the gradient of pow"],
    ),
    (
        lambda: grad(lambda w: anp.sum(anp.sqrt(w * SCORES)))(0.0),
        ["the gradient of sqrt with respect to x is inf at (0, 0)"],
    ),
]


@pytest.mark.parametrize("work, parts", OF_VALUES + OF_GRADIENTS)
def test_what_is_said(work, parts):
    text = said(work)
    code = work.__code__
    line = rf"recorded at {re.escape(__file__)}, line (\d+)"
    (found,) = set(re.findall(line, text))
    assert code.co_firstlineno <= int(found) <= code.co_firstlineno + 3
    for part in parts:
        assert part in text
    work()  # outside nothing is looked at


def test_a_result_is_looked_at_when_it_is_dropped_or_at_the_end():
    with detect_anomaly(), pytest.raises(AnomalyError, match="the value of log"):
        anp.log(Tensor([0.0]))
        Tensor([1.0]) + 1.0  # the next operation
        pytest.fail("not seen")
    reached = []
    with pytest.raises(AnomalyError), detect_anomaly():
        loss = anp.log(Tensor([0.0])).sum()
        reached.append(loss)
    assert reached
    with pytest.raises(AnomalyError):
        detect_anomaly()(lambda: anp.log(Value(0.0)))()
    with detect_anomaly():  # each anomaly is told once
        with pytest.raises(AnomalyError):
            anp.log(Value(0.0)).backward()
        assert grad(anp.sin)(0.0) == 1.0


def test_gradients_that_are_not_finite_are_not_added():
    x = Tensor([0.0, 1.0])
    x.grad = before = np.ones(2)
    said(lambda: anp.sqrt(x).sum().backward())
    assert x.grad is before
    assert "the gradient of a leaf of shape (1,)" in said(lambda: anp.exp(Tensor([1.0])).backward(np.array([np.inf])))


def huber(x):
    return anp.where(abs(x) < 1.0, 0.5 * x**2, abs(x) - 0.5)


MASKED = {
    "softmax of where": lambda x: anp.softmax(anp.where(MASK, x, -np.inf), -1)[:, 0].sum(),
    "softmax of a sum": lambda x: anp.log_softmax(x + np.where(MASK, 0.0, -np.inf), -1)[:, 0].sum(),
    "logsumexp": lambda x: anp.logsumexp(anp.where(MASK, x, -np.inf), -1).sum(),
    "min": lambda x: anp.min(anp.where(MASK, x, np.inf)),
    "log": lambda x: anp.sum(anp.where(x - 2.0 > 0, anp.log(x - 2.0), 0.0)),
    "quotient": lambda x: anp.sum(anp.where(x != 3.0, 1.0 / (x - 3.0), 0.0)),
    "root": lambda x: anp.sum(anp.sqrt(anp.relu(x - 3.0))),
    "guard": lambda x: anp.where(anp.isfinite(1.0 / (x[0, 2] - 3.0)), 0.0, x[0, 0]),
    "comparison": lambda x: anp.sum(anp.where(anp.log(x - 2.0) > 0, x, 0.0)),
    "place": lambda x: x.ravel()[anp.argmax(anp.where(MASK, x, -np.inf))],
    "parts": lambda x: anp.split(anp.log(x - 2.0), 2)[1].sum(),
    "checkpoint": lambda x: anp.softmax(checkpoint(lambda x: anp.where(MASK, x, -np.inf))(x), -1)[:, 0].sum(),
    "huber": lambda x: anp.sum(huber(x)),
}


@pytest.mark.parametrize("f", MASKED.values(), ids=MASKED)
def test_what_is_masked_is_no_anomaly(f):
    plain = f(Tensor(SCORES)).data, grad(f)(SCORES), jvp(f, (SCORES,), (SCORES,))[1]
    assert all(np.isfinite(x).all() for x in plain)
    with detect_anomaly():
        found = f(Tensor(SCORES)).data, grad(f)(SCORES), jvp(f, (SCORES,), (SCORES,))[1]
    for ours, theirs in zip(found, plain):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("x", [0.0, -1.0])
def test_what_is_masked_among_values(x):
    with detect_anomaly():
        assert grad(lambda x: anp.where(x > 0, anp.log(x), 0.0))(x) == 0.0
        assert grad(lambda x: anp.where(x != 0, 1 / x, 0.0))(x) in (0.0, -1.0)


STEPS = {
    "log": np.log,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "square": np.square,
    "sin": np.sin,
    "relu": lambda x: np.maximum(x, 0.0),
    "log1p": np.log1p,
    "cosh": np.cosh,
}


@given(st.lists(st.sampled_from([*STEPS]), min_size=1, max_size=6), st.floats(-1e3, 1e3), st.booleans())
def test_the_first_step_that_is_worse_than_all_before_is_named(names, start, nan_only):
    def f(x):
        for name in names:
            x = getattr(anp, name)(x)
        return x

    numbers = [np.float64(start)]
    for name in names:
        numbers.append(STEPS[name](numbers[-1]))
    levels = [int(not np.isfinite(x)) + int(np.isnan(x)) for x in numbers]
    for x in (Value(start), Tensor([start])):
        if levels[-1] > nan_only:
            first = names[levels.index(levels[-1]) - 1]
            assert re.match(rf"the value of {first} is (nan|inf|-inf)", said(lambda x=x: f(x), nan_only=nan_only))
        else:
            with detect_anomaly(nan_only=nan_only):
                np.testing.assert_allclose(f(x).data, numbers[-1], rtol=1e-12)


@given(
    st.lists(st.sampled_from([*STEPS]), min_size=1, max_size=3),
    st.lists(st.sampled_from([-2.0, 0.0, 1.0]), min_size=3, max_size=3),
)
def test_it_raises_where_value_or_gradient_is_not_finite_and_nowhere_else(names, start):
    def f(x):
        for name in names:
            x = anp.where(x != 1.0, getattr(anp, name)(x), x)
        return x.sum()

    value, slope = f(Tensor(start)).data, grad(f)(np.array(start))
    try:
        with detect_anomaly():
            np.testing.assert_array_equal(grad(f)(np.array(start)), slope)
        assert np.isfinite(value) and np.isfinite(slope).all()
    except AnomalyError as error:
        assert not (np.isfinite(value) and np.isfinite(slope).all()), error


def test_without_history_there_is_nothing_to_find():
    with no_grad(), detect_anomaly():
        assert anp.log(Value(0.0)).data == -np.inf
    with detect_anomaly(), no_grad():
        assert anp.log(Tensor([0.0])).data == -np.inf
        with pytest.raises(AnomalyError, match="gradient of sqrt"):
            grad(anp.sqrt)(0.0)
    before = Value(0.0).sqrt()
    assert "recorded at a line before detect_anomaly" in said(before.backward)


def test_the_inner_one_of_nested_ones_decides():
    with detect_anomaly():
        x = Value(0.0)
        y = x.log()
        with detect_anomaly(nan_only=True):
            assert gradients(y, [x]) == [np.inf]
        with pytest.raises(AnomalyError, match=rf"gradient of sqrt[^|]*{re.escape(__file__)}, line"), detect_anomaly():
            x.sqrt().backward()
        assert y.sigmoid().data == 0.0
    assert "nan" in said(lambda: Value(0.0) / 0.0, nan_only=True)


def test_deep_graphs_are_freed_at_once_and_nothing_is_kept():
    gc.disable()
    try:
        for during in (True, False):
            with detect_anomaly():
                x = y = Value(1.0)
                for _ in range(20_000):
                    y = y * 1.0
                y.backward()
                nodes = [weakref.ref(x), weakref.ref(y), weakref.ref(inspection.inspector)]
                if during:
                    del x, y
                    assert nodes[0]() is nodes[1]() is None and not inspection.inspector.known
            x = y = None
            assert [node() for node in nodes] == [None] * 3
    finally:
        gc.enable()


def test_only_this_thread_is_looked_at():
    found, inside, done = [], threading.Event(), threading.Event()

    def elsewhere():
        inside.wait()
        x = Value(0.0)
        found.append(gradients(x.sqrt(), [x])[0])
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with detect_anomaly():
        inside.set()
        assert done.wait(10)
    thread.join()
    assert found == [np.inf]


def test_what_was_recorded_before_is_looked_at_by_what_is_made_of_it():
    x, y = Value(0.0), checkpoint(lambda x: x.sqrt().sum())(Tensor([0.0, 2.0]))
    root = x.sqrt()
    with (
        pytest.raises(AnomalyError, match="truediv is inf\\n.*\\n.*\\n.*\\n.*at a line before detect_anomaly"),
        detect_anomaly(),
    ):
        gradients(root, [x], create_graph=True)
    with pytest.raises(AnomalyError, match="gradient of sqrt with respect to x is inf at"), detect_anomaly():
        y.backward()
    with detect_anomaly():
        Value(np.nan).backward()  # which was made by nothing
    with pytest.raises(ValueError, match="the seed has shape"), detect_anomaly():
        (Tensor([1.0, 2.0]) * 2).backward(np.ones(3))


def test_operations_of_the_user_are_named():
    inverse = define("anomaly_inverse(x) = 1 / x | g * -(out * out)")
    assert "anomaly_inverse(x) = 1 / x" in said(lambda: inverse(Tensor([0.0, 1.0])))
    halves = define("anomaly_halves", forward=lambda x: x / 2, pullbacks=[lambda g, out, x: g * np.inf])
    assert "the gradient of anomaly_halves with respect to x0 is inf" in said(
        lambda: halves(Tensor([1.0])).sum().backward()
    )


def test_anomalies_are_looked_for_around_compiled_code_and_forgotten_with_their_nodes():
    from autograd import anomaly, jit

    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    with detect_anomaly():
        assert jit(grad(lambda x: x * x))(3.0) == 6.0
        assert np.isfinite(step(np.ones((2, 2)), np.ones((2, 1))))
    inspectors = []
    original = anomaly.Inspector

    class Seen(original):
        def __init__(self, *args):
            super().__init__(*args)
            inspectors.append(self)

    anomaly.Inspector = Seen
    try:
        with detect_anomaly():
            for _ in range(5):
                nn.MSE()(model(np.ones((2, 2))), np.ones((2, 1))).backward()
            (inspector,) = inspectors
            assert not inspector.known
    finally:
        anomaly.Inspector = original
