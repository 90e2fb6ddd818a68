"""Layers of images (batch, channels, height, width), which look at windows: PyTorch's, with its arguments.

A window is `kernel_size` numbers high and wide, `dilation` apart, and the next one is `stride` further, in an image
with `padding` more rows and columns at each side: a side of n numbers becomes one of
(n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1.
"""

from typing import Any

import autograd.numpy as np
from autograd import Tensor

from .arguments import floats, generator, positive, taken
from .init import Initializer, he, initial, zeros
from .module import Module


class _Windowed(Module):
    """A layer of windows of images with `n_in` channels, or any."""

    n_in: int | None = None
    _form = "{kernel_size} x {kernel_size}"

    def __init__(self, kernel_size: int, stride: int, padding: int, dilation: int = 1):
        kind = type(self).__name__
        self.kernel_size = positive(f"{kind}: kernel_size", kernel_size)
        self.stride, self.dilation = positive(f"{kind}: stride", stride), positive(f"{kind}: dilation", dilation)
        self.padding = positive(f"{kind}: padding", padding, 0)

    def windows(self, x: Any, like: Any = None, lowest: bool = False) -> list:
        """For each place in the kernel, row by row, what stands there in all windows; in padding 0, or the lowest."""
        around, step, span = self.padding, self.stride, self.dilation * (self.kernel_size - 1) + 1
        images = f"images (batch, {self.n_in or 'channels'}, height, width) of at least {span} x {span}"
        fits = lambda s: len(s) == 4 and self.n_in in (None, s[1]) and min(s[2:]) + 2 * around >= span
        x = floats(taken(self, x, f"{images} with padding {around}", fits), like)
        counts = [(n + 2 * around - span) // step + 1 for n in x.shape[2:]]
        if around:
            fill = float(np.finfo(x.dtype).min) if lowest else 0.0
            x = np.pad(x, ((0, 0), (0, 0), *[(around, around)] * 2), constant_values=fill)
        rows, columns = ([slice(i, i + step * n, step) for i in range(0, span, self.dilation)] for n in counts)
        return [x[:, :, i, j] for i in rows for j in columns]


class Conv2d(_Windowed):
    """For each of n_out channels the sum over a window of all n_in, each number times a weight of its own, plus a bias.

    `weight` has shape (n_out, n_in, kernel_size, kernel_size), `bias` (n_out,), or is None if there is to be none; how
    they begin is as in Linear. Raises ValueError for other inputs.
    """

    _form = "{n_in} -> {n_out}, {kernel_size} x {kernel_size}"

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel_size: int,
        rng: Any,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        init: Initializer = he,
        bias_init: Initializer = zeros,
        dtype: Any = None,
    ):
        super().__init__(kernel_size, stride, padding, dilation)
        rng, self.n_in, self.n_out = generator(rng), positive("Conv2d: n_in", n_in), positive("Conv2d: n_out", n_out)
        shape = self.n_out, self.n_in, kernel_size, kernel_size
        self.weight = initial(init, shape, rng, dtype)
        self.bias = initial(bias_init, shape[:1], rng, dtype, "bias") if bias else None

    def forward(self, x: Any) -> Tensor:
        # for each image one product, of all weights with a column for each window
        windows = np.concatenate(self.windows(x, self.weight), 1)
        batch, _, *size = windows.shape
        weight = self.weight.transpose(0, 2, 3, 1).reshape(self.n_out, -1)
        out = weight @ windows.reshape(batch, weight.shape[1], size[0] * size[1])
        return (out if self.bias is None else out + self.bias[:, None]).reshape(batch, self.n_out, *size)


class _Pool(_Windowed):
    """One number for each window of each channel; the stride is the window's size if none is given."""

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0):
        super().__init__(kernel_size, kernel_size if stride is None else stride, padding)
        if 2 * padding > kernel_size:
            raise ValueError(f"{self.describe()}: padding is at most half of a window's size, not {padding}")


class MaxPool2d(_Pool):
    """The largest number of each window; equal ones share its gradient."""

    def forward(self, x: Any) -> Any:
        return np.stack(self.windows(x, lowest=True)).max(0)


class AvgPool2d(_Pool):
    """The mean of each window, padding counting as zeros."""

    def forward(self, x: Any) -> Any:
        first, *others = self.windows(x)
        return sum(others, start=first) / self.kernel_size**2
