"""THE table: an operation is one row of text, its value and one pullback per argument, written as mathematics.

    name(arguments; static) = value | pullback of the first argument | of the second ...

A pullback turns the gradient of the result, `g`, into the gradient of one argument. It may use the arguments and the
result, `out`. What follows the semicolon (a shape, an axis, an index) is never differentiated, nor is an argument
without a pullback. Rows without any are recorded all the same, so that jit can run a graph again on other numbers.

Three conventions keep the rows short:

- A pullback need not undo broadcasting: its result may be larger than the argument, and backward.py sums it.
- `g * d` and `g / d` are exactly 0 where g is 0, even where d is inf, 0 or NaN: a branch that was not selected passes
  nothing. For the plain product, of a factor that is always finite, g is written last: `share(x.shape, axis) * g`.
- `/`, `**` and the functions follow IEEE 754 on Python floats as on arrays: 1 / 0 is inf, log(-1) is NaN.

What the words of a row (sin, where, sum ...) compute on floats and on arrays is in words.py. A comment behind a row
says where finite differences can measure its slope, and tests draw numbers there: `# |x| < 20`, `# 0.1 < x < 5`.
"""

ELEMENTWISE_ROWS = """
add(x, y)       = x + y                 | g                              | g
sub(x, y)       = x - y                 | g                              | -g
mul(x, y)       = x * y                 | g * y                          | g * x
truediv(x, y)   = x / y                 | g / y                          | g * (-out / y)
pow(x, y)       = x ** y                | g * lowered(x, y)              | g * powlog(x, y)  # 0.05 < x < 5
neg(x)          = -x                    | -g
# a selection of x, -x or (at 0) nothing, which passes no infinite gradient where it is nothing
abs(x)          = abs(x)                | where(x, where(less(x, 0.0), -g, g), 0.0)
square(x)       = x * x                 | g * (2.0 * x)               # |x| < 1e6
sqrt(x)         = sqrt(x)               | g * (0.5 / out)             # 0 < x
exp(x)          = exp(x)                | g * out                     # |x| < 20
expm1(x)        = expm1(x)              | g * exp(x)                  # |x| < 20
log(x)          = log(x)                | g * (1 / x)                 # 0 < x
log1p(x)        = log1p(x)              | g * (1 / (1 + x))           # |x| < 0.9
# by the root of the result, since the whole may overflow where log(2) of it does not
exp2(x)         = exp2(x)               | g * (exp2(0.5 * x) * (LN2 * exp2(0.5 * x)))  # |x| < 20
log2(x)         = log2(x)               | g * (LOG2E / x)             # 0 < x
log10(x)        = log10(x)              | g * (LOG10E / x)            # 0 < x
# by the result: x ** (-2 / 3) would be NaN left of 0
cbrt(x)         = cbrt(x)               | g * (1 / (3.0 * out * out))
sin(x)          = sin(x)                | g * cos(x)                  # |x| < 20
cos(x)          = cos(x)                | g * -sin(x)                 # |x| < 20
tan(x)          = tan(x)                | g * (1 + out * out)         # |x| < 1.5
arcsin(x)       = arcsin(x)             | g * sec_arcsin(x)           # |x| < 0.9
arccos(x)       = arccos(x)             | g * -sec_arcsin(x)          # |x| < 0.9
arctan(x)       = arctan(x)             | g * (cos_arctan(x) * cos_arctan(x))
sinh(x)         = sinh(x)               | g * cosh(x)                 # |x| < 20
cosh(x)         = cosh(x)               | g * sinh(x)                 # |x| < 20
tanh(x)         = tanh(x)               | g * (4.0 * bell(2.0 * x))   # |x| < 8
arcsinh(x)      = arcsinh(x)            | g * cos_arctan(x)
# two roots, since the product of x - 1 and x + 1 may overflow
arccosh(x)      = arccosh(x)            | g * (1 / sqrt(x - 1) / sqrt(x + 1))  # 1.1 < x < 1e6
arctanh(x)      = arctanh(x)            | g * (sec_arcsin(x) * sec_arcsin(x))  # |x| < 0.9
sigmoid(x)      = sigmoid(x)            | g * bell(x)                 # |x| < 20
softplus(x)     = softplus(x)           | g * sigmoid(x)              # |x| < 20
# the result is its own mask: it is not 0 where x is positive, or NaN; at 0 the least of the slopes 0 to 1
relu(x)         = maximum(x, 0.0)       | where(out, g, 0.0)
# half each at a tie: of the subgradients (Rockafellar 1970, Convex Analysis, section 23) the one of least norm
maximum(x, y)   = maximum(x, y)         | scaled(wins(x, y), g)          | scaled(wins(y, x), g)
minimum(x, y)   = minimum(x, y)         | scaled(wins(y, x), g)          | scaled(wins(x, y), g)
where(m, x, y)  = where(m, x, y)        |                                | where(m, g, 0.0) | where(m, 0.0, g)
# at the origin the subgradient of least norm, 0, also of an infinite gradient
hypot(x, y)     = hypot(x, y) \
    | scaled(where(out, g, 0.0), cosine(x, y)) | scaled(where(out, g, 0.0), cosine(y, x))  # 1e-4 < |x| < 1e4
arctan2(x, y)   = arctan2(x, y)         | g * inverted(y, x)             | g * -inverted(x, y)  # 0.01 < |x| < 100
# exp(x) / (exp(x) + exp(y)), of the difference alone, so that nothing overflows
logaddexp(x, y) = logaddexp(x, y)       | g * sigmoid(x - y)             | g * sigmoid(y - x)  # 0.001 < |x| < 20
# a jump passes the slope of either side; by floordiv, since floor(x / y) may be one more where x / y is rounded up
mod(x, y)       = mod(x, y) | g | where(floordiv(x, y), g * -floordiv(x, y), 0.0)  # 0.5 < |x| < 5
floordiv(x, y)  = floordiv(x, y)
copysign(x, y)  = copysign(x, y)        | where(x, g * (sign(x) * copysign(1.0, y)), 0.0) |
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
"""

