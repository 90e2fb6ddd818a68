"""define: rows and functions of the user are operations like those of the table, and mistakes in them are named."""

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, check_gradients, define, grad, jacobian, jit, jvp

cube = define("cube(x) = x ** 3 | g * (3 * x ** 2)")
scaled_cube = define("scaled_cube(x, y) = y * cube(x) | g * (3 * y * x ** 2) | g * cube(x)")
swish = define(
    "swish",
    forward=lambda x: x / (1 + np.exp(-x)),
    pullbacks=[lambda g, out, x: g * (anp.sigmoid(x) + out * (1 - anp.sigmoid(x)))],
)


@pytest.mark.parametrize("x", [1.5, np.array([0.5, -2.0]), np.array(0.7)])
def test_defined_operations_are_like_those_of_the_table(x):
    check_gradients(cube, x, order=3)
    check_gradients(scaled_cube, x, 2.0 * x, order=2)
    check_gradients(swish, x, order=3)
    assert cube(2.0) == 8.0 and cube(Value(2.0)).data == 8.0
    np.testing.assert_allclose(
        jvp(swish, (x,), (x,))[1], x * jacobian(lambda y: swish(y).sum() if np.ndim(x) else swish(y))(x)
    )
    assert swish(Tensor(np.ones(2), np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "row, message",
    [
        ("exp(x) = x | g", "in the table already"),
        ("f(x) = y | g", "y is neither"),
        ("f(x) = x | g | g", "2 pullbacks"),
        ("f(x) = x", "1 arguments and 0 pullbacks"),
        ("f(x) = __import__('os') | g", "'os' has no place"),
        ("f(x) = __import__(x) | g", "__import__ is neither"),
        ("f(x) = x.__class__ | g", "__class__ is none of"),
        ("f(x) = (lambda: 1)() | g", "is no word"),
        ("f(x) = [x for x in x] | g", "ListComp has no place"),
        ("f(g) = g | g", "'g' cannot be a name"),
        ("f(x)", "a row reads"),
        ("f(x, x) = x | g | g", "an argument twice"),
        ("f(x) = x + | g", "not an expression"),
        ("f(x) = x | 'a'", "'a' has no place"),
        ("f(x) = x @ 2 | g", "MatMult has no place"),
        ("f(x) = x & 2 | g", "BitAnd has no place"),
        ("f(x) = not x | g", "Not has no place"),
        ("f(x) = sin(x, x) | g", "sin takes 1 arguments, not 2"),
        ("f(x) = sin(x=x) | g", "an argument by name"),
        ("f(sin) = sin(sin) | g", "sin is no word"),
        ("f(x) = x.data | g", "data is none of"),
        ("f(_x) = _x | g", "'_x' cannot be a name"),
        ("f(1x) = 1x | g", "'1x' cannot be a name"),
        ("f(x) = sin(*x) | g", "with a star has no place"),
        ("f(x) = x.mean(1) | g", "x.mean is no word"),
        ("inf(x) = x | g", "in the table already"),
        (f"f(x) = {'-' * 3000}x | g", "too deep, of 3012 characters"),
        ("f(x) = x < 1 | g", "Compare has no place"),
        ("f(x) = sin(x)", "1 arguments and 0 pullbacks"),
        ("class(x) = x | g", "cannot be a name"),
        ("sum(x) = x | g", "in the table already"),
    ],
)
def test_rows_that_do_not_read(row, message):
    with pytest.raises(ValueError, match=message):
        define(row)


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_rows_with_shapes_and_slices_of_their_arguments(backend):
    pytest.importorskip("llvmlite") if backend == "llvm" else None
    x = np.arange(6.0).reshape(2, 3)
    folded = define("folded(x; k) = x.reshape((-1, k)).T | g.T.reshape(x.shape)")
    cut = define("cut(x; k) = x[:, 1:k] | ")
    assert folded(x, 2).tolist() == x.reshape(3, 2).T.tolist() == jit(lambda x: folded(x, 2), backend)(x).tolist()
    assert cut(x, 3).tolist() == x[:, 1:3].tolist() == jit(lambda x: cut(x, 3), backend)(x).tolist()
    check_gradients(lambda x: folded(x, 2), x)


def test_an_operation_that_is_defined_anew_leaves_its_users_as_they_were():
    define("halved(x) = x / 2 | g / 2")
    before = define("quartered(x) = halved(halved(x)) | g * 0.25")
    define("halved(x) = x / 3 | g / 3")
    after = define("ninth(x) = halved(halved(x)) | g / 9")
    for x in (4.0, np.array([4.0])):
        assert before(x) == 1.0 and after(x) == pytest.approx(4.0 / 9)
    assert before(Value(4.0)).data == 1.0 and grad(before)(4.0) == 0.25
    assert define("plus(x) = +x | +g")(3.0) == 3.0 and jit(grad(define("plus(x) = +x | +g")))(3.0) == 1.0


def test_functions_that_lose_a_derivative_are_named():
    lost = define("lost", forward=lambda x: 2 * x, pullbacks=[lambda g, out, x: 2.0])
    assert grad(lost)(1.0) == 2.0
    with pytest.raises(TypeError, match="lost: pullback 0 makes a float of nodes"):
        grad(grad(lost))(1.0)
    text = define("text", forward=lambda x: "2", pullbacks=[lambda g, out, x: g])
    with pytest.raises(TypeError, match="text: forward must return a real number"):
        text(Value(1.0))


def test_a_row_for_arrays_takes_numbers_as_arrays_of_no_axes():
    for row, of_three in (("f(x) = sum(x, None) * x | g", 9.0), ("f(x) = reshape(x, (1,)) | g", 3.0)):
        f = define(row)
        assert f(3.0) == of_three == f(Value(3.0)).data == f(np.array(3.0))
    with pytest.raises(IndexError, match="0-dimensional"):
        define("f(x) = x[0] | g")(3.0)


def test_what_functions_are_or_return_is_checked():
    x = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="define: f: forward takes its arguments by place"):
        define("f", forward=lambda *x: x[0], pullbacks=[lambda g, out, x: g])
    summed = define("summed", forward=lambda x: x.sum(), pullbacks=[lambda g, out, x: g])
    with pytest.raises(ValueError, match=r"summed: pullback 0 returned the shape \(\) for an argument of shape \(2,\)"):
        grad(summed)(x)
    listed = define("listed", forward=lambda x: [x[1], x[0]], pullbacks=[lambda g, out, x: anp.flip(g)])
    check_gradients(listed, x)
    check_gradients(define("wide", lambda x: x, [lambda g, out, x: anp.stack([g, 0 * g])]), x)  # summed to the shape


