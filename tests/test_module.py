"""nn.Module: whatever it holds is found, saved and loaded, or refused by name."""

import collections
import dataclasses
import types
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, jit, vmap

ARRAYS = [np.zeros(2), np.zeros((), int), np.ones((2, 1), "f4"), np.array([True, False]), np.float64(3.0)]


class Holder(nn.Module):
    """Attributes as they are given."""

    def __init__(self, **attributes):
        super().__init__()
        vars(self).update(attributes)


class BatchNorm(nn.Module):
    def __init__(self, width):
        self.gain, self.mean, self.seen = Tensor(np.ones(width)), np.zeros(width), np.int64(0)

    def forward(self, x):
        if self.training:
            self.mean, self.seen = 0.9 * self.mean + 0.1 * x.data.mean(0), self.seen + 1
        return (x - self.mean) * self.gain


class Net(nn.Module):
    def __init__(self):
        self.norm, self.heads = BatchNorm(3), {"a": nn.Linear(3, 2, 0), "b": [nn.ReLU(), (nn.Linear(3, 2, 1),)]}

    def forward(self, x):
        x = self.norm(x)
        return self.heads["a"](x) + self.heads["b"][1][0](x)


LEAVES = st.sampled_from(["tensor", "linear", "array", 3, None, "text"]).map(
    lambda kind: {"tensor": Tensor([1.0]), "linear": nn.Linear(1, 2, 0), "array": np.ones(3)}.get(kind, kind)
)
TREES = st.recursive(
    LEAVES,
    lambda trees: (
        st.lists(trees, max_size=3)
        | st.lists(trees, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc", min_size=1), trees, max_size=3)
    ),
    max_leaves=8,
)


def expected(path, tree, in_tuple=False):
    """Name and kind of everything that a file would hold, found by another walk."""
    if isinstance(tree, dict):
        return {k: v for key, part in tree.items() for k, v in expected(f"{path}.{key}", part).items()}
    if isinstance(tree, (list, tuple)):
        parts = [expected(f"{path}.{i}", part, isinstance(tree, tuple)) for i, part in enumerate(tree)]
        return {k: v for part in parts for k, v in part.items()}
    if isinstance(tree, nn.Linear):
        return {f"{path}.weight": "parameter", f"{path}.bias": "parameter"}
    return (
        {path: "parameter" if isinstance(tree, Tensor) else "buffer"}
        if hasattr(tree, "shape") and not (isinstance(tree, np.ndarray) and in_tuple)
        else {}
    )


@given(TREES)
def test_everything_is_found_saved_and_loaded_at_any_depth(tmp_path_factory, tree):
    path, model = tmp_path_factory.getbasetemp() / "held.npz", Holder(tree=tree)
    names = expected("tree", tree)
    assert [name for name, _ in model.named_parameters()] == [n for n, kind in names.items() if kind == "parameter"]
    state = model.state_dict()
    assert [*state] == [*names]
    nn.save(path, {name: array + 1 for name, array in state.items()})
    nn.load(path, model)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name] + 1, strict=True)


def test_buffers_come_back_with_their_kind_and_only_they_change(tmp_path):
    first, second = (Holder(a=[*ARRAYS], b=ARRAYS[0].copy(), constant=(ARRAYS[0],), count=3) for _ in range(2))
    first.b, first.a[4] = np.array([5.0, 6.0]), np.float64(7.0)
    nn.save(tmp_path / "m.npz", first)
    before = second.b
    nn.load(tmp_path / "m.npz", second)
    assert second.b.tolist() == [5.0, 6.0] and before.tolist() == [0.0, 0.0]
    assert type(second.a[4]) is np.float64 and second.a[4] == 7.0 and second.count == 3
    assert not second.parameters()
    with pytest.raises(ValueError, match=r"Holder: b is float64 of shape \(3,\)"):
        second.load_state_dict({**first.state_dict(), "b": np.ones(3)})


def test_running_means_survive_a_file(tmp_path):
    first, second, x = Net(), Net(), Tensor(np.random.default_rng(0).normal(3.0, 1.0, (50, 3)))
    for _ in range(20):
        first(x)
    nn.save(tmp_path / "m.npz", first)
    nn.load(tmp_path / "m.npz", second)
    np.testing.assert_array_equal(second.eval()(x).data, first.eval()(x).data)
    assert second.norm.seen == 20 and not second.norm.training and first.train().norm.training
    assert {"heads.a.weight", "heads.b.1.0.bias", "norm.mean"} <= first.state_dict().keys()


def test_modules_are_itself_and_all_below_each_once():
    shared = nn.Linear(3, 3, rng=0)
    model = nn.Sequential(shared, nn.ReLU(), nn.Sequential(shared, nn.Dropout(0.5, rng=0)))
    model.extra = {"heads": [nn.Linear(3, 1, rng=1), (nn.Tanh(),)]}
    names = "Sequential Linear ReLU Sequential Dropout Linear Tanh".split()
    assert [type(module).__name__ for module in model.modules()] == names
    assert model.modules()[0] is model and model.modules()[1] is shared
    assert {module.training for module in model.eval().modules()} == {False}


