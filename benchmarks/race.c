// The race in C: microgpt's forward, backward and Adam by hand, for one width and batch that are constants here.
//
// - Ragged: the real positions of all names of a batch are the rows of one matrix; padding costs nothing.
// - A product holds a tile of its result in registers: 6 rows by a few vectors, one broadcast for each row.
// - The gradient of a weight exists in registers only: Adam is applied to each tile as soon as it is summed.
// - Within a row of queries, keys and values the heads are interleaved, so that lane i belongs to head i % 4: scores of
//   four heads are sums of vectors, and what weighs values is one shuffle.
// - Rows are one vector longer than what they hold, so that those of a column are not in the same sets of the cache.

#include <math.h>
#include <string.h>

#ifdef __AVX512F__
enum { BYTES = 64, WIDEST = 4 };
#else
enum { BYTES = 32, WIDEST = 2 };
#endif
enum { D = WIDTH, T = 16, HEADS = 4, SYMBOLS = 27, S = 32, F = 4 * D, L = BYTES / sizeof(REAL), MOST = BATCH * T };
typedef REAL real;
typedef real V __attribute__((vector_size(BYTES), may_alias));
typedef real Loose __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));
typedef real Four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef int Ints __attribute__((vector_size(L * sizeof(int))));
#if DOUBLE
typedef long lane;
enum { DEGREE = 13, MANTISSA = 52, BIAS = 1023, LEAST = -700 };
#else
typedef int lane;
enum { DEGREE = 7, MANTISSA = 23, BIAS = 127, LEAST = -87 };
#endif
typedef lane Bits __attribute__((vector_size(BYTES), may_alias));
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define EACH(i, n) UNROLL for (int i = 0; i < (n); i++)