def test_the_gradients_of_a_model_can_be_checked():
    model = nn.MLP(2, [3], 1, rng=0, activation=nn.Tanh())
    check_gradients(model, np.array([[0.5, -1.0]]))
    wrong = Tensor([2.0])
    with pytest.raises(AssertionError, match="argument 0, element"):
        check_gradients(lambda x: x * x.detach() * wrong if isinstance(x, Tensor) else x * x * wrong.data, np.ones(1))


def test_names_in_a_row_do_not_meet_those_of_the_engine():
    pytest.importorskip("llvmlite")
    for name in ("isinstance", "Exception", "float", "tuple", "Node", "kind", "new", "tick"):
        f = define(f"{name}(lift, constant) = lift * constant | g * constant | g * lift")
        assert f(3.0, 5.0) == 15.0 and grad(f, (0, 1))(3.0, 5.0) == (5.0, 3.0)
        assert grad(grad(lambda x, f=f: f(x, x)))(3.0) == 2.0
        for backend in ("python", "llvm"):
            assert jit(grad(lambda x, f=f: f(x, x * x)), backend=backend)(np.array(2.0)) == 12.0
    pair = define("pair(x, x_) = x * x_ | g * x_ | g * x")
    assert pair(Tensor([3.0]), Tensor([5.0])).data.tolist() == [15.0] and grad(pair)(3.0, 5.0) == 5.0
    odd = define("dot(pow, slice, scaled) = pow * sin(slice) / scaled | g | g | g")
    assert odd(2.0, 0.5, 4.0) == 2.0 * np.sin(0.5) / 4.0
    for name in ("copyto", "dot", "buffers", "constants", "array", "nan", "subtract"):
        f = define(f"{name}(x, pow) = x - pow ** 2 | g * 1 | g * (-2 * pow)")
        twice = define(f"twice_{name}(x) = {name}({name}(x, x), x) | g * (1 - 4 * x)")
        for x in (0.5, np.array([0.5, 2.0])):
            for backend in ("python", "llvm"):
                total = jit(lambda x, f=twice: anp.sum(f(x)) if isinstance(x, Tensor) else f(x), backend=backend)
                np.testing.assert_allclose(total(x), np.sum(x - 2 * x**2))


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_axes_counted_from_the_last_one_are_the_same_axes_in_a_program(backend):
    pytest.importorskip("llvmlite") if backend == "llvm" else None
    x = np.arange(6.0).reshape(2, 3) ** 1.3
    for value in (
        *("flip(x, -1)", "concatenate(x, x, -1)", "argmax(x, -1)", "ties(x, max(x, (-1,)), (-1,))"),
        *("cumsum(x, -2)", "x.transpose((-1, 0))", "sum(x, -2)", "max(x, 0)"),
    ):
        row = define(f"of_axes(x) = {value} | g")
        np.testing.assert_allclose(
            jit(lambda x, row=row: row(2.0 * x) + 1.0, backend)(x), row(2.0 * x) + 1.0, err_msg=value
        )