def test_a_dict_of_heads_is_trained():
    model, x = Net(), np.ones((4, 3))
    before = model.state_dict()
    optimizer = nn.SGD(model.parameters(), 0.1)
    (model(Tensor(x) + 1) ** 2).sum().backward()
    optimizer.step()
    after = model.state_dict()
    assert all((before[name] != after[name]).any() for name in before if "heads" in name and "bias" in name)


@pytest.mark.parametrize(
    "attribute, kind",
    [
        ({Tensor([1.0])}, "a set"),
        (frozenset([nn.ReLU()]), "a frozenset"),
        ([collections.deque([(nn.ReLU(),)])], "0 is a deque"),
        ({"k": (nn.Linear(1, 1, i) for i in range(2))}, "k is a generator"),
        (map(nn.Linear, [1]), "a map"),
        (OrderedDict(a=nn.ReLU()).values(), "a odict_values"),
        ({"a": nn.ReLU()}.values(), "a dict_values"),
        (np.array([nn.ReLU(), None]), "a ndarray"),
        (Value(1.0), "a Value"),
    ],
)
def test_what_cannot_be_found_is_refused_by_name(attribute, kind):
    with pytest.raises(TypeError, match=rf"Holder\.held(\.| is ){kind}.*lists, tuples and dicts"):
        Holder(held=attribute).parameters()


def test_what_hides_nothing_is_nobodys_business():
    held = {"s": {1, "a"}, "d": collections.deque([1.0]), "o": np.array([None, "a"]), "f": open, "r": range(10**9)}
    assert Holder(**held).state_dict() == {}


def test_names_that_meet_and_tensors_of_the_class_are_refused():
    with pytest.raises(ValueError, match=r"two arrays named x\.a\.b"):
        Holder(x={"a.b": Tensor([1.0]), "a": {"b": Tensor([2.0])}}).state_dict()
    with pytest.raises(TypeError, match=r"Shared\.layer .* make it in __init__"):
        type("Shared", (nn.Module,), {"layer": nn.Linear(1, 1, 0)})
    assert isinstance(type("Stateless", (nn.Module,), {"layer": nn.ReLU()})(), nn.Module)


def test_a_parent_may_be_known():
    parent = Holder(weight=Tensor([1.0]))
    parent.child = Holder(weight=Tensor([2.0]), parent=parent)
    assert [*parent.state_dict()] == ["weight", "child.weight"] and parent.eval().child.training is False


def test_forward_is_what_a_call_gives():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    class Old(nn.Module):
        def __call__(self, x):
            return x + 1

    x = np.ones((1, 2))
    plain, doubled = nn.Linear(2, 3, 0), Doubled(2, 3, 0)
    np.testing.assert_array_equal(doubled(x).data, 2 * plain.forward(x).data)
    assert Old()(1) == 2
    with pytest.raises(TypeError, match="Holder defines neither forward nor __call__"):
        Holder()(x)


def test_printed_is_what_is_held_directly():
    model = Holder(scale=Tensor(np.ones(3)), layers=[nn.Linear(2, 3, 0)], mean=np.zeros(9))
    assert repr(model).split("\n") == [
        "          Holder          shapes       count",
        "scale     Tensor          (3,)             3",
        "layers.0  Linear(2 -> 3)  (2, 3) (3,)      9",
        "          total                           12",
    ]


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_compiled_step_reads_the_buffers_of_the_moment(backend):
    pytest.importorskip("llvmlite")
    model, x, y = Net().eval(), np.ones((4, 3)), np.zeros((4, 2))
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), backend)
    step(x, y)
    for change in (
        lambda: model.load_state_dict({**model.state_dict(), "norm.mean": np.full(3, 5.0)}),
        lambda: model.norm.mean.__iadd__(1.0),
        lambda: setattr(model.norm, "mean", np.zeros(3)),
    ):
        change()
        by_hand = nn.MSE()(model(Tensor(x)), y).item()
        assert step(x, y) == pytest.approx(by_hand, rel=1e-12)


def test_a_result_that_forward_keeps_does_not_spoil_a_compiled_step(tmp_path):
    class Keeps(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 1, 0)

        def forward(self, x):
            self.seen = self.layer(x)
            return self.seen

    model = Keeps()
    nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), "python")(np.ones((3, 2)), np.ones((3, 1)))
    assert [*model.state_dict()] == ["layer.weight", "layer.bias"]


class Child(nn.Module):
    def __init__(self, parent):
        self.parent, self.w = parent, Tensor([1.0])


class Keeper(nn.Module):
    """A parent whose child holds it, and which keeps activations."""

    def __init__(self):
        self.layer, self.child, self.seen = nn.Linear(2, 1, 0), Child(self), []

    def forward(self, x):
        self.hidden = self.layer(x)
        self.seen.append(self.hidden)
        return self.hidden.sum()


