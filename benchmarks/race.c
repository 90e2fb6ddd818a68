// The race in C: microgpt's forward, backward and Adam by hand, for one width and batch that are constants here.
//
// - Ragged: the real positions of all names of a batch are the rows of one matrix; padding costs nothing.
// - A product holds a tile of its result in registers: 6 rows by a few vectors, one broadcast for each row.
// - Adam is applied to each tile of a weight's gradient as soon as it is summed.
// - Within a row of queries, keys and values the heads are interleaved, so that lane i belongs to head i % 4: scores of
//   four heads are sums of vectors, and what weighs values is one shuffle.

#include <string.h>

#include "race_vectors.h"

enum { D = WIDTH, T = 16, HEADS = 4, SYMBOLS = 27, S = 32, F = 4 * D, N = D / L, MOST = BATCH * T };

#define WEIGHT(name, n, k) \
    static V name##_[3][n][(k) / L + 1]; \
    static const Weight name = {name##_[0][0], name##_[1][0], name##_[2][0]};
WEIGHT(token, S, D) WEIGHT(place, T, D) WEIGHT(qkv, D, 3 * D) WEIGHT(wo, D, D)
WEIGHT(w1, D, F) WEIGHT(w2, F, D) WEIGHT(head, D, S)

// What a batch computes; rows are real positions.
#define ROWS(name, k) static V name[MOST][(k) / L + 1]
ROWS(x0, D); ROWS(n0, D); ROWS(x1, D); ROWS(n1, D); ROWS(x2, D); ROWS(inner, 3 * D); ROWS(seen, 4 * T); ROWS(mixed, D);
ROWS(hidden, F); ROWS(logits, S); ROWS(gx, D); ROWS(gn, D); ROWS(ginner, 3 * D); ROWS(ghidden, F);
static real r0[MOST], r1[MOST], r2[MOST];
static V across[F * (N + 1)];  // a weight, transposed

#define LD(rows) (sizeof rows[0] / sizeof(V))
#define FORWARD(n, K, J, a, weight, ...) \
    product(n, K, J, (real *)a, LD(a) * L, weight.w, (End){__VA_ARGS__}, J / L + 1)
#define BACKWARD(n, K, J, a, weight, ...) \
    (transpose(J, K, weight.w, across), product(n, K, J, (real *)a, LD(a) * L, across, (End){__VA_ARGS__}, J / L + 1))
#define LEARN(n, I, J, a, g, weight) learn(n, I, J, (real *)a, LD(a) * L, g[0], LD(g), weight)

// y = x * r where r = 1 / sqrt(mean of squares); and the gradient of x from the one of y.
INLINE real norm(const V *x, V *y) {
    V sum = {0};
    EACH(i, N) sum += x[i] * x[i];
    V r = 1 / root(sums(sum, 1) * (real)(1.0 / D) + (real)1e-5);
    EACH(i, N) y[i] = x[i] * r;
    return r[0];
}
INLINE void norm_back(real r, const V *y, const V *g, V *out, int add) {
    V sum = {0};
    EACH(i, N) sum += y[i] * g[i];
    sum = sums(sum, 1) * (real)(1.0 / D);
    EACH(i, N) out[i] = r * (g[i] - y[i] * sum) + (add ? out[i] : (V){0});
}

// Attention of the name in rows start to stop: what each position sees of each before it, four heads at a time.
#define SHARES(t, s) ((real *)seen[t] + 4 * ((s) - start))
INLINE V four(const real *x) { return __builtin_shuffle(*(const Loose *)x, lanes() & 3); }
static void attend(int start, int stop) {
    const real scale = 1 / (real)sqrt(D / HEADS);
    for (int t = start; t < stop; t++) {
        V *q = inner[t];
        seen[t][4 * (t - start) / L] = spread(-1e30);
        for (int s = start; s <= t; s++) {
            V sum = {0}, *k = inner[s] + N;
            EACH(i, N) sum += q[i] * k[i];
            sum = sums(sum, 4) * scale;
            *(Four *)SHARES(t, s) = __builtin_shufflevector(sum, sum, 0, 1, 2, 3);
        }
    }
    for (int t = start; t < stop; t++) {  // a loop of its own: what was just stored in parts cannot be read as a whole
        V *row = seen[t], top = row[0], sum = {0};
        const int vectors = 4 * (t - start) / L + 1;
        for (int i = 1; i < vectors; i++) top = most(top, row[i]);
        top = maxima(top, 4);
        for (int i = 0; i < vectors; i++) row[i] = exponential(row[i] - top), sum += row[i];
        sum = 1 / sums(sum, 4);
        for (int i = 0; i < vectors; i++) row[i] *= sum;
    }
    for (int t = start; t < stop; t++) {
        V sum[N] = {{0}};
        for (int s = start; s <= t; s++) {
            V share = four(SHARES(t, s)), *v = inner[s] + 2 * N;
            EACH(i, N) sum[i] += share * v[i];
        }
        EACH(i, N) mixed[t][i] = sum[i];
    }
}
static void attend_back(int start, int stop) {
    const real scale = 1 / (real)sqrt(D / HEADS);
    memset(ginner[start], 0, sizeof ginner[0] * (stop - start));
    for (int t = start; t < stop; t++) {
        V *g = gn[t], *q = inner[t], slopes[T], mean = {0}, gq[N] = {{0}};
        for (int s = start; s <= t; s++) {
            V share = four(SHARES(t, s)), sum = {0}, *v = inner[s] + 2 * N, *gv = ginner[s] + 2 * N;
            EACH(i, N) sum += g[i] * v[i], gv[i] += share * g[i];
            slopes[s - start] = sums(sum, 4);
            mean += share * slopes[s - start];
        }
        for (int s = start; s <= t; s++) {
            V slope = four(SHARES(t, s)) * (slopes[s - start] - mean) * scale, *k = inner[s] + N, *gk = ginner[s] + N;
            EACH(i, N) gq[i] += slope * k[i], gk[i] += slope * q[i];
        }
        EACH(i, N) ginner[t][i] = gq[i];
    }
}

// The sum of cross entropies over n rows of logits, which become the gradient of their mean.
static double entropy(int n, const long *labels) {
    double total = 0, factor = 1;
    V padding[S / L];
    EACH(i, S / L) EACH(l, L) padding[i][l] = i * L + l < SYMBOLS ? 0 : -1e30;
    for (int i = 0; i < n; i++) {
        V *x = logits[i], top = spread(-1e30), sum = {0}, e[S / L];
        real *label = (real *)x + labels[i];
        total -= *label;
        EACH(j, S / L) e[j] = x[j] + padding[j], top = most(top, e[j]);
        top = maxima(top, 1);
        EACH(j, S / L) e[j] = exponential(e[j] - top), sum += e[j];
        sum = sums(sum, 1);
        total += top[0], factor *= sum[0];
        if (i % 128 == 127) total += log(factor), factor = 1;  // factors are at most 27, and a logarithm takes long
        sum = 1 / (sum * (real)n);
        EACH(j, S / L) x[j] = e[j] * sum;
        *label -= (real)1 / n;
    }
    return total + log(factor);
}

// The real positions of a batch: symbols, places, labels, and in which row each name starts.
typedef struct { int symbols[MOST], places[MOST], starts[BATCH + 1]; long labels[MOST]; } Batch;
static int read(const long *tokens, const long *labels, Batch *batch) {
    int n = 0;
    for (int b = 0; b < BATCH; b++, tokens += T, labels += T) {
        batch->starts[b] = n;
        for (int t = 0; t < T && labels[t] >= 0; t++, n++)
            batch->symbols[n] = tokens[t], batch->places[n] = t, batch->labels[n] = labels[t];
    }
    return batch->starts[BATCH] = n;
}

static double forward(int n, const Batch *batch) {
    for (int i = 0; i < n; i++) {
        EACH(j, N) x1[i][j] = token_[0][batch->symbols[i]][j] + place_[0][batch->places[i]][j];
        r0[i] = norm(x1[i], x0[i]);
        r1[i] = norm(x0[i], n0[i]);
    }
    FORWARD(n, D, 3 * D, n0, qkv, STORE, inner[0]);
    for (int b = 0; b < BATCH; b++) attend(batch->starts[b], batch->starts[b + 1]);
    FORWARD(n, D, D, mixed, wo, ADD, x1[0], x0[0]);
    for (int i = 0; i < n; i++) r2[i] = norm(x1[i], n1[i]);
    FORWARD(n, D, F, n1, w1, RELU, hidden[0]);
    FORWARD(n, F, D, hidden, w2, ADD, x2[0], x1[0]);
    FORWARD(n, D, S, x2, head, STORE, logits[0]);
    return entropy(n, batch->labels) / n;
}

static void backward(int n, const Batch *batch) {
    BACKWARD(n, S, D, logits, head, STORE, gx[0]);
    LEARN(n, D, S, x2, logits, head);
    BACKWARD(n, D, F, gx, w2, SLOPE, ghidden[0], hidden[0]);
    LEARN(n, F, D, hidden, gx, w2);
    BACKWARD(n, F, D, ghidden, w1, STORE, gn[0]);
    LEARN(n, D, F, n1, ghidden, w1);
    for (int i = 0; i < n; i++) norm_back(r2[i], n1[i], gn[i], gx[i], 1);
    BACKWARD(n, D, D, gx, wo, STORE, gn[0]);
    LEARN(n, D, D, mixed, gx, wo);
    for (int b = 0; b < BATCH; b++) attend_back(batch->starts[b], batch->starts[b + 1]);
    BACKWARD(n, 3 * D, D, ginner, qkv, STORE, gn[0]);
    LEARN(n, D, 3 * D, n0, ginner, qkv);
    V gtoken[SYMBOLS][N] = {{{0}}}, gplace[T][N] = {{{0}}};
    for (int i = 0; i < n; i++) {
        norm_back(r1[i], n0[i], gn[i], gx[i], 1);
        norm_back(r0[i], x0[i], gx[i], gn[i], 0);
        EACH(j, N) gtoken[batch->symbols[i]][j] += gn[i][j], gplace[batch->places[i]][j] += gn[i][j];
    }
    for (int i = 0; i < SYMBOLS; i++) EACH(j, N) adapt(token, i * (N + 1) + j, gtoken[i][j]);
    for (int i = 0; i < T; i++) EACH(j, N) adapt(place, i * (N + 1) + j, gplace[i][j]);
}

// A weight (n, k) from an array, into columns from `first` on; rows or columns that belong to heads are interleaved.
enum Order { AS_IS, COLUMNS_BY_HEADS, ROWS_BY_HEADS };
static const real *take(const real *from, Weight weight, int n, int k, int ld, int first, enum Order order) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++) {
            int row = order == ROWS_BY_HEADS ? i % (D / HEADS) * HEADS + i / (D / HEADS) : i;
            int column = order == COLUMNS_BY_HEADS ? j % (D / HEADS) * HEADS + j / (D / HEADS) : j;
            ((real *)weight.w)[row * (ld + L) + first + column] = *from++;
        }
    return from;
}

