// Loss and gradient of PHOENIX through Runge-Kutta steps, for one core: forward, discrete adjoint, weight gradients.
//
// The same mathematics as phoenix_rk4.py. What makes it fast: weights are packed once per call in the order in which
// they are read; products keep a tile of 4 rows in registers; every stage writes its part of one tape, so that the
// gradient of a weight matrix is a single product over all stages and rows.
//
// Layout: genes are the vector dimension of every array. They are cut into panels of up to TILE vectors; an array with
// n rows holds panel after panel, and within a panel row after row ("panelled"). So every product reads memory
// in one direction. Hidden units of both branches are one row of 2m numbers, sums before products ("hidden rows").
//
// Transitions of different length take steps of equal size: each has its own number of steps, and in every round of
// the schedule some of them make one step together.
//
// Compiled several times for different instruction sets, from the compiler's vector types.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>
#include <vector>
#if defined(__AVX__)
#include <immintrin.h>
#endif

// LANES: numbers per vector; TILE: vectors of a tile of a product, as many as registers allow; DOTS: the same where
// the product ends in a sum over the vector.
#if defined(__AVX512F__)
#define LANES 16
#define TILE 6
#define DOTS 4
#elif defined(__AVX__)
#define LANES 8
#define TILE 3
#define DOTS 3
#elif defined(__aarch64__)
#define LANES 4
#define TILE 5
#define DOTS 4
#else
#define LANES 4
#define TILE 2
#define DOTS 2
#endif
#define ROWS 4

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

namespace {

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

INLINE vec load(const float* at) {
    vec v;
    std::memcpy(&v, at, sizeof v);
    return v;
}
INLINE void store(float* at, vec v) { std::memcpy(at, &v, sizeof v); }
INLINE vec splat(float x) { return x - vec{}; }
INLINE vec magnitude(vec x) { return (vec)((ivec)x & 0x7fffffff); }
typedef float quad __attribute__((vector_size(16)));
#if defined(__clang__)
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
typedef int32_t iquad __attribute__((vector_size(16)));
INLINE ivec indices_for(vec) { return ivec{}; }
#if LANES != 4
INLINE iquad indices_for(quad) { return iquad{}; }
#endif
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, decltype(indices_for(x)){__VA_ARGS__})
#endif

// exp(x) to about 1 ulp; overflows to infinity, underflows to 0, NaN stays NaN.
INLINE vec exponential(vec x) {
    x = x > 89.0f ? splat(89.0f) : x;
    x = x < -104.0f ? splat(-104.0f) : x;
    const vec shifter = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest integer
    vec n = (x * 1.442695041f + shifter) - shifter;
    vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
    vec p = splat(1.395047711e-03f);
    p = p * r + 8.368882654e-03f;
    p = p * r + 4.166620601e-02f;
    p = p * r + 1.666651889e-01f;
    p = p * r + 5.000000095e-01f;
    p = p * (r * r) + r + 1.0f;
    ivec whole = __builtin_convertvector(n, ivec);
    ivec half = whole >> 1;  // 2^n in two factors, as n may leave the range of a normal exponent
    return p * (vec)((half + 127) << 23) * (vec)((whole - half + 127) << 23);
}

// log(1 + h) for h >= -1, to about 1 ulp also near h = 0.
INLINE vec log_of_one_plus(vec h) {
    vec u = 1.0f + h;
    ivec bits = (ivec)u;
    ivec exponent = (bits - 0x3f3504f3) >> 23;  // so that the mantissa is between sqrt(1/2) and sqrt(2)
    vec f = (vec)(bits - (exponent << 23)) - 1.0f;
    f = exponent == 0 ? h : f;
    vec p = splat(-7.634437988e-02f);
    p = p * f + 1.276156291e-01f;
    p = p * f - 1.316019800e-01f;
    p = p * f + 1.420176100e-01f;
    p = p * f - 1.662335605e-01f;
    p = p * f + 2.000122671e-01f;
    p = p * f - 2.500082107e-01f;
    p = p * f + 3.333333171e-01f;
    vec square = f * f;
    vec e = __builtin_convertvector(exponent, vec);
    vec result = (p * f - 0.5f) * square - e * 2.12194440e-4f + f + e * 0.693359375f;
    return u == 0.0f ? splat(-std::numeric_limits<float>::infinity()) : result;
}

// Root to about 1 ulp of a number that is not negative: an estimate of the processor, made better by a step of Newton,
// leaves the unit for roots and divisions to the divisions.
INLINE vec root(vec x) {
    x = x < 1e-36f ? splat(1e-36f) : x;
#if defined(__AVX512F__)
    vec y = (vec)_mm512_maskz_rsqrt14_ps(0xffff, (__m512)x);
#elif defined(__AVX__)
    vec y = (vec)_mm256_rsqrt_ps((__m256)x);
#else
    vec y;
    for (int i = 0; i < LANES; i++) y[i] = 1.0f / std::sqrt(x[i]);
#endif
    return x * (y * (1.5f - 0.5f * x * y * y));
}

INLINE vec hill_term(vec state) {
    vec x = state - 0.5f;
    return x / (1.0f + magnitude(x));
}

INLINE void hill_and_logarithm(vec state, float* hill, float* logarithm) {
    vec h = hill_term(state);
    store(hill, h);
    store(logarithm, log_of_one_plus(h));
}

// Memory that grows and is kept from call to call.
class Arena {
  public:
    ~Arena() { std::free(memory_); }
    size_t used() const { return used_; }
    void restart(size_t used = 0) { used_ = used; }
    void reserve(size_t floats) {
        size_t bytes = (floats * sizeof(float) + 4095) / 4096 * 4096;
        if (bytes <= size_) return;
        std::free(memory_);
        memory_ = static_cast<char*>(std::aligned_alloc(4096, bytes));
        size_ = memory_ ? bytes : 0;
    }
    bool ready() const { return memory_ != nullptr; }
    float* take(size_t floats) {
        float* part = reinterpret_cast<float*>(memory_ + used_);
        used_ += room(floats) * sizeof(float);
        return part;
    }
    // Whole cache lines, plus one, so that arrays of a power of two do not fall on the same places of the cache.
    static size_t room(size_t floats) { return (floats + 15) / 16 * 16 + 16; }

  private:
    char* memory_ = nullptr;
    size_t size_ = 0, used_ = 0;
};
thread_local Arena arena;

// How genes and hidden units are cut into vectors.
struct Shape {
    long k, m, vectors, panels, hidden;
    Shape(long genes, long units) : k(genes), m(units) {
        vectors = (k + LANES - 1) / LANES;
        panels = (vectors + TILE - 1) / TILE;
        hidden = (2 * m + LANES - 1) / LANES * LANES;  // length of a hidden row
        for (long panel = 0; panel <= panels; panel++) starts.push_back(panel * vectors / panels);
    }
    long first(long panel) const { return starts[panel]; }
    int width(long panel) const { return int(starts[panel + 1] - starts[panel]); }
    long padded() const { return vectors * LANES; }

  private:
    std::vector<long> starts;
};

// ---------------------------------------------------------------------------------------------------- products

// out[r][v] (+)= sum over q < count of a[r * sr + q * sq] * x[q * sx + v]: R rows, V vectors, all in registers.
template <int R, int V>
void outer(const float* a, long sr, long sq, const float* x, long sx, long count, float* out, long so, bool add) {
    vec c[R][V];
    UNROLL for (int r = 0; r < R; r++)
        UNROLL for (int v = 0; v < V; v++) c[r][v] = add ? load(out + r * so + v * LANES) : vec{};
    for (long q = 0; q < count; q++) {
        vec w[V];
        UNROLL for (int v = 0; v < V; v++) w[v] = load(x + v * LANES);
        UNROLL for (int r = 0; r < R; r++) {
            vec b = splat(a[r * sr]);
            UNROLL for (int v = 0; v < V; v++) c[r][v] += b * w[v];
        }
        a += sq;
        x += sx;
    }
    UNROLL for (int r = 0; r < R; r++)
        UNROLL for (int v = 0; v < V; v++) store(out + r * so + v * LANES, c[r][v]);
}

