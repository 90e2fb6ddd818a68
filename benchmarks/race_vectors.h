// Vectors of REAL, and products of matrices by them, for race.c.
//
// Rows of matrices are one vector longer than what they hold: were they a power of two long, the numbers below each other
// would all fall into a few sets of the cache. gcc's vectors are of any length; those here are as long as its registers.

#include <math.h>

#ifdef __AVX512F__
enum { BYTES = 64, WIDEST = 4 };  // of a vector; vectors of a tile of registers
#else
enum { BYTES = 32, WIDEST = 2 };
#endif
enum { L = BYTES / sizeof(REAL) };  // the lanes of a vector
#if DOUBLE
enum { DEGREE = 13, MANTISSA = 52, BIAS = 1023, LEAST = -700 };
typedef long lane;
#else
enum { DEGREE = 7, MANTISSA = 23, BIAS = 127, LEAST = -87 };
typedef int lane;
#endif
typedef REAL real;
typedef real V __attribute__((vector_size(BYTES), may_alias));
typedef real Loose __attribute__((vector_size(BYTES), may_alias, aligned(sizeof(real))));
typedef real Four __attribute__((vector_size(4 * sizeof(real)), may_alias, aligned(sizeof(real))));
typedef lane Bits __attribute__((vector_size(BYTES), may_alias));
typedef int Ints __attribute__((vector_size(L * sizeof(int))));
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define EACH(i, n) UNROLL for (int i = 0; i < (n); i++)

static const lane LANES[16] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
INLINE Bits lanes(void) { return *(const Bits *)LANES; }
INLINE V spread(real x) { return x - (V){0}; }
INLINE V positive(V x, V where) { return (V)((Bits)x & (where > 0)); }
INLINE V most(V x, V y) { return (V)(((Bits)x & (x > y)) | ((Bits)y & ~(x > y))); }
INLINE V root(V x) {
    EACH(l, L) x[l] = sizeof(real) == 8 ? sqrt(x[l]) : sqrtf(x[l]);
    return x;
}

// Sums and maxima of every so-manieth lane, in all lanes.
INLINE V turned(V x, int n) { return __builtin_shuffle(x, lanes() + n); }
INLINE V sums(V x, int every) {
    UNROLL for (int n = L / 2; n >= every; n /= 2) x += turned(x, n);
    return x;
}
INLINE V maxima(V x, int every) {
    UNROLL for (int n = L / 2; n >= every; n /= 2) x = most(x, turned(x, n));
    return x;
}

// exp of what is not positive: 2 to the power of the nearest integer, times a Taylor polynomial of the rest.
INLINE V exponential(V x) {
    static const double ln2 = 0.69314718055994530942, high = 0.693145751953125;
    x = most(x, spread(LEAST));
    Ints whole = __builtin_convertvector(x * (real)(1 / ln2) - (real)0.5, Ints);
    V n = __builtin_convertvector(whole, V), rest = x - n * (real)high - n * (real)(ln2 - high), y = spread(1);
    UNROLL for (int k = DEGREE; k; k--) y = y * rest * (real)(1.0 / k) + 1;
    return y * (V)((__builtin_convertvector(whole, Bits) + BIAS) << MANTISSA);
}

// A weight and its two moments, and Adam's step on a vector of it, with both corrections folded into two numbers.
typedef struct { V *w, *m, *v; } Weight;
static struct { real rate, root; } adam;
INLINE void adapt(Weight a, int i, V g) {
    a.m[i] = a.m[i] * (real)0.85 + g * (real)0.15;
    a.v[i] = a.v[i] * (real)0.99 + g * g * (real)0.01;
    a.w[i] -= a.m[i] * adam.rate / (root(a.v[i]) * adam.root + (real)1e-8);
}

// What becomes of the vector of a product that belongs to out[i].
typedef struct { enum { STORE, RELU, ADD, SLOPE, ADAPT } use; V *out; const V *other; Weight weight; } End;
INLINE void finish(End end, int i, V sum) {
    if (end.use == ADAPT) adapt(end.weight, i, sum);
    else if (end.use == RELU) end.out[i] = positive(sum, sum);
    else if (end.use == SLOPE) end.out[i] = positive(sum, end.other[i]);
    else end.out[i] = sum;
}

// R rows and C vectors of a product, held in registers: the sum over k < K of a[r * row + k * next] * b[k * ldb + c].
// What is at row r, vector c belongs to number at + r * ldo + c of what the end tells; lengths of rows are in vectors.
INLINE void tile(int R, int C, int K, const real *a, int row, int next, const V *b, int ldb, End end, int at, int ldo) {
    V sum[8][4];
    EACH(r, R) EACH(c, C) sum[r][c] = end.use == ADD ? end.other[at + r * ldo + c] : (V){0};
    for (int k = 0; k < K; k++) {
        V vectors[4];
        EACH(c, C) vectors[c] = b[k * ldb + c];
        EACH(r, R) EACH(c, C) sum[r][c] += a[r * row + k * next] * vectors[c];
    }
    EACH(r, R) EACH(c, C) finish(end, at + r * ldo + c, sum[r][c]);
}
#define VECTORS(J) (J / L % WIDEST == 0 ? WIDEST : WIDEST == 4 && J / L % 3 == 0 ? 3 : J / L % 2 == 0 ? 2 : 1)

// a (n, K) @ b (K, J)
INLINE void product(int n, int K, int J, const real *a, int lda, const V *b, End end, int ldo) {
    const int C = VECTORS(J);
    for (int j = 0; j < J / L; j += C) {
        int i = 0;
#define TILE(R) tile(R, C, K, a + i * lda, lda, 1, b + j, J / L + 1, end, i * ldo + j, ldo)
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

// Adam on a weight (I, J) whose gradient is a (n, I) transposed @ g (n, J): the gradient exists in registers only.
INLINE void learn(int n, int I, int J, const real *a, int lda, const V *g, int ldg, Weight weight) {
    const int C = VECTORS(J), R = C == WIDEST ? 4 : 8;
    for (int j = 0; j < J / L; j += C)
        for (int i = 0; i < I; i += R)
            tile(R, C, n, a + i, 1, lda, g + j, ldg, (End){ADAPT, 0, 0, weight}, i * (J / L + 1) + j, J / L + 1);
}

// out = w (n, k) transposed, by squares of L x L: each of log2(L) rounds interleaves rows i and i + L / 2.
INLINE void transpose(int n, int k, const V *w, V *out) {
    const Bits low = lanes() / 2 + lanes() % 2 * L, high = low + L / 2;
    for (int i = 0; i < n; i += L)
        for (int j = 0; j < k; j += L) {
            V x[L], y[L];
            EACH(r, L) x[r] = w[(i + r) * (k / L + 1) + j / L];
            UNROLL for (int round = 1; round < L; round *= 2) {
                EACH(r, L / 2) {
                    y[2 * r] = __builtin_shuffle(x[r], x[r + L / 2], low);
                    y[2 * r + 1] = __builtin_shuffle(x[r], x[r + L / 2], high);
                }
                EACH(r, L) x[r] = y[r];
            }
            EACH(r, L) out[(j + r) * (n / L + 1) + i / L] = x[r];
        }
}