// A weight and its two moments.
typedef struct { real *w, *m, *v; } Weight;
#define WEIGHT(name, n, k) \
    static real name##_[3][n][k + L] __attribute__((aligned(64))); \
    static const Weight name = {name##_[0][0], name##_[1][0], name##_[2][0]};
WEIGHT(token, S, D) WEIGHT(place, T, D) WEIGHT(qkv, D, 3 * D) WEIGHT(wo, D, D)
WEIGHT(w1, D, F) WEIGHT(w2, F, D) WEIGHT(head, D, S)

// What a batch computes; rows are real positions.
#define ROWS(name, k) static real name[MOST][k + L] __attribute__((aligned(64)))
ROWS(x0, D); ROWS(n0, D); ROWS(x1, D); ROWS(n1, D); ROWS(x2, D); ROWS(inner, 3 * D); ROWS(seen, 4 * T); ROWS(mixed, D);
ROWS(hidden, F); ROWS(logits, S); ROWS(gx, D); ROWS(gn, D); ROWS(ginner, 3 * D); ROWS(ghidden, F);
static real across[F * (D + L)] __attribute__((aligned(64)));  // a weight, transposed
static real r0[MOST], r1[MOST], r2[MOST];
static struct { real rate, root; } adam;

static const lane LANES[16] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
INLINE Bits lanes(void) { return *(const Bits *)LANES; }
INLINE V spread(real x) { return x - (V){0}; }
INLINE V most(V x, V y) {
    EACH(l, L) x[l] = x[l] > y[l] ? x[l] : y[l];
    return x;
}

// The lanes turned by n; sums and maxima over every n-th lane end up in all lanes.
INLINE V turned(V x, int n) { return __builtin_shuffle(x, lanes() + n); }
INLINE V sums(V x, int every) {
    UNROLL for (int n = L / 2; n >= every; n /= 2) x += turned(x, n);
    return x;
}
INLINE V maxima(V x, int every) {
    UNROLL for (int n = L / 2; n >= every; n /= 2) x = most(x, turned(x, n));
    return x;
}
// Four numbers, again and again.
INLINE V four(const real *x) { return __builtin_shuffle(*(const Loose *)x, lanes() & 3); }

// exp of numbers that are not positive: 2 to the power of the nearest integer, and a Taylor polynomial of the rest.
INLINE V exponential(V x) {
    static const double ln2 = 0.69314718055994530942, high = 0.693145751953125;
    x = most(x, spread(LEAST));
    Ints whole = __builtin_convertvector(x * (real)(1 / ln2) - (real)0.5, Ints);
    V n = __builtin_convertvector(whole, V), rest = x - n * (real)high - n * (real)(ln2 - high), y = spread(1);
    UNROLL for (int k = DEGREE; k; k--) y = y * rest * (real)(1.0 / k) + 1;
    return y * (V)((__builtin_convertvector(whole, Bits) + BIAS) << MANTISSA);
}

INLINE void adapt(Weight a, int i, V g) {
    V *w = (V *)(a.w + i), *m = (V *)(a.m + i), *v = (V *)(a.v + i), root;
    *m = *m * (real)0.85 + g * (real)0.15;
    *v = *v * (real)0.99 + g * g * (real)0.01;
    V square = *v;
    EACH(l, L) root[l] = sizeof(real) == 8 ? sqrt(square[l]) : sqrtf(square[l]);
    *w -= *m * adam.rate / (root * adam.root + (real)1e-8);
}

enum Use { STORE, RELU, ADD, SLOPE, ADAPT };

// R rows and C vectors of a product: the sum over k of a[row, k] * b[k, vector], and what becomes of it.
INLINE void tile(int R, int C, int K, const real *a, int row, int k, const real *b, int ldb, real *out, const real *other,
                 int ldo, enum Use use, const Weight *weight, int at) {
    V sum[8][4];
    EACH(r, R) EACH(c, C) sum[r][c] = use == ADD ? *(V *)(other + r * ldo + c * L) : (V){0};
    for (int i = 0; i < K; i++) {
        V vectors[4];
        EACH(c, C) vectors[c] = *(V *)(b + i * ldb + c * L);
        EACH(r, R) EACH(c, C) sum[r][c] += a[r * row + i * k] * vectors[c];
    }
    EACH(r, R) EACH(c, C) {
        V *result = (V *)(out + r * ldo + c * L);
        if (use == ADAPT) adapt(*weight, at + r * ldo + c * L, sum[r][c]);
        else if (use == RELU) *result = (V)((Bits)sum[r][c] & (sum[r][c] > 0));
        else if (use == SLOPE) *result = (V)((Bits)sum[r][c] & (*(V *)(other + r * ldo + c * L) > 0));
        else *result = sum[r][c];
    }
}

// The widest number of vectors, at most WIDEST, that divides a row of so many numbers.
#define VECTORS(J) (WIDEST == 4 && J / L % 4 == 0 ? 4 : WIDEST == 4 && J / L % 3 == 0 ? 3 : J / L % 2 == 0 ? 2 : 1)

// out (n, J) = a (n, K) @ b (K, J); ADD adds other, SLOPE passes what belongs to a positive number of it.
INLINE void product(int n, int K, int J, const real *a, int lda, const real *b, int ldb, real *out,
                    const real *other, int ldo, enum Use use) {
    const int C = VECTORS(J);
    for (int j = 0; j < J; j += C * L) {
        int i = 0;
#define TILE(R) tile(R, C, K, a + i * lda, lda, 1, b + j, ldb, out + i * ldo + j, other + i * ldo + j, ldo, use, 0, 0)
        for (; i + 6 <= n; i += 6) TILE(6);
        switch (n - i) {
            case 5: TILE(5); break;
            case 4: TILE(4); break;
            case 3: TILE(3); break;
            case 2: TILE(2); break;
            case 1: TILE(1);
        }
    }
}
// across = w (n, k) transposed, by squares of L x L: each of log2(L) rounds interleaves rows i and i + L / 2.
INLINE void transpose(int n, int k, const real *w) {
    const Bits low = lanes() / 2 + lanes() % 2 * L, high = low + L / 2;
    for (int i = 0; i < n; i += L)
        for (int j = 0; j < k; j += L) {
            V x[L], y[L];
            EACH(r, L) x[r] = *(V *)(w + (i + r) * (k + L) + j);
            UNROLL for (int round = 1; round < L; round *= 2) {
                EACH(r, L / 2) {
                    y[2 * r] = __builtin_shuffle(x[r], x[r + L / 2], low);
                    y[2 * r + 1] = __builtin_shuffle(x[r], x[r + L / 2], high);
                }
                EACH(r, L) x[r] = y[r];
            }
            EACH(r, L) *(V *)(across + (j + r) * (n + L) + i) = x[r];
        }
}

#define LD(rows) (sizeof rows[0] / sizeof(real))
#define FORWARD(n, K, J, a, weight, out, use, other) \
    product(n, K, J, a[0], LD(a), weight.w, J + L, out[0], other[0], LD(out), use)
#define BACKWARD(n, K, J, a, weight, out, use, other) \
    (transpose(J, K, weight.w), product(n, K, J, a[0], LD(a), across, J + L, out[0], other[0], LD(out), use))

// Adam on a weight (I, J) whose gradient is a (n, I) transposed @ g (n, J).
INLINE void learn(int n, int I, int J, const real *a, int lda, const real *g, int ldg, const Weight *weight) {
    const int C = VECTORS(J), R = C == WIDEST ? 4 : 8;
    for (int j = 0; j < J; j += C * L)
        for (int i = 0; i < I; i += R)
            tile(R, C, n, a + i, 1, lda, g + j, ldg, 0, 0, J + L, ADAPT, weight, i * (J + L) + j);
}
#define LEARN(n, I, J, a, g, weight) \
    learn(n, I, J, a[0], LD(a), g[0], LD(g), &weight)

// y = x * r where r = 1 / sqrt(mean of squares); with the gradient g of y, r * (g - y * mean(g * y)) is added to out.
INLINE real norm(const real *x, real *y) {
    V sum = {0};
    EACH(i, D / L) sum += ((V *)x)[i] * ((V *)x)[i];
    real r = 1 / (sizeof(real) == 8 ? sqrt(sums(sum, 1)[0] / D + 1e-5) : sqrtf(sums(sum, 1)[0] / D + (real)1e-5));
    EACH(i, D / L) ((V *)y)[i] = ((V *)x)[i] * r;
    return r;
}
INLINE void norm_back(real r, const real *y, const real *g, real *out, int add) {
    V sum = {0};
    EACH(i, D / L) sum += ((V *)y)[i] * ((V *)g)[i];
    sum = sums(sum, 1) * (real)(1.0 / D);
    EACH(i, D / L) {
        V change = r * (((V *)g)[i] - ((V *)y)[i] * sum);
        ((V *)out)[i] = change + (real)add * ((V *)out)[i];
    }
}

// Attention of the name in rows start to stop: what each position sees of each before it, four heads at a time.
static void attend(int start, int stop) {
    const real scale = 1 / (real)sqrt(D / HEADS);
    for (int t = start; t < stop; t++) {
        V *q = (V *)inner[t];
        real *row = seen[t];
        *(V *)(row + (t - start) / (L / 4) * L) = spread(-1e30);
        for (int s = start; s <= t; s++) {
            V sum = {0}, *k = (V *)(inner[s] + D);
            EACH(i, D / L) sum += q[i] * k[i];
            sum = sums(sum, 4) * scale;
            *(Four *)(row + 4 * (s - start)) = __builtin_shufflevector(sum, sum, 0, 1, 2, 3);
        }
    }
    for (int t = start; t < stop; t++) {
        V *row = (V *)seen[t], top = row[0], sum = {0};
        const int vectors = (t - start) / (L / 4) + 1;
        for (int i = 1; i < vectors; i++) top = most(top, row[i]);
        top = maxima(top, 4);
        for (int i = 0; i < vectors; i++) row[i] = exponential(row[i] - top), sum += row[i];
        sum = 1 / sums(sum, 4);
        for (int i = 0; i < vectors; i++) row[i] *= sum;
    }
    for (int t = start; t < stop; t++) {
        V *o = (V *)mixed[t], sum[D / L];
        EACH(i, D / L) sum[i] = (V){0};
        for (int s = start; s <= t; s++) {
            V weight = four(seen[t] + 4 * (s - start)), *v = (V *)(inner[s] + 2 * D);
            EACH(i, D / L) sum[i] += weight * v[i];
        }
        EACH(i, D / L) o[i] = sum[i];
    }
}
static void attend_back(int start, int stop) {
    const real scale = 1 / (real)sqrt(D / HEADS);
    for (int t = start; t < stop; t++) memset(ginner[t], 0, sizeof(real) * 3 * D);
    for (int t = start; t < stop; t++) {
        V *g = (V *)gn[t], *q = (V *)inner[t], slopes[T], mean = {0}, gq[D / L];
        for (int s = start; s <= t; s++) {
            V weight = four(seen[t] + 4 * (s - start)), *v = (V *)(inner[s] + 2 * D), *gv = (V *)(ginner[s] + 2 * D);
            V sum = {0};
            EACH(i, D / L) sum += g[i] * v[i];
            EACH(i, D / L) gv[i] += weight * g[i];
            slopes[s - start] = sums(sum, 4);
            mean += weight * slopes[s - start];
        }
        EACH(i, D / L) gq[i] = (V){0};
        for (int s = start; s <= t; s++) {
            V slope = four(seen[t] + 4 * (s - start)) * (slopes[s - start] - mean) * scale;
            V *k = (V *)(inner[s] + D), *gk = (V *)(ginner[s] + D);
            EACH(i, D / L) gq[i] += slope * k[i];
            EACH(i, D / L) gk[i] += slope * q[i];
        }
        EACH(i, D / L) ((V *)ginner[t])[i] = gq[i];
    }
}

// The sum of cross entropies over n rows of logits, which become the gradient of their mean.
static double entropy(int n, const long *labels) {
    double total = 0, factor = 1;
    V real_symbols[S / L];
    EACH(i, S / L) EACH(l, L) real_symbols[i][l] = i * L + l < SYMBOLS ? 0 : -1e30;
    for (int i = 0; i < n; i++) {
        V *x = (V *)logits[i], top = spread(-1e30), sum = {0}, e[S / L];
        total -= logits[i][labels[i]];
        EACH(j, S / L) e[j] = x[j] + real_symbols[j], top = most(top, e[j]);
        top = maxima(top, 1);
        EACH(j, S / L) e[j] = exponential(e[j] - top), sum += e[j];
        sum = sums(sum, 1);
        total += top[0], factor *= sum[0];
        if (i % 128 == 127) total += log(factor), factor = 1;  // a factor is at most 27, and a logarithm takes long
        sum = 1 / (sum * (real)n);
        EACH(j, S / L) x[j] = e[j] * sum;
        logits[i][labels[i]] -= (real)1 / n;
    }
    return total + log(factor);
}

static double update(const long *tokens, const long *labels) {
    int n = 0, symbols[MOST], places[MOST], starts[BATCH + 1];
    long wanted[MOST];
    for (int b = 0; b < BATCH; b++) {
        starts[b] = n;
        for (int t = 0; t < T && labels[b * T + t] >= 0; t++, n++)
            symbols[n] = tokens[b * T + t], places[n] = t, wanted[n] = labels[b * T + t];
    }
    starts[BATCH] = n;
    for (int i = 0; i < n; i++) {
        V *x = (V *)gx[i];
        EACH(j, D / L) x[j] = ((V *)(token.w + symbols[i] * (D + L)))[j] + ((V *)(place.w + places[i] * (D + L)))[j];
        r0[i] = norm(gx[i], x0[i]);
        r1[i] = norm(x0[i], n0[i]);
    }
    FORWARD(n, D, 3 * D, n0, qkv, inner, STORE, inner);
    for (int b = 0; b < BATCH; b++) attend(starts[b], starts[b + 1]);
    FORWARD(n, D, D, mixed, wo, x1, ADD, x0);
    for (int i = 0; i < n; i++) r2[i] = norm(x1[i], n1[i]);
    FORWARD(n, D, F, n1, w1, hidden, RELU, hidden);
    FORWARD(n, F, D, hidden, w2, x2, ADD, x1);
    FORWARD(n, D, S, x2, head, logits, STORE, logits);
    double loss = entropy(n, wanted) / n;

    BACKWARD(n, S, D, logits, head, gx, STORE, gx);
    LEARN(n, D, S, x2, logits, head);
    BACKWARD(n, D, F, gx, w2, ghidden, SLOPE, hidden);
    LEARN(n, F, D, hidden, gx, w2);
    BACKWARD(n, F, D, ghidden, w1, gn, STORE, gn);
    LEARN(n, D, F, n1, ghidden, w1);
    for (int i = 0; i < n; i++) norm_back(r2[i], n1[i], gn[i], gx[i], 1);
    BACKWARD(n, D, D, gx, wo, gn, STORE, gn);
    LEARN(n, D, D, mixed, gx, wo);
    for (int b = 0; b < BATCH; b++) attend_back(starts[b], starts[b + 1]);
    BACKWARD(n, 3 * D, D, ginner, qkv, gn, STORE, gn);
    LEARN(n, D, 3 * D, n0, ginner, qkv);
    static real gtoken[S][D] __attribute__((aligned(64))), gplace[T][D] __attribute__((aligned(64)));
    memset(gtoken, 0, sizeof gtoken);
    memset(gplace, 0, sizeof gplace);
    for (int i = 0; i < n; i++) {
        norm_back(r1[i], n0[i], gn[i], gx[i], 1);
        norm_back(r0[i], x0[i], gx[i], gn[i], 0);
        V *g = (V *)gn[i], *gt = (V *)gtoken[symbols[i]], *gp = (V *)gplace[places[i]];
        EACH(j, D / L) gt[j] += g[j], gp[j] += g[j];
    }
    for (int i = 0; i < SYMBOLS; i++) EACH(j, D / L) adapt(token, i * (D + L) + j * L, ((V *)gtoken[i])[j]);
    for (int i = 0; i < T; i++) EACH(j, D / L) adapt(place, i * (D + L) + j * L, ((V *)gplace[i])[j]);
    return loss;
}

// A weight (n, k) from an array, into columns or rows from `first` on, where heads are interleaved by rows or columns.
enum Order { AS_IS, COLUMNS, BOTH_ROWS };
static const real *take(const real *from, Weight weight, int n, int k, int ld, int first, enum Order order) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++) {
            int row = order == BOTH_ROWS ? i % (D / HEADS) * HEADS + i / (D / HEADS) : i;
            int column = order == COLUMNS ? j % (D / HEADS) * HEADS + j / (D / HEADS) : j;
            weight.w[row * ld + first + column] = *from++;
        }
    return from;
}

