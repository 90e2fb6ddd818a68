"""nn/sequences.py against loops over examples, finite differences, PyTorch, and compiled against eager."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, check_gradients, detect_anomaly, jit

BACKENDS = ["python", "llvm"]
RECURRENT = [nn.RNN, nn.GRU, nn.LSTM]
sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gate(layer, k, h, x):
    """What gate k takes from an input and from the last output, of one example."""
    own = slice(k * layer.width, (k + 1) * layer.width)
    return [
        vector @ part.weight.data[:, own] + (0 if part.bias is None else part.bias.data[own])
        for part, vector in ((layer.inputs, x), (layer.memory, h))
    ]


def cell_by_hand(layer, h, cell, x):
    gates = [gate(layer, k, h, x) for k in range(layer.gates)]
    if isinstance(layer, nn.RNN):
        return np.tanh(sum(gates[0])), cell
    if isinstance(layer, nn.GRU):
        r, z = sigmoid(sum(gates[0])), sigmoid(sum(gates[1]))
        return (1 - z) * np.tanh(gates[2][0] + r * gates[2][1]) + z * h, cell
    i, f, g, o = map(sum, gates)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def attention_by_hand(layer, x, seen):
    """One example (time, width), one head and one position after the other."""
    q, k, v = (x @ part.weight.data for part in (layer.queries, layer.keys, layer.values))
    out, d = np.zeros_like(x), layer.width // layer.heads
    for head in range(layer.heads):
        own = slice(head * d, (head + 1) * d)
        for i in range(len(x)):
            places = np.flatnonzero(seen[i])
            weights = np.array([np.exp(q[i, own] @ k[j, own] / np.sqrt(d)) for j in places])
            for weight, j in zip(weights / weights.sum(), places):
                out[i, own] += weight * v[j, own]
    return out @ layer.out.weight.data


@pytest.mark.parametrize("kind", RECURRENT)
@given(sizes, sizes, sizes, sizes, st.booleans(), seeds)
def test_recurrent_layers_are_their_cells_in_a_loop(kind, batch, time, n_in, width, bias, seed):
    rng = np.random.default_rng(seed)
    layer, x = kind(n_in, width, rng, bias=bias), rng.normal(size=(batch, time, n_in))
    outputs, last = layer(x)
    for b in range(batch):
        h = cell = np.zeros(width)
        for t in range(time):
            h, cell = cell_by_hand(layer, h, cell, x[b, t])
            np.testing.assert_allclose(outputs.data[b, t], h, rtol=1e-10, atol=1e-12)
        ends = last if kind is nn.LSTM else [last]
        for end, expected in zip(ends, (h, cell)):
            np.testing.assert_allclose(end.data[b], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_sequence_in_two_parts_is_one(kind):
    rng = np.random.default_rng(0)
    layer, x = kind(3, 4, rng), rng.normal(size=(5, 3))
    whole, last = layer(x)
    first, state = layer(x[:2])
    state, second = layer.step(state, x[2])
    third, state = layer(x[3:], state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data[None], third.data]), whole.data, rtol=1e-12)
    np.testing.assert_allclose(state[-1].data, last[-1].data, rtol=1e-12)


@given(sizes, sizes, sizes, sizes, st.booleans(), st.sampled_from([None, "own", "one"]), seeds)
def test_attention_is_its_loops(batch, time, heads, each, causal, mask, seed):
    rng = np.random.default_rng(seed)
    layer = nn.Attention(heads * each, heads, rng, causal=causal)
    x = rng.normal(size=(batch, time, heads * each))
    given = None if mask is None else rng.random((batch, time, time) if mask == "own" else (time, time)) < 0.5
    seen = np.broadcast_to(True if given is None else given, (batch, time, time)) & (np.tri(time) >= causal)
    found = layer(x, given).data
    for b in range(batch):
        np.testing.assert_allclose(found[b], attention_by_hand(layer, x[b], seen[b]), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.shares(x, given).data.sum(-1)[:, 0], seen.any(-1), rtol=1e-12)


class Model(nn.Module):
    """Symbols to vectors, which a layer takes, with a mask for attention."""

    def __init__(self, layer, dtype=float):
        self.embedding, self.layer = nn.Embedding(5, 4, 0, dtype=dtype), layer
        self.seen = np.array([[True, True, False], [False] * 3, [True] * 3])

    def forward(self, symbols):
        vectors = self.embedding(symbols)
        return self.layer(vectors, self.seen) if isinstance(self.layer, nn.Attention) else self.layer(vectors)[0]


MAKE = {kind.__name__: lambda kind=kind, **options: kind(4, 4, 0, **options) for kind in RECURRENT} | {
    "Attention": lambda **options: nn.Attention(4, 2, 0, causal=True, bias=True, **options)
}
SYMBOLS, TARGETS = np.array([[0, 4, 4], [2, 1, 0]]), np.random.default_rng(1).normal(size=(2, 3, 4))


@pytest.mark.parametrize("name", MAKE)
def test_gradients(name):
    model = Model(MAKE[name]())

    def output(weights):
        for (owner, key, _), weight in zip(places, weights):
            setattr(owner, key, weight)
        return model(SYMBOLS)

    places = [(model.embedding, "weight", model.embedding.weight)]
    places += [(part, key, p) for _, part in model.layer.parts() for key, p in part.named_parameters()]
    check_gradients(output, [p.data for *_, p in places], order=2, directions=3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MAKE)
def test_compiled_is_eager(name, backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    ours, by_hand = (Model(MAKE[name](dtype=np.float32), np.float32) for _ in range(2))
    np.testing.assert_allclose(jit(ours, backend=backend)(SYMBOLS).data, by_hand(SYMBOLS).data, rtol=1e-5)
    mine, theirs = (nn.SGD(model.parameters(), 0.1, momentum=0.9) for model in (ours, by_hand))
    step, losses = nn.TrainStep(ours, nn.MSE(), mine, backend), []
    for _ in range(3):
        loss = nn.MSE()(by_hand(SYMBOLS), TARGETS.astype(np.float32))
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        losses.append(loss.item())
    found = step.run(*(np.repeat(x[None], 3, 0) for x in (SYMBOLS, TARGETS.astype(np.float32))))
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    for a, b in zip(ours.parameters(), by_hand.parameters()):
        assert a.dtype == b.dtype == b.grad.dtype == np.float32
        np.testing.assert_allclose(a.data, b.data, rtol=1e-4, atol=1e-6)
    before = ours.state_dict()
    for wrong in (5, -1):
        with pytest.raises(IndexError, match=r"Embedding\(5 -> 4\) takes integers from 0 to 4"):
            step(np.array([[0, wrong, 4], [2, 1, 0]]), TARGETS.astype(np.float32))
    assert all((after == before[key]).all() for key, after in ours.state_dict().items())


@pytest.mark.parametrize("backend", BACKENDS)
def test_masks_and_states_are_arguments_of_compiled_layers(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    rng = np.random.default_rng(0)
    x, lstm, attention = rng.normal(size=(2, 3, 4)), nn.LSTM(4, 4, 0), nn.Attention(4, 2, 0, causal=True)
    seen = rng.random((2, 3, 3)) < 0.6
    np.testing.assert_allclose(jit(attention, backend=backend)(x, seen).data, attention(x, seen).data, rtol=1e-12)
    state = x[:, 0], x[:, 1]
    outputs, (h, cell) = jit(lstm, backend=backend)(x, state)
    expected, (_, last) = lstm(x, state)
    np.testing.assert_allclose(outputs.data, expected.data, rtol=1e-12)
    np.testing.assert_allclose(cell.data, last.data, rtol=1e-12)
    assert (h.data == outputs.data[:, -1]).all()


def test_weights_begin_as_promised():
    assert nn.Embedding(300, 300, 0).weight.data.var() == pytest.approx(1, rel=0.05)
    for kind in RECURRENT:
        for p in kind(50, 100, 0).parameters():
            assert abs(p.data).max() <= 0.1 and p.data.var() == pytest.approx(0.1**2 / 3, rel=0.2)
    attention = nn.Attention(64, 4, 0, bias=True)
    assert attention.keys.weight.data.var() == pytest.approx(2 / 128, rel=0.1) and not attention.out.bias.data.any()
    assert len(nn.Attention(64, 4, 0).parameters()) == 4


@pytest.mark.parametrize("causal", [False, True])
def test_a_position_that_may_look_nowhere_takes_and_passes_nothing(causal):
    layer, x = nn.Attention(4, 2, 0, causal=causal), Tensor(np.random.default_rng(0).normal(size=(3, 4)))
    seen = np.array([[True, False, False], [False] * 3, [True, False, True]])
    with detect_anomaly():
        out = layer(x, seen)
        out.sum().backward()
    assert not out.data[1].any() and out.data[[0, 2]].all() and not x.grad[1].any() and np.isfinite(x.grad).all()


@pytest.mark.parametrize(
    "kind, message, call",
    [
        (IndexError, r"Embedding\(5 -> 3\) takes integers from 0 to 4, got some from 1 to 5", lambda: embed([1, 5])),
        (IndexError, r"Embedding\(5 -> 3\) takes .* from -1 to 0", lambda: embed([[0, -1]])),
        (TypeError, r"Embedding\(5 -> 3\) takes integers, not .* float64", lambda: embed([1.0])),
        (TypeError, r"Embedding\(5 -> 3\) takes integers, not .* float64", lambda: jit(embed)(np.ones(2))),
        (ValueError, r"Attention\(4, heads=3\): .* heads must divide width", lambda: nn.Attention(4, 3, 0)),
        (
            ValueError,
            r"Attention\(4, heads=2\) takes \(\.\.\., time, 4\), .* \(2, 3\)",
            lambda: attend(np.ones((2, 3))),
        ),
        (ValueError, r"Attention.* an input of shape \(4,\)", lambda: attend(np.ones(4))),
        (TypeError, r"Attention.* a mask is boolean, .* not float64", lambda: attend(X, np.ones((3, 3)))),
        (ValueError, r"Attention.* a mask of shape \(2, 3\) .* here \(2, 3, 3\)", lambda: attend(X, X[:, :, 0] > 0)),
        (ValueError, r"Attention.* a mask of shape \(5, 3, 3\)", lambda: attend(X, np.ones((5, 3, 3), bool))),
        (ValueError, r"GRU\(4 -> 2\) takes \(\.\.\., time, 4\), .* \(3, 5\)", lambda: nn.GRU(4, 2, 0)(np.ones((3, 5)))),
        (ValueError, r"RNN\(4 -> 2\) takes .* time at least 1, .* \(2, 0, 4\)", lambda: nn.RNN(4, 2, 0)(X[:, :0])),
        (ValueError, r"GRU\(4 -> 2\) has a state of \[\(2, 2\)\]", lambda: nn.GRU(4, 2, 0)(X, np.ones(2))),
        (ValueError, r"LSTM\(4 -> 2\) has a state of \[\(2, 2\), \(2, 2\)\]", lambda: nn.LSTM(4, 2, 0)(X, X[:, 0, :2])),
        (ValueError, r"GRU\(2 -> 3\): .* give the first", lambda: nn.GRU(2, 3, 0)(nn.GRU(4, 2, 0)(X))),
        (ValueError, "LSTM: width must be a positive integer", lambda: nn.LSTM(4, 0, 0)),
        (TypeError, "rng is a seed", lambda: nn.Embedding(4, 2, None)),
    ],
)
def test_mistakes_are_named(kind, message, call):
    with pytest.raises(kind, match=message):
        call()


X, embed, attend = np.ones((2, 3, 4)), nn.Embedding(5, 3, 0), nn.Attention(4, 2, 0)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_layers_train_as_pytorchs(kind, bias):
    torch = pytest.importorskip("torch")
    ours = kind(4, 6, 0, bias=bias)
    theirs = getattr(torch.nn, kind.__name__)(4, 6, batch_first=True, bias=bias, dtype=torch.float64)
    names = {"weight_ih_l0": ours.inputs.weight, "weight_hh_l0": ours.memory.weight}
    names |= {"bias_ih_l0": ours.inputs.bias, "bias_hh_l0": ours.memory.bias} if bias else {}
    as_pytorchs(torch, ours, theirs, {name: [p] for name, p in names.items()}, lambda x: ours(x)[0], theirs)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_trains_as_pytorchs(causal, bias):
    torch = pytest.importorskip("torch")
    ours = nn.Attention(4, 2, 0, causal=causal, bias=bias)
    theirs = torch.nn.MultiheadAttention(4, 2, batch_first=True, bias=bias, dtype=torch.float64)
    three = [ours.queries, ours.keys, ours.values]
    names = {"in_proj_weight": [part.weight for part in three], "out_proj.weight": [ours.out.weight]}
    names |= {"in_proj_bias": [part.bias for part in three], "out_proj.bias": [ours.out.bias]} if bias else {}
    seen = np.random.default_rng(0).random((5, 5)) < 0.5
    seen[2] = False
    hidden = torch.tensor(~(seen & np.tri(5, dtype=bool) if causal else seen))
    as_pytorchs(
        torch,
        ours,
        theirs,
        names,
        lambda x: ours(x, seen),
        lambda x: theirs(x, x, x, attn_mask=hidden, need_weights=False),
    )


def as_pytorchs(torch, ours, theirs, names, our_output, their_output):
    """Two updates by SGD; `names` says of which of our parameters one of PyTorch's is made, transposed."""
    rng = np.random.default_rng(0)
    named = dict(theirs.named_parameters())
    for name, parts in names.items():
        named[name].data = torch.tensor(np.concatenate([part.data.T for part in parts]))
    x, weights = rng.normal(size=(3, 5, 4)), rng.normal(size=(3, 5, ours.width))
    mine, other = nn.SGD(ours.parameters(), 0.1), torch.optim.SGD(theirs.parameters(), 0.1)
    for _ in range(2):
        found, expected = our_output(x), their_output(torch.tensor(x))[0]
        np.testing.assert_allclose(found.data, expected.detach().numpy(), rtol=1e-9, atol=1e-12)
        mine.zero_grad()
        other.zero_grad()
        (found * weights).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        for name, parts in names.items():
            gradient = np.concatenate([part.grad.T for part in parts])
            np.testing.assert_allclose(gradient, named[name].grad.numpy(), rtol=1e-9, atol=1e-12)
        mine.step()
        other.step()