// So many updates from these weights on: token, place, wq, wk, wv, wo, w1, w2, head. Their losses.
void run(long count, const real *weights, const long *tokens, const long *labels, double *losses) {
#define ZERO(name) memset(name##_, 0, sizeof name##_)
    ZERO(token); ZERO(place); ZERO(qkv); ZERO(wo); ZERO(w1); ZERO(w2); ZERO(head);
    weights = take(weights, token, SYMBOLS, D, D, 0, AS_IS);
    weights = take(weights, place, T, D, D, 0, AS_IS);
    for (int i = 0; i < 3; i++) weights = take(weights, qkv, D, D, 3 * D, i * D, COLUMNS_BY_HEADS);
    weights = take(weights, wo, D, D, D, 0, ROWS_BY_HEADS);
    weights = take(weights, w1, D, F, F, 0, AS_IS);
    weights = take(weights, w2, F, D, D, 0, AS_IS);
    take(weights, head, D, SYMBOLS, S, 0, AS_IS);
    for (long s = 0; s < count; s++) {
        Batch batch;
        int n = read(tokens + s * BATCH * T, labels + s * BATCH * T, &batch);
        adam.rate = 0.01 * (1 - s / 1000.0) / (1 - pow(0.85, s + 1));
        adam.root = 1 / sqrt(1 - pow(0.99, s + 1));
        losses[s] = forward(n, &batch);
        backward(n, &batch);
    }
}