// So many updates from these weights on, token, place, wq, wk, wv, wo, w1, w2, head: the losses.
void run(long count, const real *weights, const long *tokens, const long *labels, double *losses) {
    const real *next = weights;
#define ZERO(name) memset(name##_, 0, sizeof name##_)
    ZERO(token); ZERO(place); ZERO(qkv); ZERO(wo); ZERO(w1); ZERO(w2); ZERO(head);
    next = take(next, token, SYMBOLS, D, D + L, 0, AS_IS);
    next = take(next, place, T, D, D + L, 0, AS_IS);
    for (int i = 0; i < 3; i++) next = take(next, qkv, D, D, 3 * D + L, i * D, COLUMNS);
    next = take(next, wo, D, D, D + L, 0, BOTH_ROWS);
    next = take(next, w1, D, F, F + L, 0, AS_IS);
    next = take(next, w2, F, D, D + L, 0, AS_IS);
    next = take(next, head, D, SYMBOLS, S + L, 0, AS_IS);
    for (long s = 0; s < count; s++) {
        adam.rate = 0.01 * (1 - s / 1000.0) / (1 - pow(0.85, s + 1));
        adam.root = 1 / sqrt(1 - pow(0.99, s + 1));
        losses[s] = update(tokens + s * BATCH * T, labels + s * BATCH * T);
    }
}