# What pullbacks are written with: rows that keep the digits of a derivative, and of its own derivatives, where the
# schoolbook's formula loses them; and what the engine itself needs. Users do not see them as methods or functions.
INNER_ROWS = """
# x * y and x / y, but 0 where x is 0; their pullbacks are guarded as well, so that this holds in every order
scaled(x, y)    = scaled(x, y)          | g * y                          | scaled(x, g)
ratio(x, y)     = ratio(x, y)           | g / y                          | g * -ratio(out, y)
# 1, 1/2 or 0 where x is larger than y, equal or smaller; constant almost everywhere, so it has no pullback
wins(x, y)      = wins(x, y)
alias(x)        = x                     | g
# no pullback: a constant for every derivative, and still part of the graph that jit runs again
detached(x)     = x
# sigmoid(x) * sigmoid(-x), the density of the logistic distribution; 1 - sigmoid(x) and 1 - tanh(x) ** 2 lose the tail
bell(x)         = bell(x)               | g * (-out * tanh(0.5 * x))  # |x| < 20
# 1 - x * x would lose its digits near 1
sec_arcsin(x)   = 1 / sqrt((1 - x) * (1 + x)) | g * (x * out * (out * out))  # |x| < 0.9
# 1 / sqrt(1 + x * x) would lose its own where x is large; x * out is at most 1
cos_arctan(x)   = 1 / hypot(x, 1.0)     | g * -(x * out * out * out)
# of the direction of (x, y), and x of the point (x, y) mirrored in the unit circle; the digits of x - y are not lost
cosine(x, y)    = ratio(x, hypot(x, y)) \
    | g * (cosine(y, x) * (cosine(y, x) / hypot(x, y))) | g * -(out * cosine(y, x) / hypot(x, y))  # 0.01 < |x| < 100
inverted(x, y)  = x / hypot(x, y) / hypot(x, y) \
    | g * ((y - x) / hypot(x, y) * ((y + x) / hypot(x, y)) / hypot(x, y) / hypot(x, y)) \
    | g * (-2.0 * (out * (y / hypot(x, y) / hypot(x, y))))  # 0.01 < |x| < 100
# the derivatives of x ** y by x (lowered) and by y (powlog); both have the same mixed second derivative. x ** 0
# has slope 0 at x = 0, not 0 * inf, and 0 ** y has slope 0 for y > 0, not 0 * -inf
lowered(x, y)   = scaled(y, x ** (y - 1)) * regained(x, y) \
    | g * (scaled(y, lowered(x, y - 1)) * regained(x, y)) \
    | g * ((x ** (y - 1) + scaled(y, powlog(x, y - 1))) * regained(x, y))  # 0.05 < x < 5
powlog(x, y)    = scaled(x ** y, log(x)) \
    | g * ((x ** (y - 1) + scaled(y, powlog(x, y - 1))) * regained(x, y))  | g * scaled(out, log(x))  # 0.05 < x < 5
# y - 1 is rounded; this factor, x ** (what was lost), corrects it. It is nearly 1, and a constant for every derivative
regained(x, y)  = 1 + scaled(where(less(abs(y), inf), y - (y - 1 + 1), 0.0), log(x))
"""