def test_only_leaves_are_parameters_and_a_child_may_hold_its_parent():
    model, names = Keeper(), ["layer.weight", "layer.bias", "child.w"]
    for _ in range(2):
        assert [name for name, _ in model.named_parameters()] == [*model.state_dict()] == names
        assert len(model.parameters()) == len(model.child.parameters()) == 3
        model(np.ones((3, 2))).backward()
        model.train().zero_grad()
    assert "hidden" not in repr(model) and "total" in repr(model.child)
    model(np.ones((3, 2))).backward()
    nn.SGD(model.parameters(), 0.1).step()


def test_a_result_is_no_parameter_and_init_says_so():
    class Scaled(nn.Module):
        def __init__(self, make):
            self.w = make(Tensor([1.0, 2.0]))

    class Held(nn.Module):
        def __init__(self, w, *others):
            self.w, self.others = w, others

        def forward(self, x):
            self.seen, self.kept = x * self.w, [x * self.w]
            return self.seen

    for make in (lambda w: w * 0.1, lambda w: [w, {"a": (w * 0.1,)}]):
        with pytest.raises(
            TypeError, match=r"Scaled\.w was made by mul, so it would be no parameter: make the Tensor of"
        ):
            Scaled(make)
    assert len(Scaled(lambda w: (w * 0.1).detach()).parameters()) == 1
    made = Held(Tensor([1.0]) * 2)  # by another network, for example: whoever gives it knows what it is
    made(Tensor([1.0]))
    assert not made.parameters() and made.w.data.tolist() == [2.0]


def test_fields_of_a_dataclass_are_not_left_out_in_silence():
    @dataclasses.dataclass
    class Block:
        inner: object
        size: int = 2

    class Holds(nn.Module):
        def __init__(self, x):
            self.x, self.w = x, Tensor([1.0])

    layer = nn.Linear(2, 1, 0)
    for hidden in (Block(layer), [Block(Tensor([1.0]))], types.SimpleNamespace(layer=layer)):
        with pytest.raises(TypeError, match=r"Holds\.x.* is a .*: parameters are Tensors, and they and Modules"):
            Holds(hidden).parameters()
    for plain in (Block(3.0), Block, Block(Tensor([1.0]) * 2), nn.SGD(layer.parameters(), 0.1), nn.CosineDecay(0.1, 5)):
        assert len(Holds(plain).parameters()) == 1


def test_a_forward_that_was_compiled_without_its_self_is_refused():
    with pytest.raises(TypeError, match=r"Wrong\.forward is compiled without its self: compile the whole"):

        class Wrong(nn.Module):
            @jit
            def forward(self, x):
                return x


def test_a_buffer_that_became_a_node_is_saved_and_loaded_as_one(tmp_path):
    class Averages(nn.Module):
        def __init__(self):
            self.w, self.mean, self.seen = Tensor(np.ones(2)), np.zeros(2), None

        def forward(self, x):
            self.seen = x * self.w
            self.mean = 0.5 * self.mean + 0.5 * self.seen.mean(0).detach()
            return self.seen

    model, fresh = Averages(), Averages()
    for _ in range(2):
        model(np.ones((3, 2))).sum().backward()
    assert [*model.state_dict()] == ["w", "mean"] and len(model.parameters()) == 1
    nn.save(tmp_path / "model.npz", model)
    nn.load(tmp_path / "model.npz", fresh)
    model.load_state_dict(fresh.state_dict())
    for loaded in (model, fresh):
        assert type(loaded.mean) is np.ndarray and loaded.mean.tolist() == [0.75, 0.75]
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.0), "python")
    step(np.ones((3, 2)), np.ones((3, 2)))
    assert model.mean.tolist() == [0.875, 0.875]


def test_a_number_that_forward_changes_is_told_of_where_a_program_would_not_change_it():
    class Annealed(nn.Module):
        def __init__(self, beta):
            self.w, self.width, self.beta = Tensor(np.ones(2)), None, beta

        def forward(self, x):
            self.width, self.beta = len(x), self.beta * 0.5
            return x * self.w * self.beta

    x, y = np.ones((3, 2)), np.zeros((3, 2))
    update = lambda model: nn.TrainStep(model, nn.MSE(), nn.SGD([model.w], 0.0))
    for call in (lambda model: jit(model)(x), lambda model: update(model)(x, y)):
        with pytest.warns(RuntimeWarning, match=r"^Annealed.beta went from 1.0 to 0.5 inside jit, which happens only"):
            call(Annealed(1.0))
    Annealed(1.0)(x), vmap(Annealed(1.0))(x)  # which run it each time
    model = Annealed(np.array(1.0))
    step = update(model)
    assert [step(x, y) for _ in range(2)] == [0.25, 0.0625] and model.beta == 0.25