typedef void (*Outer)(const float*, long, long, const float*, long, long, float*, long, bool);
template <int R>
Outer outer_of_width(int v) {
    switch (v) {
        case 1: return outer<R, 1>;
        case 2: return outer<R, 2>;
#if TILE > 2
        case 3: return outer<R, 3>;
#endif
#if TILE > 3
        case 4: return outer<R, 4>;
        case 5: return outer<R, 5>;
#endif
#if TILE > 5
        case 6: return outer<R, 6>;
#endif
    }
    return nullptr;
}
Outer outer_of(int r, int v) {
    switch (r) {
        case 1: return outer_of_width<1>(v);
        case 2: return outer_of_width<2>(v);
        case 3: return outer_of_width<3>(v);
    }
    return outer_of_width<4>(v);
}

INLINE int block(long rows, long done) { return int(std::min<long>(ROWS, rows - done)); }

// Rows of genes, panel after panel.
struct Panelled {
    float* data = nullptr;
    long rows = 0;
    float* at(const Shape& shape, long panel, long row) const {
        return data + LANES * (shape.first(panel) * rows + shape.width(panel) * row);
    }
};

#define IN_QUADS_4(a, b, c, d) a, b, c, d
#define IN_QUADS_8(a, b, c, d) IN_QUADS_4(a, b, c, d), IN_QUADS_4(a + 4, b + 4, c + 4, d + 4)
#define IN_QUADS_16(a, b, c, d) IN_QUADS_8(a, b, c, d), IN_QUADS_8(a + 8, b + 8, c + 8, d + 8)
#if LANES == 16
#define IN_QUADS IN_QUADS_16
#elif LANES == 8
#define IN_QUADS IN_QUADS_8
#else
#define IN_QUADS IN_QUADS_4
#endif

// The sums of every four neighbours of four vectors.
INLINE vec totals(vec a, vec b, vec c, vec d) {
    vec ab = SHUFFLE(a, b, IN_QUADS(0, LANES, 1, LANES + 1)) + SHUFFLE(a, b, IN_QUADS(2, LANES + 2, 3, LANES + 3));
    vec cd = SHUFFLE(c, d, IN_QUADS(0, LANES, 1, LANES + 1)) + SHUFFLE(c, d, IN_QUADS(2, LANES + 2, 3, LANES + 3));
    return SHUFFLE(ab, cd, IN_QUADS(0, 1, LANES, LANES + 1)) + SHUFFLE(ab, cd, IN_QUADS(2, 3, LANES + 2, LANES + 3));
}

