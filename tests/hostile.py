"""Between two calls of compiled code anything may be changed: it then does what eager code does, or says what is wrong.

`test_safety.py` runs this file in a process of its own, so that a crash is a failure and not the end of the suite.
"""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, jit, value_and_grad
from autograd.tree import flatten

BACKENDS = ["python", "llvm"]
REFUSALS = (ValueError, TypeError, IndexError)


def misaligned(a):
    raw = np.empty(a.nbytes + 1, np.uint8)
    out = np.frombuffer(raw.data, a.dtype, a.size, 1) if a.size else a
    out = out.reshape(a.shape)
    out[...] = a
    return out


def read_only(a):
    out = a.copy()
    out.flags.writeable = False
    return out


FORMS = {  # the same numbers, held in another way
    "float32": lambda a: a.astype(np.float32),
    "float64": lambda a: a.astype(np.float64),
    "fresh": lambda a: a.copy(),
    "columns": lambda a: np.asfortranarray(a),
    "strided": lambda a: np.repeat(a, 2, -1)[..., ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": read_only,
    "misaligned": misaligned,
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}
OTHERS = {  # something else
    "halved": lambda a: a * 0.5,
    "integers": lambda a: np.rint(a).astype(int),
    "objects": lambda a: a.astype(object),
    "masks": lambda a: a > 0,
    "empty": lambda a: a[:0],
    "larger": lambda a: np.concatenate([a, a]),
    "smaller": lambda a: a[:1],
    "another axis": lambda a: a[None],
    "masked": lambda a: np.ma.masked_array(a, a > 0),
    "complex": lambda a: a * 1j,
    "half": lambda a: a.astype(np.float16),
    "a number": lambda a: 3.0,
    "nothing": lambda a: None,
    "a list": lambda a: a.tolist(),
}
CHANGES = FORMS | OTHERS
changes = st.sampled_from(list(CHANGES))


def outcome(work, errors=REFUSALS):
    """What this comes to: a result, or an error."""
    with np.errstate(all="ignore"):
        try:
            return work(), None
        except errors as error:
            return None, error


@pytest.fixture(autouse=True, scope="module")
def kept(tmp_path_factory):
    """Machine code that several examples have is compiled once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRABGRAD_CACHE", str(tmp_path_factory.mktemp("code")))
        yield


def is_refused(node, change):
    """Whether a node refuses another array, and keeps the one that it has."""
    before = node.data
    _, refused = outcome(lambda: setattr(node, "data", CHANGES[change](before)))
    assert refused is None or change not in FORMS and node.data is before
    return refused is not None


def assert_close(ours, theirs):
    assert np.shape(ours) == np.shape(theirs)
    single = np.float16 if np.asarray(theirs).dtype == np.float16 else np.float32
    loose = any(np.asarray(x).dtype.itemsize < 8 for x in (ours, theirs))
    rtol = np.finfo(single).eps * 200 if loose else 1e-9
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=50)
@given(sequence=st.lists(st.tuples(st.sampled_from("wvcx"), changes), min_size=1, max_size=6))
def test_a_function_whose_arrays_are_changed(backend, sequence):
    w, v = Tensor(np.arange(6.0).reshape(3, 2) / 7, name="w"), Tensor(np.array([0.5, -0.25]), name="v")
    held = {"c": np.array([1.0, 2.0]), "x": np.linspace(-1, 1, 12).reshape(4, 3)}

    def loss(x):
        hidden = anp.tanh(anp.affine(x, w, v)) * held["c"] + w[0, 1]
        return anp.sum(anp.where(hidden > v, hidden, hidden * hidden))

    compiled = jit(loss, backend=backend), jit(value_and_grad(loss), backend=backend)
    for name, change in sequence:
        if name in held and change in ("a number", "nothing", "a list"):
            continue  # another function, or another form of arguments
        changed = CHANGES[change]
        before = w.data, v.data, dict(held)
        if name in held:
            held[name] = changed(held[name])
        else:
            node = w if name == "w" else v
            if is_refused(node, change):
                continue
        for f, eager in zip(compiled, (loss, value_and_grad(loss))):
            ours, refused = outcome(lambda f=f: f(held["x"]))
            theirs, failed = outcome(lambda eager=eager: eager(held["x"]), Exception)
            if refused is None and failed is None:
                for x, y in zip(flatten(ours), flatten(theirs), strict=True):
                    assert_close(*(part.data if isinstance(part, Tensor) else part for part in (x, y)))
            elif refused is None:
                assert change not in FORMS, (change, failed)
        if refused is not None or failed is not None:
            assert change not in FORMS, (change, refused)
            w.data, v.data, held["c"], held["x"] = *before[:2], before[2]["c"], before[2]["x"]


def reorder(optimizer):
    optimizer.parameters.reverse()
    optimizer.state.reverse()


def without_the_last(optimizer):
    optimizer.parameters.pop()
    optimizer.state.pop()


LISTS = {
    "reordered": reorder,
    "without the last": without_the_last,
    "parameters reordered": lambda optimizer: optimizer.parameters.reverse(),
    "one more": lambda optimizer: optimizer.parameters.append(Tensor([1.0])),
    "one less": lambda optimizer: optimizer.parameters.pop(),
    "one twice": lambda optimizer: (
        optimizer.parameters.append(optimizer.parameters[0]),
        optimizer.state.append(copy.deepcopy(optimizer.state[0])),
    ),
    "none of one": lambda optimizer: optimizer.parameters.__setitem__(0, None),
    "no state": lambda optimizer: setattr(optimizer, "state", []),
}


def state_of(optimizer):
    return [getattr(p, "data", None) for p in optimizer.parameters], list(optimizer.state), optimizer.steps


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=50)
@given(
    sequence=st.lists(
        st.tuples(st.sampled_from(["parameter", "state"]), st.integers(0, 3), changes)
        | st.tuples(st.just("list"), st.just(0), st.sampled_from(list(LISTS))),
        min_size=1,
        max_size=5,
    )
)
def test_a_step_whose_parameters_and_state_are_changed(backend, sequence):
    models = [nn.MLP(2, [3], 1, rng=0, activation=nn.Tanh) for _ in range(2)]
    ours, theirs = (nn.Adam(m.parameters(), 0.01) for m in models)
    x, y = np.linspace(-1, 1, 8).reshape(4, 2), np.ones((4, 1))
    step = nn.TrainStep(models[0], nn.MSE(), ours, backend=backend)

    def by_hand():
        loss = nn.MSE()(models[1](x), y)
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        return loss.item()

    step(x, y), by_hand()
    for what, i, change in sequence:
        for optimizer in (ours, theirs):
            i = i % len(optimizer.parameters)
            if what == "list":
                LISTS[change](optimizer)
            elif what == "parameter":
                if is_refused(optimizer.parameters[i], change):
                    break
            else:
                first, second = optimizer.state[i]
                optimizer.state[i] = CHANGES[change](first), second
        before = state_of(ours)
        loss, refused = outcome(lambda: step(x, y))
        if refused is not None:
            assert what == "list" or change not in FORMS or change.startswith("float"), (change, refused)
            for old, new in zip(before, state_of(ours)):  # nothing has moved
                assert old == new if isinstance(old, int) else all(a is b for a, b in zip(old, new, strict=True))
            return
        expected, failed = outcome(by_hand, Exception)
        assert failed is None, (what, change, failed)
        assert_close(loss, expected)
        same([p.data for p in ours.parameters], [p.data for p in theirs.parameters])
        same([a for s in ours.state for a in s], [a for s in theirs.state for a in s])