ARRAY_ROWS = """
sum(x; axis)           = sum(x, axis)              | expand(g, x.shape)
mean(x; axis)          = mean(x, axis)             | expand(share(x.shape, axis) * g, x.shape)
# k equal extremes share the gradient, 1 / k each: as for maximum, the subgradient of least norm
max(x; axis)           = max(x, axis)              | scaled(ties(x, out, axis), g)
min(x; axis)           = min(x, axis)              | scaled(ties(x, out, axis), g)
# for logsumexp and softmax: top is the largest element (-inf of none), from_top is x - top (0 if x is inf), and
# others is the sum of exp(from_top) less 1, for the largest itself, so that log1p of it keeps the digits: Blanchard,
# Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions
top(x; axis)           = top(x, axis)
from_top(x; axis)      = where(equal(x, inf), 0.0, x - top(x, axis))
others(x; axis)        = sum(where(equal(x, 0.0), 0.0, exp(x)), axis) + (sum(equal(x, 0.0).astype(x.dtype), axis) - 1)
logsumexp(x; axis)     = where(less(abs(top(x, axis)), inf), \
    top(x, axis) + log1p(others(from_top(x, axis), axis)), top(x, axis)) | g * softmax(x, axis)  # 0.001 < |x| < 20
softmax(x; axis)       = exp(from_top(x, axis)) / sum(exp(from_top(x, axis)), axis) \
    | balanced(scaled(g - sum(g * out, axis), out), out - 0.5, axis)  # 0.001 < |x| < 20
log_softmax(x; axis)   = from_top(x, axis) - log1p(others(from_top(x, axis), axis)) \
    | balanced(g - scaled(sum(g, axis), softmax(x, axis)), out + 0.6931471805599453, axis)  # 0.001 < |x| < 20
# x, whose elements sum to 0. At most one has a probability above 1/2 (y > 0 there); it has lost digits, and is computed
# anew, as minus the sum of the others
balanced(x, y; axis)   = where(greater(y, 0.0), -sum(where(greater(y, 0.0), 0.0, x), axis), x) \
    | where(greater(y, 0.0), 0.0, g - sum(where(greater(y, 0.0), g, 0.0), axis)) |  # 0.001 < |x| < 20
# elements are divided by the largest (size), so that no square overflows; the pullback is the unit vector, and at 0 the
# subgradient of least norm, 0
size(x; axis)          = maximum(top(abs(x), axis), 0.0)
norm(x; axis)          = where(less(size(x, axis), inf), \
    size(x, axis) * sqrt(sum(square(ratio(x, size(x, axis))), axis)), size(x, axis)) \
    | scaled(where(out, g, 0.0), ratio(x, out))  # 1e-4 < |x| < 1e4
ties(x, y; axis)       = ties(x, y, axis)
cumsum(x; axis)        = cumsum(x, axis)           | flip(cumsum(flip(g, axis), axis), axis)  # 0.001 < |x| < 1000
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

# Operations on masks and integers: bits, and places along an axis. Outside jit these are NumPy arrays and no nodes, so
# the rows are recorded only inside jit. What is no float passes no gradient.
PLACE_ROWS = """
bitwise_and(x, y)      = bitwise_and(x, y)
bitwise_or(x, y)       = bitwise_or(x, y)
bitwise_xor(x, y)      = bitwise_xor(x, y)
left_shift(x, y)       = left_shift(x, y)
right_shift(x, y)      = right_shift(x, y)
invert(x)              = invert(x)
argmax(x; axis)        = argmax(x, axis)
argsort(x; axis, kind) = argsort(x, axis, kind)
searchsorted(x, y; side) = searchsorted(x, y, side)
# an index into n elements, such as -1, as a place from 0 to n - 1; others raise IndexError
bounded(i; n)          = bounded(i, n)
# x[i] along the first axis, i an array of places; where it names one twice the adjoint adds
gather(x, i)           = gather(x, i)              | scatter_add(g, i, x.shape) |
scatter_add(x, i; shape) = scatter_add(x, i, shape) | gather(g, i) |
"""
