"""THE table: an operation is one row of text, its value and one pullback per argument, written as mathematics.

    name(arguments; static) = value | pullback of the first argument | of the second ...

In a pullback `g` is the gradient of the result, `out` the result, and the arguments are the operation's own. What
follows the semicolon (a shape, an axis, an index) is never differentiated, nor is an argument without a pullback. Rows
without any are recorded all the same, so that a graph can be run again on other numbers.

Three conventions keep the rows short:

- A gradient may be larger than its argument, as broadcasting made it: the sweep sums it back (backward.py).
- `g * d` and `g / d` are exactly 0 where g is 0, also where d is inf, 0 or NaN: a branch that was not selected passes
  nothing. A factor that is always finite is written first: `wins(x, y) * g` is the plain product.
- `/`, `**` and the functions follow IEEE 754 on Python floats as on arrays: 1 / 0 is inf, log(-1) is NaN.

What the words of a row mean on floats and on arrays stands in words.py. A line that begins with # is a comment.
"""

ELEMENTWISE_ROWS = """
add(x, y)       = x + y                 | g                              | g
sub(x, y)       = x - y                 | g                              | -g
mul(x, y)       = x * y                 | g * y                          | g * x
truediv(x, y)   = x / y                 | g / y                          | g * (-out / y)
# guarded: x ** 0 has slope 0 at x = 0, not 0 * inf, and 0 ** y has slope 0 for y > 0, not 0 * -inf
pow(x, y)       = x ** y                | g * scaled(y, x ** (y - 1))    | g * scaled(out, log(x))
# x * y and x / y, but 0 where x is 0; their pullbacks are guarded as well, so that this holds in every order
scaled(x, y)    = scaled(x, y)          | g * y                          | scaled(x, g)
ratio(x, y)     = ratio(x, y)           | g / y                          | g * -ratio(out, y)
neg(x)          = -x                    | -g
abs(x)          = abs(x)                | g * sign(x)
square(x)       = x * x                 | g * (2.0 * x)
sqrt(x)         = sqrt(x)               | g * (0.5 / out)
exp(x)          = exp(x)                | g * out
expm1(x)        = expm1(x)              | g * exp(x)
log(x)          = log(x)                | g * (1 / x)
log1p(x)        = log1p(x)              | g * (1 / (1 + x))
exp2(x)         = exp2(x)               | g * (out * LN2)
log2(x)         = log2(x)               | g * (1 / (x * LN2))
log10(x)        = log10(x)              | g * (1 / (x * LN10))
# by the result: x ** (-2 / 3) would be NaN left of 0
cbrt(x)         = cbrt(x)               | g * (1 / (3.0 * out * out))
sin(x)          = sin(x)                | g * cos(x)
cos(x)          = cos(x)                | g * -sin(x)
tan(x)          = tan(x)                | g * (1 + out * out)
# 1 - x * x would lose its digits near 1; so below for arccosh and arctanh
arcsin(x)       = arcsin(x)             | g * (1 / sqrt((1 - x) * (1 + x)))
arccos(x)       = arccos(x)             | g * (-1 / sqrt((1 - x) * (1 + x)))
arctan(x)       = arctan(x)             | g * (1 / (1 + x * x))
sinh(x)         = sinh(x)               | g * cosh(x)
cosh(x)         = cosh(x)               | g * sinh(x)
tanh(x)         = tanh(x)               | g * (1 - out * out)
arcsinh(x)      = arcsinh(x)            | g * (1 / hypot(x, 1.0))
arccosh(x)      = arccosh(x)            | g * (1 / sqrt((x - 1) * (x + 1)))
arctanh(x)      = arctanh(x)            | g * (1 / ((1 - x) * (1 + x)))
sigmoid(x)      = sigmoid(x)            | g * (out * (1 - out))
softplus(x)     = softplus(x)           | g * sigmoid(x)
# the result is its own mask: it is not 0 where x is positive, or NaN; at 0 the least of the slopes 0 to 1
relu(x)         = maximum(x, 0.0)       | where(out, g, 0.0)
# half each at a tie: of the subgradients (Rockafellar 1970, Convex Analysis, section 23) the one of least norm
maximum(x, y)   = maximum(x, y)         | wins(x, y) * g                 | wins(y, x) * g
minimum(x, y)   = minimum(x, y)         | wins(y, x) * g                 | wins(x, y) * g
where(m, x, y)  = where(m, x, y)        |                                | where(m, g, 0.0) | where(m, 0.0, g)
# the cosines of the direction; at the origin ratio gives 0, the subgradient of least norm
hypot(x, y)     = hypot(x, y)           | g * ratio(x, out)              | g * ratio(y, out)
# divided by the radius twice, since its square would overflow or vanish
arctan2(x, y)   = arctan2(x, y)         | g * (y / hypot(x, y) / hypot(x, y)) | g * (-x / hypot(x, y) / hypot(x, y))
# exp(x) / (exp(x) + exp(y)), of the difference alone, so that nothing overflows
logaddexp(x, y) = logaddexp(x, y)       | g * sigmoid(x - y)             | g * sigmoid(y - x)
sign(x)         = sign(x)
floor(x)        = floor(x)
ceil(x)         = ceil(x)
rint(x)         = rint(x)
greater(x, y)   = greater(x, y)
less(x, y)      = less(x, y)
equal(x, y)     = equal(x, y)
greater_equal(x, y) = greater_equal(x, y)
less_equal(x, y) = less_equal(x, y)
not_equal(x, y) = not_equal(x, y)
# 1, 1/2 or 0, where x is the larger one, equal or the smaller one: constant almost everywhere
wins(x, y)      = wins(x, y)
alias(x)        = x                     | g
# no pullback: a constant for every derivative, and still part of the graph that jit runs again
detached(x)     = x
"""

