"""The lines that programs are made of: what stands in braces is filled by `Words` in words.py."""

import autograd.numpy as np

ROWS = {**np.ROWS, **np.OF_MASKS}
OF_INTEGERS = ("bitwise_and bitwise_or bitwise_xor invert bitwise_not left_shift right_shift ldexp").split()
OF_ONE, OF_TWO = ([name for name, row in ROWS.items() if len(row.arguments) == n] for n in (1, 2))
ARITHMETIC = "+ - * / // % < <= > >= == !=".split()
ALONG = "sum mean max min prod var std any all logsumexp count_nonzero".split()
WITHOUT_NAN = "nansum nanmean nanmax nanmin nanprod nanvar nanstd nanmedian".split()
SPECIAL = """erf erfc erfcx erfinv ndtr ndtri log_ndtr gamma gammaln digamma logit expit log_expit entr i0 i1 i0e i1e j0
j1 psi""".split()


def read(text: str) -> list[str]:
    """Templates, between semicolons."""
    return [part for line in text.strip().split("\n") for part in line.strip(" ;").split(" ; ") if part]


# what most programs consist of
COMMON = [
    *(f"np.{name}({{f}})" for name in OF_ONE if name not in OF_INTEGERS and "logical" not in name),
    *(f"{{a}} {symbol} {{a}}" for symbol in ARITHMETIC),
    *(f"{{{kind}}} {symbol} {{{c}}}" for symbol in ARITHMETIC for kind, c in ("fc", "ik", "ac")),
    *(f"np.{name}({{a}})" for name in ALONG),
    *(f"np.{name}({{a}}, axis={{axes}}, keepdims={{bool}})" for name in ALONG),
    *(f"np.{name}({{f}}, axis={{axes}})" for name in ALONG),
    *read("""
    np.exp(np.minimum({f}, 2.0)) ; np.log(np.abs({f}) + 0.5) ; 1.0 / (1.0 + {f} ** 2) ; np.sqrt(np.abs({f}))
    {c} - {a} ; {c} / {f} ; {k} - {i} ; {k} // {i} ; {k} % {i} ; {c} % {f} ; -{i} ; np.abs({i}) ; {f} * {f} + {f}
    {f} + {f} ; {f} * {f} ; {f} - {f} ; {i} + {i} ; {i} * {i} ; {f} * {b} ; {i} * {b} ; np.copysign({f}, {c})
    {f} ** 2 ; {f} ** 3 ; np.abs({f}) ** 0.5 ; {f} ** -1 ; np.abs({f}) ** {f} ; {f} ** {f} ; np.maximum({f}, {c})
    np.maximum({f}, {f}) ; np.minimum({f}, {f}) ; np.maximum({i}, {i}) ; np.minimum({i}, {k})
    np.clip({f}, -1.0, {c}) ; np.hypot({f}, {f}) ; np.arctan2({f}, {f}) ; np.logaddexp({f}, {f})
    np.copysign({f}, np.nan_to_num({f})) ; {b} & {b} ; {b} | {b} ; {b} ^ {b} ; ~{b} ; np.logical_or({a}, {b})
    np.logical_not({a}) ; {i} & {i} ; {i} | {k} ; {i} ^ {i} ; ~{i} ; np.left_shift({i}, {i}) ; {i} >> np.abs({i})
    {i} << 2 ; np.where({b}, {f}, {f}) ; np.where({b}, {a}, {a}) ; np.where({f} > 0, {f}, {c})
    np.where({b}, {i}, {k}) ; np.where({b}, {f}, {c}) * {f} ; np.where({a} < {a}, {x}, 0) ; np.isclose({f}, {f})
    np.nan_to_num({f}) ; {a}.astype('f8') ; {a}.astype('f4') ; {a}.astype('?') ; {i}.astype('i4') ; {b}.astype('i8')
    {b}.astype('i4') ; np.clip(np.nan_to_num({f}), -9, 9).astype('i8') ; {f} * {f}.sum()
    {f} - np.max({x}, axis={axis}, keepdims=True) ; {f} / np.sum({x} * {x}, {axis}, keepdims=True)
    np.exp({f} - np.logsumexp({x}, axis={axis}, keepdims=True)) ; np.sum({f} * {f}, axis={axes})
    np.argmax({a}, axis={axis}) ; np.argmin({a}, axis={axis}) ; np.argmax({a}) ; np.argmin({f}, {axis})
    np.sort({a}, axis={axis}) ; np.argsort({f}, axis={axis}, kind='stable') ; np.argsort({i}, {axis}, kind='stable')
    np.cumsum({a}, axis={axis}) ; np.cumsum({f}) ; np.cumprod({f}, {axis}) ; np.diff({a}, axis={axis})
    np.softmax({f}, axis={axis}) ; np.log_softmax({f}, axis={axis}) ; np.linalg.norm({f}, axis={axis})
    {f} @ np.swapaxes({f}, -1, -2) ; {f} @ {f} ; {f} @ {x}.T ; np.swapaxes({f}, -1, -2) @ {x} ; {i} @ {i} ; {f} @ {i}
    np.outer({a}, {a}) ; np.dot({f}, {f}) ; np.tensordot({f}, {x}, {ndim}) ; np.einsum('...i,...j->...ij', {f}, {x})
    {f} @ {matrix} ; {f}[..., None, :] @ {f}[..., None] ; np.affine({f}, {matrix}, 1.0) ; {a}.reshape({shape})
    np.reshape({a}, {shape}).T ; np.ravel({a}) ; np.ravel({a}.T) ; np.transpose({a}, {order}) ; {a}.T
    np.swapaxes({a}, {axis}, {axis}) ; np.moveaxis({a}, {axis}, {axis}) ; np.expand_dims({a}, {axis})
    np.squeeze({a}) ; np.broadcast_to({a}, {wider}) ; np.tile({a}, 2) ; np.repeat({a}, 2, axis={axis})
    np.broadcast_to({f}, {wider}) * {f} ; np.sum(np.broadcast_to({f}, {wider})) ; np.stack([{a}, {x}], axis={axis})
    np.concatenate([{a}, {a}], axis={axis}) ; np.concatenate([{f}, {x}, {f}], axis={axis}) ; np.stack([{f}, {f}])
    np.concatenate([{a}, {x}[..., ::-1]], axis=-1) ; np.flip({a}, axis={axis}) ; np.roll({a}, 1, axis={axis})
    np.tril({a}) ; np.diag({a}) ; np.trace({a}) ; np.pad({a}, 1) ; np.diagonal({a}) ; np.split({a}, 1, {axis})[0]
    np.meshgrid({f}, {f})[0] ; {a}[{basic}] ; {a}[{basic}] ; {a}[{fancy}] ; {a}[{fancy}] ; {f}[{basic}] * {f}
    {a}[..., ::-1] ; {a}[{i} % {n}] ; {f}[{i} % {n} - {n}] ; {a}[..., {i} % {m}] ; {f}[{i} % {n}, {i} % {m2}]
    {f}[{i} % {n}, ..., None] ; {f}[{i} % {n}, 1:] ; {f}[:, {i} % {m2}] ; {a}[{i} % {n}, {basic1}]
    np.take({a}, {i} % {size}) ; np.take({a}, axis={axis}, indices={i} % {n}) ; np.take({f}, {i}, mode='clip')
    np.take_along_axis({f}, np.argsort({x}, axis={axis}), axis={again}) ; np.take({f}, {i} % 9 - 4, mode='wrap')
    np.take_along_axis({f}, np.argmax({x}, axis={axis}, keepdims=True), axis={again}) ; {f}[np.argmax({x})]
    np.searchsorted(np.sort(np.ravel({f})), {f}) ; np.zeros_like({f}) + {f} ; np.ones_like({a}) * {a}
    np.array([1.0, -2.0, 0.5]) * {f} ; np.array(3, 'f4') * {a} ; np.array([[1], [2]]) + {a}
    np.mean(({f} - np.mean({x}, {axis}, keepdims=True)) ** 2, {again}) ; np.interp({f}, [0, 1], [2, 4])
    np.cross({f}, {f}) ; np.median({a}) ; np.convolve({f}, {f})
    """),
]  # fmt: skip
# functions of functions, and what is used now and then
RARE = [
    *(f"np.{name}({{f}}, {{f}})" for name in OF_TWO if name not in OF_INTEGERS + ["divmod"]),
    *(f"np.{name}({{i}}, {{i}})" for name in OF_INTEGERS if name in OF_TWO and name != "ldexp"),
    *(f"np.{name}({{f}}, axis={{axes}})" for name in WITHOUT_NAN),
    *(f"special.{name}({{f}})" for name in SPECIAL),
    *read("""
    grad(lambda u: np.sum(np.tanh(u) * u))({f}) ; jvp(lambda u: np.cumsum(np.sin(u) * u), ({f},), ({x},))[1]
    jvp(lambda u: u[{fancy}] ** 2, ({x},), ({x},))[0] ; jit(lambda u: np.sum(u * u, {axes}), backend='python')({x})
    value_and_grad(lambda u: np.sum(u * {f} * u))({x})[1] ; vjp(lambda u: np.sin(u) * {f}, {x})[1]({x})[0]
    hvp(lambda u: np.sum(np.sin(u) * {f}))({x}, {x}) ; elementwise_grad(lambda u: np.tanh(u) * {f})({x})
    jacobian(lambda u: np.exp(np.minimum(u, 1.0)) * u[..., ::-1])({f}) ; jacrev(lambda u: np.cumsum(u * u))({f})
    jacfwd(lambda u: np.sum(np.sin(u), {axes}))({x}) ; hessian(lambda u: np.sum(np.cos(u)) ** 2)({f})
    checkpoint(lambda u: np.tanh(u) * {f})({x}) ; grad(jit(lambda u: np.sum(np.sin(u) * {f})))({x})
    grad(lambda u: np.sum(vmap(lambda row: np.sum(row * row) * row, in_axes=(0,))(u)))({f})
    hessian(jit(lambda u: np.sum(u ** 3)))({f}) ; jit(grad(lambda u: np.sum(u * u * {f})))({x})
    vmap(grad(lambda u: np.sum(np.sin(u) * u)), in_axes=(0,))({f})
    grad(lambda u: scan(lambda a, b: (a * 0.5 + np.sum(b), a), u, {f})[0].sum())({x})
    jvp(grad(lambda u: np.sum(np.sin(u) * {f})), ({x},), ({x},))[1]

    np.ldexp({f}, {i} % 9) ; np.divmod({f}, {c})[1] ; np.divmod({f}, {f})[0] ; np.modf({f})[0]
    {f} * np.allclose({x}, {f}) ; {f} * np.array_equal({x}, {f}) ; {f} * np.array_equiv({x}, {a}) ; np.isin({a}, {a})
    np.invert({i}) ; np.bitwise_not({b}) ; np.sign({i}) ; np.round({f}, 1) ; np.cumulative_sum({a}, axis={axis})
    np.cumulative_prod({f}, axis={axis}, include_initial=True) ; np.ptp({a}, {axes}) ; np.nancumsum({f}, {axis})
    np.nancumprod({f}, {axis}) ; np.amax({a}, {axes}) ; np.amin({a}, {axes}) ; np.average({a}, axis={axes})
    np.average({a}, {axis}, np.abs({x}) + 1.0) ; np.nanquantile({a}, 0.4, axis={axis})
    np.quantile({a}, 0.3, axis={axis}) ; np.percentile({a}, 75, {axis}) ; np.nanpercentile({a}, 60)
    np.sort(np.partition({f}, 0, {axis}), {again}) ; np.sort(np.argpartition({f}, 0, {axis}), {again})
    np.lexsort(({i}, {i})) ; np.digitize({f}, [-1.0, 0.5]) ; np.nanargmax({f}) ; np.nanargmin({f}, {axis})
    np.bincount(np.ravel({i}) % 5) ; np.bincount(np.ravel({i}) % 5, np.ravel({f}))
    np.segment_sum({f}, {i} % 3, 3) ; np.segment_sum({f}, np.arange({n}) % 2, 2)
    np.histogram({f}, 3, (-1.0, 1.0))[0] ; {f} * np.ndim({x}) ; np.cov({a}) ; np.corrcoef({f})
    np.sum({f}, where={b}) ; np.max({f}, initial={c}) ; np.mean({f}, {axis}, where={f} > 0)
    np.var({f}, {axes}, ddof=1) ; np.std({f}, correction=0.5) ; np.max({f}, where={b}, initial=-1.0)
    np.prod({f}, {axis}, where={b})

    np.append({a}, {a}) ; np.append({a}, {a}, {axis}) ; np.insert({f}, 0, 0.5, {axis}) ; np.delete({a}, 0, {axis})
    np.array_split({a}, 2, {axis})[1] ; np.hsplit({a}, 1)[0] ; np.vsplit({a}, 1)[0]
    np.dsplit(np.atleast_3d({a}), 1)[0] ; np.unstack({a}, axis={axis})[0] ; np.hstack([{a}, {a}])
    np.vstack([{a}, {a}]) ; np.dstack([{a}, {a}]) ; np.column_stack([{a}, {a}]) ; np.block([{a}, {a}])
    np.concat([{a}, {x}]) ; np.atleast_1d({a}) ; np.atleast_2d({a}) ; np.atleast_3d({a})
    np.broadcast_arrays({a}, {a})[0] ; np.copy({a}) ; np.asarray({a}) ; np.ascontiguousarray({a})
    np.asfortranarray({a}) ; np.asanyarray({a}) ; np.full({wider}, {x}) ; np.full_like({f}, {f}) ; np.fliplr({a})
    np.flipud({a}) ; np.rot90({a}) ; np.rot90({f}, 3) ; np.rollaxis({a}, {axis}) ; np.permute_dims({a}, {order})
    np.matrix_transpose({a}) ; np.resize({a}, (2, 3)) ; np.triu({a}, 1) ; np.diagflat({a})
    np.vander(np.ravel({f}), 3) ; np.sliding_window_view({f}, 1, axis={axis}) ; np.pad({a}, 1, constant_values=2.0)
    np.pad({a}, (1, 0), mode='edge') ; np.pad({a}, 1, mode='reflect') ; np.pad({a}, 1, mode='wrap')
    {f}[np.triu_indices_from({x})] ; {f}[np.tril_indices_from({x}, -1)] ; {f}[np.diag_indices_from({gram})]
    {f} * np.size({x}) ; {f} / np.shape({x})[-1] ; np.linspace({a}, {a}, 3) ; np.logspace(np.tanh({f}), 1.0, 4)
    np.geomspace(np.exp(np.tanh({f})), 3.0, 3) ; {f} * np.empty_like({x}).ndim ; np.ediff1d({a})
    np.gradient({a}, axis={axis}) ; np.gradient({a}, 0.5, axis={axis}) ; np.trapezoid({f}, dx=0.5, axis={axis})
    np.unwrap({a}, axis={axis}) ; np.sinc({f}) ; np.polyval({a}, {a}) ; np.polyval([1.0, -0.5, 2.0], {f})
    np.float_power({f}, 2) ; np.conj({f}) ; np.imag({f}) ; np.isreal({f}) ; np.iscomplex({f})
    np.interp({f}, [0.0, 1.0, 3.0], np.cumsum(np.array([1.0, 2.0, 0.5]))) ; np.choose({i} % 2, [{f}, {f}])
    np.select([{b}, {f} > 0], [{f}, {f}], 0.5) ; np.compress([True, False, True], {a}) ; np.extract({f} > 0, {f})
    np.piecewise({f}, [{x} > 0, {x} < -1], [np.sin, 2.0, np.cos]) ; np.argwhere({b}) ; np.flatnonzero({b})
    np.nonzero({i})[0] ; np.spacing({f}) ; np.angle({f})

    np.inner({a}, {a}) ; np.kron({a}, {a}) ; np.matmul({f}, {x}.T) ; np.vdot({f}, {x}) ; np.vecdot({f}, {x})
    np.matvec({f}, {x}[0]) ; np.vecmat({f}[..., 0], {x}) ; np.correlate(np.ravel({f}), np.ravel({f}), 'full')
    np.convolve({f}, {f}, 'same') ; np.einsum('ij,ij->i', {f}, {f}) ; np.einsum('ij,kj', {f}, {x})
    np.einsum('ii->i', {f}) ; np.einsum('...i->...', {f}) ; np.tensordot({f}, {f}, 1) ; np.linalg.det({gram})
    np.linalg.inv({gram}) ; np.linalg.solve({gram}, {x}[..., :1, :].mT) ; np.linalg.cholesky({gram})
    np.linalg.slogdet({gram})[1] ; np.linalg.eigvalsh({gram}) ; np.linalg.eigh({gram})[0] ; np.linalg.svd({f})[1]
    np.linalg.svdvals({f}) ; np.abs(np.linalg.qr({f})[1]) ; np.linalg.pinv({f})
    np.linalg.lstsq({f}, {x}[..., :1])[0] ; np.linalg.matrix_power({gram}, 2) ; np.linalg.matrix_power({gram}, -1)
    np.linalg.multi_dot([{f}, {x}.T, {x}]) ; np.linalg.matrix_norm({f}) ; np.linalg.norm({f}, 'nuc')
    np.linalg.cond({gram}) ; np.linalg.vector_norm({f}, axis={axes}, ord=3) ; np.linalg.norm({f}, 1, {axis})
    np.linalg.norm({f}, np.inf) ; {f} * np.linalg.matrix_rank({x}) ; np.linalg.tensorinv({gram}, 1)
    np.linalg.tensorsolve({gram}, {x}[0]) ; np.linalg.outer({f}, {f}) ; np.linalg.cross({f}, {f})
    np.linalg.trace({f}) ; np.linalg.diagonal({f}) ; np.linalg.matmul({f}, {x}.T) ; np.linalg.matrix_transpose({f})
    np.linalg.tensordot({f}, {f}, 1) ; np.linalg.vecdot({f}, {x}) ; special.xlogy({f}, np.abs({f}))
    special.logsumexp({f}, {axis}) ; special.softmax({f}, {axis}) ; special.beta({f}, {f})
    """),
]  # fmt: skip
