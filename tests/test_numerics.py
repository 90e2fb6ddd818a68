"""The table of docs/numerics.md is what the code does, on Value, on Tensor and in float32."""

import math
import pathlib
import re

import numpy
import pytest

import autograd.numpy as np
from autograd import Tensor, grad, gradients, hessian, vjp

PAGE = (pathlib.Path(__file__).parent.parent / "docs" / "numerics.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| (\S.*?) \| (\S.*?) \| (\S.*?) \| (\S.*?) \|.*\|$", PAGE, re.M)


def number(text):
    return eval(text, {"nan": math.nan, "inf": math.inf})


@pytest.mark.parametrize("expression, at, value, slope, curvature", ROWS, ids=[f"{row[0]} at {row[1]}" for row in ROWS])
def test_the_table_is_true(expression, at, value, slope, curvature):
    def f(x):
        return eval(expression, {"np": np, "x": x})

    x = number(at)
    for point in [numpy.array(x, float), *([] if isinstance(x, list) else [x])]:
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_allclose(vjp(f, point)[0], number(value), rtol=1e-5)
            numpy.testing.assert_allclose(grad(f)(point), number(slope), rtol=1e-5)
            if curvature != "-":
                second = numpy.asarray(hessian(f)(point))
                numpy.testing.assert_allclose(
                    numpy.diag(second) if second.ndim else second, number(curvature), rtol=1e-5
                )
            single = Tensor(point, numpy.float32)
            out = f(single)
            assert out.dtype == numpy.float32 and gradients(out, [single])[0].dtype == numpy.float32


def test_the_table_is_read():
    assert len(ROWS) == PAGE.count("\n| `") > 60