ARRAY_ROWS = """
sum(x; axis)           = sum(x, axis)              | expand(g, x.shape)
mean(x; axis)          = mean(x, axis)             | expand(share(x.shape, axis) * g, x.shape)
# k equal extremes share the gradient, 1 / k each: as for maximum, the subgradient of least norm
max(x; axis)           = max(x, axis)              | g * ties(x, out, axis)
min(x; axis)           = min(x, axis)              | g * ties(x, out, axis)
# the unit vector; at 0 ratio gives 0, the subgradient of least norm
norm(x; axis)          = norm(x, axis)             | g * ratio(x, out)
logsumexp(x; axis)     = logsumexp(x, axis)        | g * exp(x - out)
ties(x, y; axis)       = ties(x, y, axis)
cumsum(x; axis)        = cumsum(x, axis)           | flip(cumsum(flip(g, axis), axis), axis)
flip(x; axis)          = flip(x, axis)             | flip(g, axis)
# x in the order that sorts y: linear in x, and the adjoint of a permutation is its inverse; constant in y
sorted_as(x, y; axis)  = sorted_as(x, y, axis)     | unsorted_as(g, y, axis) |
unsorted_as(x, y; axis) = unsorted_as(x, y, axis)  | sorted_as(g, y, axis) |
matmul(x, y)           = matmul(x, y)              | matmul(g, y.mT)            | matmul(x.mT, g)
affine(x, y, b)        = matmul(x, y) + b          | matmul(g, y.mT)            | matmul(x.mT, g)   | g
reshape(x; shape)      = x.reshape(shape)          | g.reshape(x.shape)
transpose(x; axes)     = x.transpose(axes)         | g.transpose(inverse(axes))
swapaxes(x; i, j)      = x.swapaxes(i, j)          | g.swapaxes(i, j)
expand(x; shape)       = expand(x, shape)          | sum_to(g, x.shape)
sum_to(x; shape)       = sum_to(x, shape)          | expand(g, x.shape)
getitem(x; index)      = x[index]                  | scatter(g, index, x.shape)
scatter(x; index, shape) = scatter(x, index, shape) | g[index]
concatenate(x, y; axis) = concatenate(x, y, axis)  | g[head(x.shape, axis)]     | g[tail(x.shape, axis)]
cast(x; dtype)         = x.astype(dtype)           | cast(g, x.dtype)
# solve, inv, logdet: Giles 2008, Collected matrix derivative results for forward and reverse mode algorithmic
# differentiation; solve's are written with its own transposed systems, so no inverse is formed
solve(x, y)            = solve(x, y)               | -matmul(solve(x.mT, g), out.mT)     | solve(x.mT, g)
inv(x)                 = inv(x)                    | -matmul(matmul(out.mT, g), out.mT)
# Jacobi's formula, by cofactors: det(x) * inv(x).mT breaks down where x is singular (Stewart 1998, On the adjugate
# matrix); the word cofactor goes by singular values
det(x)                 = det(x)                    | scaled(g[..., None, None], cofactor(x))
detsign(x)             = detsign(x)
logdet(x)              = logdet(x)                 | scaled(g[..., None, None], inv(x).mT)
cofactor(x)            = cofactor(x)               | minors(x, g)
# the derivative of cofactor in a direction y, the second one of det: linear in y, and its own adjoint. By x it is the
# product rule for det(x) * (sum(inv(x).mT * y) * inv(x).mT - (inv(x) @ y @ inv(x)).mT), so x must be regular there
minors(x, y)           = minors(x, y) | inv(x).mT * sum(out * g, (-2, -1)) - matmul(matmul(out, g.mT) \
    + matmul(minors(x, g), y.mT), inv(x).mT) | minors(x, g)
# Murray 2016, Differentiation of the Cholesky decomposition, arXiv:1602.07527: symbolic reverse mode; to multiply
# by half_lower is to take the lower triangle and halve its diagonal, and L.T is solved with twice, not inverted
cholesky(x)            = cholesky(x)               | solve(out.mT, solve(out.mT, \
    0.5 * (matmul(out.mT, g) * half_lower(x.shape) + matmul(g.mT, out) * half_lower(x.shape).mT)).mT)
"""