// out[r * so + j] = sum of the numbers in c[r][j], for r < rows and j < columns; the others are zero.
INLINE void add_up(const vec c[ROWS][4], int rows, int columns, float* out, long so) {
    vec sums[16 / LANES];  // of four columns each: for all rows, for two, or for one
#if LANES == 16
    vec all[4];
    UNROLL for (int j = 0; j < 4; j++) {
        vec low = SHUFFLE(c[0][j], c[1][j], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                  SHUFFLE(c[0][j], c[1][j], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        vec high = SHUFFLE(c[2][j], c[3][j], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                   SHUFFLE(c[2][j], c[3][j], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        all[j] = SHUFFLE(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
                 SHUFFLE(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
    sums[0] = totals(all[0], all[1], all[2], all[3]);
#elif LANES == 8
    UNROLL for (int half = 0; half < 2; half++) {
        vec both[4];
        UNROLL for (int j = 0; j < 4; j++)
            both[j] = SHUFFLE(c[2 * half][j], c[2 * half + 1][j], 0, 1, 2, 3, 8, 9, 10, 11) +
                      SHUFFLE(c[2 * half][j], c[2 * half + 1][j], 4, 5, 6, 7, 12, 13, 14, 15);
        sums[half] = totals(both[0], both[1], both[2], both[3]);
    }
#else
    UNROLL for (int r = 0; r < ROWS; r++) sums[r] = totals(c[r][0], c[r][1], c[r][2], c[r][3]);
#endif
    quad by_row[ROWS];
    std::memcpy(by_row, sums, sizeof sums);
    UNROLL for (int r = 0; r < ROWS; r++) {
        if (r >= rows) continue;
        if (columns == 4)
            std::memcpy(out + r * so, &by_row[r], sizeof(quad));
        else
            UNROLL for (int j = 0; j < 4; j++)
                if (j < columns) out[r * so + j] = by_row[r][j];
    }
}

// out[r * so + j] = sum over genes of x[xr + r][gene] * w[wr + j][gene], for R rows of x and J rows of w.
template <int R, int J>
void dots(const Shape& shape, const Panelled& x, long xr, const Panelled& w, long wr, float* out, long so) {
    vec c[ROWS][4];
    UNROLL for (int r = 0; r < ROWS; r++)
        UNROLL for (int j = 0; j < 4; j++) c[r][j] = vec{};
    for (long p = 0; p < shape.panels; p++) {
        long length = shape.width(p) * LANES;
        const float* xp = x.at(shape, p, xr);
        const float* wp = w.at(shape, p, wr);
        for (long i = 0; i < length; i += LANES) {
            vec own[R];
            UNROLL for (int r = 0; r < R; r++) own[r] = load(xp + r * length + i);
            UNROLL for (int j = 0; j < J; j++) {
                vec b = load(wp + j * length + i);
                UNROLL for (int r = 0; r < R; r++) c[r][j] += own[r] * b;
            }
        }
    }
    add_up(c, R, J, out, so);
}

typedef void (*Dots)(const Shape&, const Panelled&, long, const Panelled&, long, float*, long);
template <int R>
Dots dots_of_width(int j) {
    switch (j) {
        case 1: return dots<R, 1>;
        case 2: return dots<R, 2>;
#if DOTS > 2
        case 3: return dots<R, 3>;
#endif
#if DOTS > 3
        case 4: return dots<R, 4>;
#endif
    }
    return nullptr;
}
Dots dots_of(int r, int j) {
    switch (r) {
        case 1: return dots_of_width<1>(j);
        case 2: return dots_of_width<2>(j);
        case 3: return dots_of_width<3>(j);
    }
    return dots_of_width<4>(j);
}

// out[r * so + j] = sum over genes of x[xr + r][gene] * w[wr + j][gene] for `rows` rows r and `count` rows j.
void all_dots(const Shape& s, const Panelled& x, long xr, long rows, const Panelled& w, long wr, long count, float* out,
              long so) {
    long tiles = (count + DOTS - 1) / DOTS;
    for (long t = 0; t < tiles; t++) {
        long j = t * count / tiles;
        int width = int((t + 1) * count / tiles - j);
        for (long r = 0; r < rows; r += ROWS)
            dots_of(block(rows, r), width)(s, x, xr + r, w, wr + j, out + r * so + j, so);
    }
}

// out[r][gene] = sum over j < count of a[r * sa + j] * w[wr + j][gene] for `rows` rows r.
void combine(const Shape& s, const float* a, long sa, long rows, const Panelled& w, long wr, long count,
             const Panelled& out) {
    for (long p = 0; p < s.panels; p++) {
        int width = s.width(p);
        for (long r = 0; r < rows; r += ROWS)
            outer_of(block(rows, r), width)(a + r * sa, sa, 1, w.at(s, p, wr), width * LANES, count, out.at(s, p, r),
                                            width * LANES, false);
    }
}

// ------------------------------------------------------------------------------------------------------ model

struct Parameters {
    float *w_s, *b_s, *w_p, *b_p, *u_s, *u_p, *v;
};

Parameters parameters_at(const int64_t* a) {
    auto at = [a](int i) { return reinterpret_cast<float*>(a[i]); };
    return {at(0), at(1), at(2), at(3), at(4), at(5), at(6)};
}

// The weights as the products read them; relu(v) is kept apart.
struct Packed {
    Panelled first, second;  // W and the transpose of U: 2m rows, sums before products
    float *bias, *rate;      // a hidden row; relu(v)

    static size_t room(const Shape& s) {
        return 2 * Arena::room(2 * s.m * s.padded()) + Arena::room(s.hidden) + Arena::room(s.padded());
    }
    Packed(const Shape& s, const Parameters& own) {
        first = {arena.take(2 * s.m * s.padded()), 2 * s.m};
        second = {arena.take(2 * s.m * s.padded()), 2 * s.m};
        bias = arena.take(s.hidden);
        rate = arena.take(s.padded());
        for (long p = 0; p < s.panels; p++) {
            long from = s.first(p) * LANES, length = s.width(p) * LANES, genes = std::min(length, s.k - from);
            for (long j = 0; j < 2 * s.m; j++) {
                const float* row = j < s.m ? own.w_s + j * s.k : own.w_p + (j - s.m) * s.k;
                float* at = first.at(s, p, j);
                std::memcpy(at, row + from, genes * sizeof(float));
                std::fill(at + genes, at + length, 0.0f);
            }
            transpose(own.u_s + from * s.m, s.m, genes, second.at(s, p, 0), length);
            transpose(own.u_p + from * s.m, s.m, genes, second.at(s, p, s.m), length);
        }
        std::copy(own.b_s, own.b_s + s.m, bias);
        std::copy(own.b_p, own.b_p + s.m, bias + s.m);
        std::fill(bias + 2 * s.m, bias + s.hidden, 0.0f);
        for (long i = 0; i < s.padded(); i++) rate[i] = i >= s.k || own.v[i] < 0 ? 0.0f : own.v[i];
    }

  private:
    // Write (genes, m) as (m, length), with zeros beyond the genes.
    static void transpose(const float* u, long m, long genes, float* out, long length) {
        long i = 0;
        for (; i + 4 <= genes; i += 4) {
            long j = 0;
            for (; j + 4 <= m; j += 4) {
                quad row[4], low[2], high[2];
                for (int r = 0; r < 4; r++) std::memcpy(&row[r], u + (i + r) * m + j, sizeof(quad));
                for (int r = 0; r < 2; r++) {
                    low[r] = SHUFFLE(row[2 * r], row[2 * r + 1], 0, 4, 1, 5);
                    high[r] = SHUFFLE(row[2 * r], row[2 * r + 1], 2, 6, 3, 7);
                }
                quad column[4] = {SHUFFLE(low[0], low[1], 0, 1, 4, 5), SHUFFLE(low[0], low[1], 2, 3, 6, 7),
                                  SHUFFLE(high[0], high[1], 0, 1, 4, 5), SHUFFLE(high[0], high[1], 2, 3, 6, 7)};
                for (int c = 0; c < 4; c++) std::memcpy(out + (j + c) * length + i, &column[c], sizeof(quad));
            }
            for (; j < m; j++)
                for (int r = 0; r < 4; r++) out[j * length + i + r] = u[(i + r) * m + j];
        }
        for (; i < length; i++)
            for (long j = 0; j < m; j++) out[j * length + i] = i < genes ? u[i * m + j] : 0.0f;
    }
};

// Numbers of steps in proportion to the durations and one more, at most `most`, that of the longest; none for a row of
// weight 0 or of no duration. One more, because short transitions are often measured where much happens: with steps of
// exactly the same size, the loss of SIM350 with 8 steps is wrong by 1.7e-4 instead of 9e-5 (benchmarks/neural.py).
void row_steps(const float* duration, const float* weight, long rows, long most, int32_t* steps) {
    float longest = 0;
    auto counts = [=](long r) { return duration[r] != 0 && !(weight && weight[r] == 0); };
    for (long r = 0; r < rows; r++)
        if (counts(r)) longest = std::max(longest, std::fabs(duration[r]));
    for (long r = 0; r < rows; r++) {
        double share = std::ceil(double(most) * std::fabs(duration[r]) / longest - 0.01) + 1;
        steps[r] = !counts(r) ? 0 : share < double(most) ? int32_t(share) : int32_t(most);
    }
}

// Rounds in which some rows make one step together: as few rounds as the longest row has steps, all about equally
// wide, because a round of one or two rows costs more per row than one of four.
struct Schedule {
    std::vector<int> rows;     // of all rounds
    std::vector<long> begins;  // of every round in `rows`, and the end
    long widest = 0;

    explicit Schedule(std::vector<int32_t> left) {
        std::vector<int> order(left.size());
        std::iota(order.begin(), order.end(), 0);
        long sum = std::accumulate(left.begin(), left.end(), 0L);
        begins.push_back(0);
        while (sum > 0) {
            std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return left[a] > left[b]; });
            long most = left[order[0]], width = (sum + most - 1) / most;
            for (long lane = 0; lane < width; lane++) {
                rows.push_back(order[lane]);
                left[order[lane]]--;
            }
            sum -= width;
            widest = std::max(widest, width);
            begins.push_back(long(rows.size()));
        }
    }
    long rounds() const { return long(begins.size()) - 1; }
    long width(long round) const { return begins[round + 1] - begins[round]; }
};

// What the stages of a solve compute and read; one row per row of the batch and stage.
struct Tape {
    Panelled hill, logarithm, difference, pull;  // difference: c(g) - g; pull: adjoint of the slope times relu(v)
    float *hidden, *inner;                       // hidden rows, and their adjoints

    static size_t room(const Shape& s, long rows, bool backward) {
        return (backward ? 4 : 3) * Arena::room(rows * s.padded()) + (backward ? 2 : 1) * Arena::room(rows * s.hidden);
    }
    Tape(const Shape& s, long rows, bool backward) {
        for (Panelled* part : {&hill, &logarithm, &difference}) *part = {arena.take(rows * s.padded()), rows};
        hidden = arena.take(rows * s.hidden);
        if (!backward) return;
        pull = {arena.take(rows * s.padded()), rows};
        inner = arena.take(rows * s.hidden);
    }
};

// One block of transitions of one model, solved together.
class Solve {
  public:
    static size_t room(const Shape& s, long rows, long lanes) {
        return Arena::room(rows * s.padded()) + 5 * Arena::room(lanes * s.padded());
    }

    // scale: step length of every row; keep: whether every stage has rows of its own on the tape.
    Solve(const Shape& shape, const Packed& weights, const Schedule& plan, Tape& tape, const float* scale, long rows,
          bool keep)
        : s(shape), weights(weights), plan(plan), tape(tape), scale(scale), keep(keep) {
        state = {arena.take(rows * s.padded()), rows};
        for (Panelled* part : {&at, &sum, &combined, &through_s, &through_p})
            *part = {arena.take(plan.widest * s.padded()), plan.widest};
    }

    void forward() {
        long q = 0;
        for (long round = 0; round < plan.rounds(); round++) {
            begin(round, q);
            for (int stage = 0; stage < 4; stage++) {
                hidden_units(plan.width(round), q);
                combine(s, tape.hidden + q * s.hidden, s.hidden, plan.width(round), weights.second, 0, 2 * s.m,
                        combined);
                long next = keep ? q + plan.width(round) : q;
                switch (stage) {
                    case 0: advance<0>(round, q, next); break;
                    case 1: advance<1>(round, q, next); break;
                    case 2: advance<2>(round, q, next); break;
                    case 3: advance<3>(round, q, next);
                }
                q = next;
            }
        }
    }

    // `state` holds the adjoints of the end when it begins, those of the start when it is done.
    void backward(float* rate_gradient) {
        long q = keep ? 4 * plan.begins.back() : 0;
        for (long round = plan.rounds() - 1; round >= 0; round--)
            for (int stage = 3; stage >= 0; stage--) {
                long width = plan.width(round);
                q -= width;
                if (stage == 3) pull<3>(round, q, rate_gradient);
                float* inner = tape.inner + q * s.hidden;
                all_dots(s, tape.pull, q, width, weights.second, 0, 2 * s.m, inner, s.hidden);
                const float* hidden = tape.hidden + q * s.hidden;
                for (long lane = 0; lane < width; lane++)
                    for (long j = s.m; j < 2 * s.m; j++) inner[lane * s.hidden + j] *= hidden[lane * s.hidden + j];
                combine(s, inner, s.hidden, width, weights.first, 0, s.m, through_s);
                combine(s, inner + s.m, s.hidden, width, weights.first, s.m, s.m, through_p);
                switch (stage) {
                    case 3: pull_back<3>(round, q, rate_gradient); break;
                    case 2: pull_back<2>(round, q, rate_gradient); break;
                    case 1: pull_back<1>(round, q, rate_gradient); break;
                    case 0: pull_back<0>(round, q, rate_gradient);
                }
            }
    }

    Panelled state;  // of every row

  private:
    // Sums and products of the rows from q on.
    void hidden_units(long width, long q) {
        float* hidden = tape.hidden + q * s.hidden;
        all_dots(s, tape.hill, q, width, weights.first, 0, s.m, hidden, s.hidden);
        all_dots(s, tape.logarithm, q, width, weights.first, s.m, s.m, hidden + s.m, s.hidden);
        for (long lane = 0; lane < width; lane++) {
            float* row = hidden + lane * s.hidden;
            for (long j = 0; j < s.m; j++) row[j] += weights.bias[j];
            for (long j = s.m; j < 2 * s.m; j += LANES) {
                float part[LANES] = {};
                size_t bytes = std::min<long>(LANES, 2 * s.m - j) * sizeof(float);
                std::memcpy(part, row + j, bytes);
                vec bias = load(weights.bias + j);  // may read beyond its end, into memory of ours
                store(part, exponential(load(part) + bias));
                std::memcpy(row + j, part, bytes);
            }
            std::fill(row + 2 * s.m, row + s.hidden, 0.0f);
        }
    }

    // Call act(panel, lane, row, offset in the panel's row) for all vectors of a round.
    template <class Act>
    void each(long round, Act act) {
        const int* rows = plan.rows.data() + plan.begins[round];
        long width = plan.width(round);
        for (long p = 0; p < s.panels; p++)
            for (long lane = 0; lane < width; lane++) act(p, lane, rows[lane], s.width(p) * LANES);
    }

    void begin(long round, long q) {
        each(round, [=](long p, long lane, int row, long length) {
            const float* from = state.at(s, p, row);
            float *hill = tape.hill.at(s, p, q + lane), *logarithm = tape.logarithm.at(s, p, q + lane);
            for (long i = 0; i < length; i += LANES) hill_and_logarithm(load(from + i), hill + i, logarithm + i);
        });
    }

    // From the combined hidden units of a stage to the Hill terms of the next, or to the end of the step.
    template <int STAGE>
    void advance(long round, long q, long next) {
        each(round, [=](long p, long lane, int row, long length) {
            float* own = state.at(s, p, row);
            float *here = at.at(s, p, lane), *mean = sum.at(s, p, lane);
            const float *c = combined.at(s, p, lane), *rate = weights.rate + s.first(p) * LANES;
            float* difference = tape.difference.at(s, p, q + lane);
            float *hill = tape.hill.at(s, p, next + lane), *logarithm = tape.logarithm.at(s, p, next + lane);
            float h = scale[row];
            for (long i = 0; i < length; i += LANES) {
                vec start = load(own + i);
                vec away = load(c + i) - (STAGE == 0 ? start : load(here + i));
                store(difference + i, away);
                vec slope = away * load(rate + i) * h;
                if (STAGE == 0) store(mean + i, slope);
                if (STAGE == 1 || STAGE == 2) store(mean + i, load(mean + i) + 2.0f * slope);
                if (STAGE == 3) store(own + i, start + (load(mean + i) + slope) * (1.0f / 6.0f));
                if (STAGE == 3) continue;
                vec to = start + (STAGE == 2 ? slope : 0.5f * slope);
                store(here + i, to);
                hill_and_logarithm(to, hill + i, logarithm + i);
            }
        });
    }

    // Keep the adjoint of a stage's slope, given `adjoint`, that of scale * f.
    INLINE void keep_pull(vec adjoint, float scale, const float* rate, const float* difference, float* pull,
                          float* rate_gradient) {
        vec of_slope = adjoint * scale;
        store(rate_gradient, load(rate_gradient) + of_slope * load(difference));
        store(pull, of_slope * load(rate));
    }

    template <int STAGE>
    void pull(long round, long q, float* rate_gradient) {
        each(round, [=](long p, long lane, int row, long length) {
            const float *adjoint = state.at(s, p, row), *rate = weights.rate + s.first(p) * LANES;
            const float* difference = tape.difference.at(s, p, q + lane);
            float *pull = tape.pull.at(s, p, q + lane), *gradient = rate_gradient + s.first(p) * LANES;
            for (long i = 0; i < length; i += LANES)
                keep_pull(load(adjoint + i) * (1.0f / 6.0f), scale[row], rate + i, difference + i, pull + i,
                          gradient + i);
        });
    }

    // Through the hidden units of a stage, to the adjoint of the slope of the stage before or of the step's start.
    template <int STAGE>
    void pull_back(long round, long q, float* rate_gradient) {
        long before = q - plan.width(round);
        each(round, [=](long p, long lane, int row, long length) {
            float *adjoint = state.at(s, p, row), *pulled = sum.at(s, p, lane);
            const float *hill = tape.hill.at(s, p, q + lane), *pull = tape.pull.at(s, p, q + lane);
            const float *of_s = through_s.at(s, p, lane), *of_p = through_p.at(s, p, lane);
            const float* rate = weights.rate + s.first(p) * LANES;
            const float* difference = STAGE ? tape.difference.at(s, p, before + lane) : nullptr;
            float* next = STAGE ? tape.pull.at(s, p, before + lane) : nullptr;
            float* gradient = rate_gradient + s.first(p) * LANES;
            for (long i = 0; i < length; i += LANES) {
                vec h = load(hill + i);
                vec slope = 1.0f - magnitude(h);  // of the Hill term, (1 - |h|)^2
                vec through = slope * slope * (load(of_s + i) + load(of_p + i) / (1.0f + h)) - load(pull + i);
                vec so_far = STAGE == 3 ? through : load(pulled + i) + through;
                vec end = load(adjoint + i);
                if (STAGE == 0) store(adjoint + i, end + so_far);
                if (STAGE == 0) continue;
                store(pulled + i, so_far);
                vec stage = STAGE == 3   ? end * (1.0f / 3.0f) + through
                            : STAGE == 2 ? end * (1.0f / 3.0f) + 0.5f * through
                                         : end * (1.0f / 6.0f) + 0.5f * through;
                keep_pull(stage, scale[row], rate + i, difference + i, next + i, gradient + i);
            }
        });
    }

    const Shape& s;
    const Packed& weights;
    const Schedule& plan;
    Tape& tape;
    const float* scale;
    bool keep;
    Panelled at, sum, combined, through_s, through_p;  // one row per row of the round
};

// ---------------------------------------------------------------------------------------------------- gradient

INLINE void put(float* to, const float* from, long count, bool add) {
    if (add)
        for (long i = 0; i < count; i++) to[i] += from[i];
    else
        std::memcpy(to, from, count * sizeof(float));
}

// Gradient (m, k) of W: adjoints of the hidden units times Hill terms or their logarithms.
void first_layer(const Shape& s, const float* inner, const Panelled& terms, long rows, float* gradient, bool add) {
    float tile[ROWS * TILE * LANES];
    for (long p = 0; p < s.panels; p++) {
        long from = s.first(p) * LANES, length = s.width(p) * LANES, genes = std::min(length, s.k - from);
        for (long j = 0; j < s.m; j += ROWS) {
            int height = block(s.m, j);
            Outer product = outer_of(height, s.width(p));
            float* to = gradient + j * s.k + from;
            if (genes == length) {
                product(inner + j, 1, s.hidden, terms.at(s, p, 0), length, rows, to, s.k, add);
                continue;
            }
            product(inner + j, 1, s.hidden, terms.at(s, p, 0), length, rows, tile, length, false);
            for (int r = 0; r < height; r++) put(to + r * s.k, tile + r * length, genes, add);
        }
    }
}

// Gradients (k, m) of both U: adjoints of the slopes times hidden units.
void second_layer(const Shape& s, const Tape& tape, long rows, float* u_s, float* u_p, bool add) {
    float tile[ROWS * TILE * LANES];
    long vectors = s.hidden / LANES, parts = (vectors + TILE - 1) / TILE;
    for (long part = 0; part < parts; part++) {
        long from = part * vectors / parts, width = (part + 1) * vectors / parts - from, length = width * LANES;
        from *= LANES;
        long sums = std::min(std::max(s.m - from, 0L), length), end = std::min(2 * s.m - from, length);
        for (long p = 0; p < s.panels; p++) {
            long gene = s.first(p) * LANES, genes = std::min<long>(s.width(p) * LANES, s.k - gene);
            for (long i = 0; i < genes; i += ROWS) {
                int height = block(genes, i);
                outer_of(height, int(width))(tape.pull.at(s, p, 0) + i, 1, s.width(p) * LANES, tape.hidden + from,
                                             s.hidden, rows, tile, length, false);
                for (int r = 0; r < height; r++) {
                    float* row = tile + r * length;
                    long at = (gene + i + r) * s.m + from;
                    if (sums > 0) put(u_s + at, row, sums, add);
                    if (end > sums) put(u_p + at + sums - s.m, row + sums, end - sums, add);
                }
            }
        }
    }
}

void biases(const Shape& s, const float* inner, long rows, float* b_s, float* b_p, bool add) {
    if (!add) std::fill(b_s, b_s + s.m, 0.0f), std::fill(b_p, b_p + s.m, 0.0f);
    for (long q = 0; q < rows; q++) {
        const float* row = inner + q * s.hidden;
        for (long j = 0; j < s.m; j++) b_s[j] += row[j];
        for (long j = 0; j < s.m; j++) b_p[j] += row[s.m + j];
    }
}

void mask_gradients(const Shape& s, const int64_t* masks, const Parameters& gradient) {
    float* parts[4] = {gradient.w_s, gradient.w_p, gradient.u_s, gradient.u_p};
    for (int part = 0; part < 4; part++) {
        auto mask = reinterpret_cast<const uint8_t*>(masks[part]);
        float* own = parts[part];
        for (long i = 0; i < s.k * s.m; i++) own[i] = mask[i] ? own[i] : 0.0f;
    }
}

// ----------------------------------------------------------------------------------------------------- sparse
//
// With few weights left, the rows of the batch are the vector dimension: an array holds gene after gene (or hidden unit
// after hidden unit), each with L neighbouring numbers, one per row. Every weight left is one multiplication of L
// numbers. Rows that are done keep their state (a step of length 0) until so few are left that L is halved.

// The weights left in one matrix, hidden unit after hidden unit, filled up to fours with zeros. Units come in the order
// of their numbers of weights: loops whose lengths change rarely are predicted better.
struct Links {
    std::vector<int> unit;
    std::vector<long> begins;          // of every unit in this order, and the end
    std::vector<int32_t> gene, place;  // place: in the matrix as it is handed in, -1 for a zero
    long count = 0;                    // without the zeros

    long size() const { return long(gene.size()); }

    // across, down: distance in the matrix of neighbouring genes and of neighbouring hidden units
    void find(const uint8_t* mask, long k, long m, long across, long down) {
        std::vector<long> fours(m);
        count = 0;
        for (long j = 0; j < m; j++) {
            long left = 0;
            for (long i = 0; i < k; i++) left += mask[i * across + j * down] != 0;
            count += left;
            fours[j] = (left + 3) / 4;
        }
        unit.resize(m);
        std::iota(unit.begin(), unit.end(), 0);
        std::stable_sort(unit.begin(), unit.end(), [&](int a, int b) { return fours[a] > fours[b]; });
        begins.assign(1, 0);
        gene.clear();
        place.clear();
        for (int j : unit) {
            for (long i = 0; i < k; i++)
                if (mask[i * across + j * down]) add(i, i * across + j * down);
            for (long i = 0; size() % 4; i++) add(k + i, -1);
            begins.push_back(size());
        }
    }

  private:
    void add(long i, long at) {
        gene.push_back(int32_t(i));
        place.push_back(int32_t(at));
    }
};

// The links of all four matrices, found again only when the masks have changed.
class Pattern {
  public:
    Links links[4];  // w_s, w_p, u_s, u_p

    void update(const Shape& s, const int64_t* masks) {
        size_t size = size_t(s.k) * s.m;
        bool same = s.k == k_ && s.m == m_;
        known_.resize(4 * size);
        for (int part = 0; part < 4; part++) {
            auto mask = reinterpret_cast<const uint8_t*>(masks[part]);
            uint8_t* known = known_.data() + part * size;
            if (same && std::memcmp(known, mask, size) == 0) continue;
            std::memcpy(known, mask, size);
            links[part].find(mask, s.k, s.m, part < 2 ? 1 : s.m, part < 2 ? s.k : 1);
        }
        k_ = s.k, m_ = s.m;
    }
    long size() const { return links[0].size() + links[1].size() + links[2].size() + links[3].size(); }
    double density() const {
        return double(links[0].count + links[1].count + links[2].count + links[3].count) / (4.0 * double(k_ * m_));
    }

  private:
    long k_ = 0, m_ = 0;
    std::vector<uint8_t> known_;
};
thread_local Pattern pattern;

template <int L>
struct Wide {
    typedef float type __attribute__((vector_size(4 * L)));
};
template <>
struct Wide<1> {
    typedef float type;
};
template <int L>
INLINE typename Wide<L>::type read(const float* at) {
    typename Wide<L>::type v;
    std::memcpy(&v, at, sizeof v);
    return v;
}
template <class T>
INLINE void write(float* at, T v) {
    std::memcpy(at, &v, sizeof v);
}

const int WIDEST = 16;  // rows of a block

class SparseSolve {
  public:
    // steps must not increase; state: rows of genes, one after the other
    SparseSolve(const Shape& s, const Parameters& own, const Pattern& pattern, const std::vector<int32_t>& steps,
                const std::vector<float>& scale, bool keep)
        : s(s), own(own), pattern(pattern), steps(steps), scale(scale), keep(keep) {
        long rounds = steps.empty() ? 0 : steps[0], widest = lanes(0), taped = 0;
        for (long round = 0; round < rounds; round++) taped += keep || round == 0 ? lanes(round) : 0;
        long n = length(widest), all = 4 * taped * (s.k + 4) + 4 * rounds * LANES;
        arena.reserve(3 * Arena::room(all) + Arena::room(8 * s.m * taped + 8 * LANES * (rounds + 1)) +
                      10 * Arena::room(n) + Arena::room(2 * s.m * widest + LANES) * 2 + Arena::room(2 * s.m) +
                      3 * Arena::room(pattern.size()) + Arena::room(pattern.size() * widest) +
                      Arena::room(s.k * long(steps.size())));
        if (!arena.ready()) throw std::bad_alloc();
        hill = arena.take(all), logarithm = arena.take(all), difference = arena.take(all);
        hidden = arena.take(8 * s.m * taped + 8 * LANES * (rounds + 1));
        for (float** part : {&state, &at, &sum, &combined, &through_s, &through_p, &pull, &rate, &rate_sum, &step})
            *part = arena.take(n);
        inner = arena.take(2 * s.m * widest + LANES), bias_sum = arena.take(2 * s.m * widest + LANES);
        bias = arena.take(2 * s.m);
        weight = arena.take(pattern.size()), gradient = arena.take(pattern.size());
        offset = reinterpret_cast<int32_t*>(arena.take(pattern.size()));
        link_sum = arena.take(pattern.size() * widest);
        ends = arena.take(s.k * long(steps.size()));
        std::copy(own.b_s, own.b_s + s.m, bias);
        std::copy(own.b_p, own.b_p + s.m, bias + s.m);
        const float* parts[4] = {own.w_s, own.w_p, own.u_s, own.u_p};
        float* to = weight;
        for (int part = 0; part < 4; part++)
            for (int32_t place : pattern.links[part].place) *to++ = place < 0 ? 0.0f : parts[part][place];
        std::fill(gradient, gradient + pattern.size(), 0.0f);
    }

    float* ends;  // states (rows, k), or their adjoints

    void forward() {
        long rounds = steps.empty() ? 0 : steps[0], from = 0;
        Place place = {};
        while (from < rounds) {
            long L = lanes(from), to = from;
            while (to < rounds && lanes(to) == L) to++;
            switch (L) {
                case 1: forward<1>(from, to, place); break;
                case 2: forward<2>(from, to, place); break;
                case 4: forward<4>(from, to, place); break;
                case 8: forward<8>(from, to, place); break;
                default: forward<16>(from, to, place);
            }
            from = to;
        }
        end = place;
    }

    // Add the gradients of biases and v, and keep those of the links.
    void backward(float* b_s, float* b_p, float* v) {
        long to = steps.empty() ? 0 : steps[0];
        Place place = end;
        while (to > 0) {
            long L = lanes(to - 1), from = to;
            while (from > 0 && lanes(from - 1) == L) from--;
            switch (L) {
                case 1: backward<1>(from, to, place, b_s, b_p, v); break;
                case 2: backward<2>(from, to, place, b_s, b_p, v); break;
                case 4: backward<4>(from, to, place, b_s, b_p, v); break;
                case 8: backward<8>(from, to, place, b_s, b_p, v); break;
                default: backward<16>(from, to, place, b_s, b_p, v);
            }
            to = from;
        }
    }

    // Add the gradients of the links to those of the matrices.
    void collect(const Parameters& all) const {
        float* parts[4] = {all.w_s, all.w_p, all.u_s, all.u_p};
        const float* from = gradient;
        for (int part = 0; part < 4; part++)
            for (int32_t place : pattern.links[part].place) {
                if (place >= 0) parts[part][place] += *from;
                from++;
            }
    }

  private:
    struct Place {
        long genes, units;  // where a stage begins on the tape
    };

    long lanes(long round) const {
        long width = 0, L = 1;
        for (int32_t own : steps) width += own > round;
        while (L < width) L *= 2;
        return L;
    }
    // Numbers per array: four genes more than there are, which the zeros among the links act on, and whole vectors.
    long length(long L) const { return ((s.k + 4) * L + LANES - 1) / LANES * LANES; }

    // Rows of genes to lanes and back. A lane without a row has the state of the first, and steps of length 0.
    template <int L>
    void to_lanes() {
        std::fill(state + s.k * L, state + length(L), 0.0f);
        std::fill(rate + s.k * L, rate + length(L), 0.0f);
        for (int lane = 0; lane < L; lane++) {
            const float* row = ends + (lane < long(steps.size()) ? lane : 0) * s.k;
            for (long i = 0; i < s.k; i++) state[i * L + lane] = row[i];
        }
        for (long i = 0; i < s.k; i++)
            for (int lane = 0; lane < L; lane++) rate[i * L + lane] = own.v[i] < 0 ? 0.0f : own.v[i];
        int32_t* to = offset;
        for (const Links& links : pattern.links)
            for (int32_t gene : links.gene) *to++ = gene * L;
    }
    template <int L>
    void from_lanes() {
        for (int lane = 0; lane < std::min<long>(L, long(steps.size())); lane++)
            for (long i = 0; i < s.k; i++) ends[lane * s.k + i] = state[i * L + lane];
    }
    // The step lengths of a round, in the pattern of the lanes.
    template <int L>
    void set_step(long round) {
        const long n = std::max(L, LANES);
        for (long i = 0; i < n; i++) step[i] = i % L < long(steps.size()) && steps[i % L] > round ? scale[i % L] : 0.0f;
    }
    template <int L>
    INLINE vec lanes_of(const float* steps, long i) {
        return load(steps + (L <= LANES ? 0 : i % L));
    }

    template <int L>
    INLINE typename Wide<L>::type gather(const float* w, const int32_t* place, long count, const float* from) {
        typename Wide<L>::type a{}, b{}, c{}, d{};
        for (long q = 0; q < count; q += 4) {
            a += w[q] * read<L>(from + place[q]);
            b += w[q + 1] * read<L>(from + place[q + 1]);
            c += w[q + 2] * read<L>(from + place[q + 2]);
            d += w[q + 3] * read<L>(from + place[q + 3]);
        }
        return (a + b) + (c + d);
    }

    template <int L>
    void forward(long from, long to, Place& place) {
        const long n = length(L), genes = keep ? n : 0, units = keep ? 2 * s.m * L + LANES : 0;
        to_lanes<L>();
        for (long round = from; round < to; round++) {
            set_step<L>(round);
            float *terms = hill + place.genes, *logarithms = logarithm + place.genes;
            for (long i = 0; i < n; i += LANES) hill_and_logarithm(load(state + i), terms + i, logarithms + i);
            for (int stage = 0; stage < 4; stage++) {
                hidden_units<L>(place);
                combine<L>(hidden + place.units);
                Place next = {place.genes + genes, place.units + units};
                switch (stage) {
                    case 0: advance<L, 0>(place.genes, next.genes); break;
                    case 1: advance<L, 1>(place.genes, next.genes); break;
                    case 2: advance<L, 2>(place.genes, next.genes); break;
                    case 3: advance<L, 3>(place.genes, next.genes);
                }
                place = next;
            }
        }
        from_lanes<L>();
    }

    template <int L>
    void hidden_units(Place place) {
        const float* w = weight;
        const int32_t* at = offset;
        float* to = hidden + place.units;
        for (int branch = 0; branch < 2; branch++) {
            const Links& links = pattern.links[branch];
            const float* terms = (branch ? logarithm : hill) + place.genes;
            for (long n = 0; n < s.m; n++) {
                long j = links.unit[n], first = links.begins[n], count = links.begins[n + 1] - first;
                write(to + j * L, gather<L>(w + first, at + first, count, terms) + bias[branch * s.m + j]);
            }
            to += s.m * L;
            w += links.size();
            at += links.size();
        }
        float* products = hidden + place.units + s.m * L;
        for (long i = 0; i < s.m * L; i += LANES) store(products + i, exponential(load(products + i)));
    }

    template <int L>
    void combine(const float* units) {
        std::fill(combined, combined + length(L), 0.0f);
        const long skipped = pattern.links[0].size() + pattern.links[1].size();
        const float* w = weight + skipped;
        const int32_t* at = offset + skipped;
        float* const out = combined;  // own names keep these addresses in registers
        for (int branch = 0; branch < 2; branch++) {
            const Links& links = pattern.links[2 + branch];
            for (long n = 0; n < s.m; n++) {
                const auto unit = read<L>(units + (branch * s.m + links.unit[n]) * L);
                const long last = links.begins[n + 1];
                for (long q = links.begins[n]; q < last; q += 4)
                    UNROLL for (int t = 0; t < 4; t++) {
                        float* to = out + at[q + t];
                        write(to, read<L>(to) + w[q + t] * unit);
                    }
            }
            w += links.size();
            at += links.size();
        }
    }

    template <int L, int STAGE>
    void advance(long here, long next) {
        const long n = length(L);
        const float *c = combined, *rates = rate, *steps = step;
        float *own = state, *place = at, *mean = sum, *differences = difference + here;
        float *terms = hill + next, *logarithms = logarithm + next;
        for (long i = 0; i < n; i += LANES) {
            vec start = load(own + i);
            vec away = load(c + i) - (STAGE == 0 ? start : load(place + i));
            store(differences + i, away);
            vec slope = away * load(rates + i) * lanes_of<L>(steps, i);
            if (STAGE == 0) store(mean + i, slope);
            if (STAGE == 1 || STAGE == 2) store(mean + i, load(mean + i) + 2.0f * slope);
            if (STAGE == 3) store(own + i, start + (load(mean + i) + slope) * (1.0f / 6.0f));
            if (STAGE == 3) continue;
            vec to = start + (STAGE == 2 ? slope : 0.5f * slope);
            store(place + i, to);
            hill_and_logarithm(to, terms + i, logarithms + i);
        }
    }

    template <int L>
    void backward(long from, long to, Place& place, float* b_s, float* b_p, float* v) {
        const long n = length(L), genes = n, units = 2 * s.m * L + LANES;
        to_lanes<L>();
        std::fill(rate_sum, rate_sum + n, 0.0f);
        std::fill(bias_sum, bias_sum + 2 * s.m * L, 0.0f);
        std::fill(link_sum, link_sum + pattern.size() * L, 0.0f);
        for (long round = to - 1; round >= from; round--) {
            set_step<L>(round);
            for (int stage = 3; stage >= 0; stage--) {
                place = {place.genes - genes, place.units - units};
                if (stage == 3)
                    for (long i = 0; i < n; i += LANES)
                        keep_pull<L>(load(state + i) * (1.0f / 6.0f), i, step, rate, difference + place.genes, pull,
                                     rate_sum);
                through_second<L>(hidden + place.units);
                through_first<L>(place);
                switch (stage) {
                    case 3: pull_back<L, 3>(place.genes); break;
                    case 2: pull_back<L, 2>(place.genes); break;
                    case 1: pull_back<L, 1>(place.genes); break;
                    case 0: pull_back<L, 0>(place.genes);
                }
            }
        }
        from_lanes<L>();
        for (long i = 0; i < s.k; i++)
            for (int lane = 0; lane < L; lane++) v[i] += rate_sum[i * L + lane];
        for (long j = 0; j < s.m; j++)
            for (int lane = 0; lane < L; lane++) {
                b_s[j] += bias_sum[j * L + lane];
                b_p[j] += bias_sum[(s.m + j) * L + lane];
            }
        for (long q = 0; q < pattern.size(); q++)
            for (int lane = 0; lane < L; lane++) gradient[q] += link_sum[q * L + lane];
    }

    // Keep the adjoint of a stage's slope, given that of scale * f.
    template <int L>
    INLINE void keep_pull(vec adjoint, long i, const float* steps, const float* rate, const float* difference,
                          float* pull, float* rate_sum) {
        vec of_slope = adjoint * lanes_of<L>(steps, i);
        store(rate_sum + i, load(rate_sum + i) + of_slope * load(difference + i));
        store(pull + i, of_slope * load(rate + i));
    }

    // Adjoints of the hidden units, and gradients of U.
    template <int L>
    void through_second(const float* units) {
        long skipped = pattern.links[0].size() + pattern.links[1].size();
        for (int branch = 0; branch < 2; branch++) {
            const Links& links = pattern.links[2 + branch];
            const float* w = weight + skipped;
            const int32_t* at = offset + skipped;
            float* const sums = link_sum + skipped * L;
            const float* const from = pull;
            for (long n = 0; n < s.m; n++) {
                const long j = links.unit[n], last = links.begins[n + 1];
                const auto unit = read<L>(units + (branch * s.m + j) * L);
                typename Wide<L>::type total[4] = {};
                for (long q = links.begins[n]; q < last; q += 4)
                    UNROLL for (int t = 0; t < 4; t++) {
                        auto own = read<L>(from + at[q + t]);
                        total[t] += w[q + t] * own;
                        write(sums + (q + t) * L, read<L>(sums + (q + t) * L) + unit * own);
                    }
                auto all = (total[0] + total[1]) + (total[2] + total[3]);
                if (branch) all *= unit;
                write(inner + (branch * s.m + j) * L, all);
                float* of_bias = bias_sum + (branch * s.m + j) * L;
                write(of_bias, read<L>(of_bias) + all);
            }
            skipped += links.size();
        }
    }

    // Adjoints of the Hill terms and logarithms, and gradients of W.
    template <int L>
    void through_first(Place place) {
        long skipped = 0;
        for (int branch = 0; branch < 2; branch++) {
            const Links& links = pattern.links[branch];
            const float* w = weight + skipped;
            const int32_t* at = offset + skipped;
            float *const sums = link_sum + skipped * L, *const through = branch ? through_p : through_s;
            const float* const terms = (branch ? logarithm : hill) + place.genes;
            std::fill(through, through + length(L), 0.0f);
            for (long n = 0; n < s.m; n++) {
                const auto unit = read<L>(inner + (branch * s.m + links.unit[n]) * L);
                const long last = links.begins[n + 1];
                for (long q = links.begins[n]; q < last; q += 4)
                    UNROLL for (int t = 0; t < 4; t++) {
                        float *to = through + at[q + t], *own = sums + (q + t) * L;
                        write(to, read<L>(to) + w[q + t] * unit);
                        write(own, read<L>(own) + unit * read<L>(terms + at[q + t]));
                    }
            }
            skipped += links.size();
        }
    }

    template <int L, int STAGE>
    void pull_back(long here) {
        const long n = length(L), before = here - n;
        const float *terms = hill + here, *of_s = through_s, *of_p = through_p, *steps = step, *rates = rate;
        const float* differences = difference + before;
        float *own = state, *pulled = sum, *pulls = pull, *of_rate = rate_sum;
        for (long i = 0; i < n; i += LANES) {
            vec h = load(terms + i);
            vec slope = 1.0f - magnitude(h);
            vec through = slope * slope * (load(of_s + i) + load(of_p + i) / (1.0f + h)) - load(pulls + i);
            vec so_far = STAGE == 3 ? through : load(pulled + i) + through;
            vec adjoint = load(own + i);
            if (STAGE == 0) store(own + i, adjoint + so_far);
            if (STAGE == 0) continue;
            store(pulled + i, so_far);
            vec stage = STAGE == 3   ? adjoint * (1.0f / 3.0f) + through
                        : STAGE == 2 ? adjoint * (1.0f / 3.0f) + 0.5f * through
                                     : adjoint * (1.0f / 6.0f) + 0.5f * through;
            keep_pull<L>(stage, i, steps, rates, differences, pulls, of_rate);
        }
    }

    const Shape& s;
    const Parameters& own;
    const Pattern& pattern;
    const std::vector<int32_t>& steps;
    const std::vector<float>& scale;
    bool keep;
    Place end = {};
    float *hill, *logarithm, *difference, *hidden;  // the tape
    float *state, *at, *sum, *combined, *through_s, *through_p, *pull, *inner;
    float *rate, *bias, *weight, *step;
    float *rate_sum, *bias_sum, *link_sum, *gradient;
    int32_t* offset;  // of a link's gene in an array of genes
};

// ------------------------------------------------------------------------------------------------------- calls

void read_rows(const Shape& s, const float* from, const int* rows, long count, const Panelled& to) {
    for (long p = 0; p < s.panels; p++) {
        long gene = s.first(p) * LANES, length = s.width(p) * LANES, genes = std::min(length, s.k - gene);
        for (long r = 0; r < count; r++) {
            float* row = to.at(s, p, r);
            std::memcpy(row, from + rows[r] * s.k + gene, genes * sizeof(float));
            std::fill(row + genes, row + length, 0.0f);
        }
    }
}

// Rows in an order of falling numbers of steps, cut into blocks.
struct Batch {
    std::vector<int32_t> steps;  // of every row of the batch
    std::vector<int> order;
    long size;  // rows of a block

    Batch(const float* duration, const float* weight, long rows, long most, long size) : steps(rows), size(size) {
        row_steps(duration, weight, rows, most, steps.data());
        for (int r = 0; r < rows; r++)
            if (!weight || weight[r] != 0) order.push_back(r);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return steps[a] > steps[b]; });
    }
    long blocks() const { return (long(order.size()) + size - 1) / size; }
};

// One block: its rows of the batch, and in its own numbering their steps, step lengths and schedule.
struct Block {
    const int* rows;
    long count;
    std::vector<int32_t> steps;
    std::vector<float> scale;
    Schedule plan;

    Block(const Batch& batch, long index, const float* duration)
        : rows(batch.order.data() + index * batch.size),
          count(std::min<long>(batch.size, long(batch.order.size()) - index * batch.size)),
          steps(count),
          scale(count),
          plan(choose(batch, duration)) {}

  private:
    const std::vector<int32_t>& choose(const Batch& batch, const float* duration) {
        for (long r = 0; r < count; r++) {
            steps[r] = batch.steps[rows[r]];
            scale[r] = steps[r] ? duration[rows[r]] / float(steps[r]) : 0.0f;
        }
        return steps;
    }
};

// Turn the state of a row into `factor` times its distance from the end it should have; return the sum of squares.
double residual(const Shape& s, const Panelled& state, long row, const float* end, float factor) {
    double sum = 0;
    for (long p = 0; p < s.panels; p++) {
        long gene = s.first(p) * LANES, genes = std::min<long>(s.width(p) * LANES, s.k - gene);
        float* own = state.at(s, p, row);
        float part = 0;
        for (long i = 0; i < genes; i++) {
            float away = own[i] - end[gene + i];
            part += away * away;
            own[i] = away * factor;
        }
        for (long i = genes; i < s.width(p) * LANES; i++) own[i] = 0;
        sum += part;
    }
    return sum;
}

// One step of Adam on LANES weights, or on those that are kept.
template <bool ALL>
INLINE void adam(float* weights, const float* gradient, float* first, float* second, vec rate, ivec kept, float factor,
                 float smallest) {
    vec g = load(gradient), m = load(first), v = load(second), w = load(weights);
    vec mean = m + (g - m) * 0.1f, square = v * 0.999f + g * g * 0.001f;
    vec moved = w - rate * mean / (root(square) * factor + smallest);
    store(first, ALL ? mean : kept ? mean : m);
    store(second, ALL ? square : kept ? square : v);
    store(weights, ALL ? moved : kept ? moved : w);
}

const long BUDGET = 16 << 20;  // floats on the tapes of a block (64 MB), unless 4 rows need more

// The loss and its gradients with the weights that `pattern` has left.
void sparse_gradient(const Shape& s, const int64_t* a, const Parameters& own, const Parameters& gradient) {
    long rows = a[2], most = std::max<long>(a[3], 1);
    auto start = reinterpret_cast<const float*>(a[4]), duration = reinterpret_cast<const float*>(a[5]);
    auto end = reinterpret_cast<const float*>(a[13]), weight = reinterpret_cast<const float*>(a[14]);
    float* matrices[4] = {gradient.w_s, gradient.w_p, gradient.u_s, gradient.u_p};
    for (float* matrix : matrices) std::fill(matrix, matrix + s.k * s.m, 0.0f);
    std::fill(gradient.b_s, gradient.b_s + s.m, 0.0f);
    std::fill(gradient.b_p, gradient.b_p + s.m, 0.0f);
    std::fill(gradient.v, gradient.v + s.k, 0.0f);
    Batch batch(duration, weight, rows, most, WIDEST);
    double all = 0, squares = 0;
    for (long r = 0; r < rows; r++) all += weight[r];
    for (long b = 0; b < batch.blocks(); b++) {
        arena.restart();
        Block one(batch, b, duration);
        SparseSolve solve(s, own, pattern, one.steps, one.scale, true);
        for (long r = 0; r < one.count; r++) std::copy_n(start + one.rows[r] * s.k, s.k, solve.ends + r * s.k);
        solve.forward();
        for (long r = 0; r < one.count; r++) {
            float factor = 2 * weight[one.rows[r]] / float(all * double(s.k));
            double sum = 0;
            for (long i = 0; i < s.k; i++) {
                float away = solve.ends[r * s.k + i] - end[one.rows[r] * s.k + i];
                sum += double(away) * away;
                solve.ends[r * s.k + i] = away * factor;
            }
            squares += double(weight[one.rows[r]]) * sum;
        }
        solve.backward(gradient.b_s, gradient.b_p, gradient.v);
        solve.collect(gradient);
    }
    for (long i = 0; i < s.k; i++) gradient.v[i] = own.v[i] > 0 ? gradient.v[i] : 0.0f;
    *reinterpret_cast<float*>(a[15]) = float(squares / (all * double(s.k)));
}

// Share of weights below which only those left are computed with, given the rows of the batch (measured).
double sparse_below(long rows) { return std::min(0.02 + 0.03 * double(rows), 0.3); }

}  // namespace

extern "C" {

// Lanes of the vectors of this build.
int kinetrain_lanes() { return LANES; }

// The best build for this processor: 0 the plain one, 1 avx2, 2 avx512.
int kinetrain_instructions() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    return fused ? (wide ? 2 : 1) : 0;
#else
    return 0;
#endif
}

void kinetrain_row_steps(const float* duration, const float* weight, int64_t rows, int64_t most, int32_t* steps) {
    row_steps(duration, weight, rows, most, steps);
}

// a: k, m, rows, steps, start, duration, seven parameters, end (written). Returns 0, or 1 without enough memory.
int kinetrain_predict(const int64_t* a) try {
    Shape s(a[0], a[1]);
    long rows = a[2];
    auto start = reinterpret_cast<const float*>(a[4]), duration = reinterpret_cast<const float*>(a[5]);
    Parameters own = parameters_at(a + 6);
    auto end = reinterpret_cast<float*>(a[13]);
    long size = std::clamp<long>((1 << 18) / s.padded() / ROWS * ROWS, ROWS, 32);  // so that a block stays in the cache
    size = std::min(size, rows);
    Batch batch(duration, nullptr, rows, std::max<long>(a[3], 1), size);
    arena.restart();
    arena.reserve(Packed::room(s) + Tape::room(s, size, false) + Solve::room(s, size, size));
    if (!arena.ready()) return 1;
    Packed weights(s, own);
    size_t used = arena.used();
    for (long b = 0; b < batch.blocks(); b++) {
        arena.restart(used);
        Block one(batch, b, duration);
        Tape tape(s, size, false);
        Solve solve(s, weights, one.plan, tape, one.scale.data(), one.count, false);
        read_rows(s, start, one.rows, one.count, solve.state);
        solve.forward();
        for (long p = 0; p < s.panels; p++) {
            long gene = s.first(p) * LANES, genes = std::min<long>(s.width(p) * LANES, s.k - gene);
            for (long r = 0; r < one.count; r++)
                std::memcpy(end + one.rows[r] * s.k + gene, solve.state.at(s, p, r), genes * sizeof(float));
        }
    }
    return 0;
} catch (...) {
    return 1;
}

// a: k, m, rows, steps, start, duration, seven parameters, end, weight, value (written), seven gradients (written),
// four masks (bytes) of the matrices or zeros.
// Returns 0, or 1 without enough memory.
int kinetrain_gradient(const int64_t* a) try {
    Shape s(a[0], a[1]);
    long rows = a[2], most = std::max<long>(a[3], 1);
    auto start = reinterpret_cast<const float*>(a[4]), duration = reinterpret_cast<const float*>(a[5]);
    Parameters own = parameters_at(a + 6);
    auto end = reinterpret_cast<const float*>(a[13]), weight = reinterpret_cast<const float*>(a[14]);
    auto value = reinterpret_cast<float*>(a[15]);
    Parameters gradient = parameters_at(a + 16);
    if (a[23]) {
        pattern.update(s, a + 23);
        if (pattern.density() < sparse_below(rows)) return sparse_gradient(s, a, own, gradient), 0;
    }
    long per_row = 4 * most * (4 * s.padded() + 2 * s.hidden);
    long size = std::min(rows, std::max<long>(BUDGET / per_row / ROWS * ROWS, ROWS));
    Batch batch(duration, weight, rows, most, size);
    long taped = 0;  // rows on the largest tape, that of the first block
    for (long r = 0; r < std::min<long>(size, long(batch.order.size())); r++) taped += 4 * batch.steps[batch.order[r]];
    arena.restart();
    arena.reserve(Packed::room(s) + Arena::room(s.padded()) + Tape::room(s, taped, true) + Solve::room(s, size, size));
    if (!arena.ready()) return 1;
    Packed weights(s, own);
    float* rate_gradient = arena.take(s.padded());
    std::fill(rate_gradient, rate_gradient + s.padded(), 0.0f);
    double all = 0, squares = 0;
    for (long r = 0; r < rows; r++) all += weight[r];
    size_t used = arena.used();
    for (long b = 0; b < std::max(batch.blocks(), 1L); b++) {
        arena.restart(used);
        Block one(batch, b, duration);
        long kept = 4 * long(one.plan.rows.size());
        Tape tape(s, kept, true);
        Solve solve(s, weights, one.plan, tape, one.scale.data(), one.count, true);
        read_rows(s, start, one.rows, one.count, solve.state);
        solve.forward();
        for (long r = 0; r < one.count; r++)
            squares += double(weight[one.rows[r]]) *
                       residual(s, solve.state, r, end + one.rows[r] * s.k, 2 * weight[one.rows[r]] / float(all * s.k));
        solve.backward(rate_gradient);
        first_layer(s, tape.inner, tape.hill, kept, gradient.w_s, b > 0);
        first_layer(s, tape.inner + s.m, tape.logarithm, kept, gradient.w_p, b > 0);
        second_layer(s, tape, kept, gradient.u_s, gradient.u_p, b > 0);
        biases(s, tape.inner, kept, gradient.b_s, gradient.b_p, b > 0);
    }
    if (a[23]) mask_gradients(s, a + 23, gradient);
    for (long i = 0; i < s.k; i++) gradient.v[i] = own.v[i] > 0 ? rate_gradient[i] : 0.0f;
    *value = float(squares / (all * double(s.k)));
    return 0;
} catch (...) {
    return 1;
}

// One step of Adam, as training/ensemble.py makes it. a: number of weights, steps so far, whether there is only one
// rate, weights, gradient, moments, rates, mask or 0; where the mask is 0 nothing moves.
void kinetrain_adam(const int64_t* a) {
    long count = a[0];
    auto at = [a](int i) { return reinterpret_cast<float*>(a[i]); };
    float *weights = at(3), *gradient = at(4), *first = at(5), *second = at(6), *rates = at(7);
    auto mask = reinterpret_cast<const uint8_t*>(a[8]);
    double correction1 = 1 - std::pow(0.9, double(a[1])), correction2 = 1 - std::pow(0.999, double(a[1]));
    float factor = float(correction1 / std::sqrt(correction2)), smallest = float(1e-8 * correction1);
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    const bytes nothing = {}, everything = nothing + 1;
    long i = 0;
    for (; i + LANES <= count; i += LANES) {
        bytes kept = everything;
        if (mask) std::memcpy(&kept, mask + i, sizeof kept);
        vec rate = a[2] ? splat(rates[0]) : load(rates + i);
        if (std::memcmp(&kept, &nothing, sizeof kept) == 0) continue;
        if (std::memcmp(&kept, &everything, sizeof kept) == 0)
            adam<true>(weights + i, gradient + i, first + i, second + i, rate, ivec{}, factor, smallest);
        else
            adam<false>(weights + i, gradient + i, first + i, second + i, rate,
                        __builtin_convertvector(kept, ivec) != 0, factor, smallest);
    }
    long rest = count - i;
    float parts[5][LANES] = {};
    float* own[4] = {weights + i, gradient + i, first + i, second + i};
    bytes kept = everything;
    if (mask) std::memcpy(&kept, mask + i, rest);
    for (int part = 0; part < 4; part++) std::copy_n(own[part], rest, parts[part]);
    for (long r = 0; r < rest; r++) parts[4][r] = rates[a[2] ? 0 : i + r];
    adam<false>(parts[0], parts[1], parts[2], parts[3], load(parts[4]), __builtin_convertvector(kept, ivec) != 0,
                factor, smallest);
    for (int part = 0; part < 4; part++) std::copy_n(parts[part], rest, own[part]);
}
}
