// Loss and gradient of PHOENIX through Runge-Kutta steps, for one core: forward, discrete adjoint, weight gradients.
//
// The same mathematics as phoenix_rk4.py. What makes it fast: weights are packed once per call in the order in which
// they are read; products keep a tile of 4 rows in registers; every stage writes its part of one tape, so that the
// gradient of a weight matrix is a single product over all stages and rows.
//
// Layout: genes are the vector dimension of every array. They are cut into panels of up to TILE vectors; an array with
// n rows holds panel after panel, and within a panel row after row ("panelled"). So every product reads memory
// in one direction. Hidden units of both branches are one row of 2m numbers, sums before products ("hidden rows").
// Weights are packed once more with the hidden units of a branch as the vector dimension, in panels likewise, for the
// sums over genes: sums within vectors of genes, over weights packed once, lost by a factor of two.
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
#include <map>
#include <new>
#include <numeric>
#include <vector>
#include "vectors.hpp"

namespace {

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

// A dimension cut into vectors, and these into panels.
struct Panels {
    long vectors, panels;
    explicit Panels(long size) : vectors((size + LANES - 1) / LANES), panels((vectors + TILE - 1) / TILE) {
        for (long panel = 0; panel <= panels; panel++) starts.push_back(panel * vectors / panels);
    }
    long first(long panel) const { return starts[panel]; }
    int width(long panel) const { return int(starts[panel + 1] - starts[panel]); }
    long padded() const { return vectors * LANES; }

  private:
    std::vector<long> starts;
};

// How the genes are cut, and the hidden units of a branch.
struct Shape : Panels {
    long k, m, hidden;  // hidden: length of a hidden row
    Panels units;
    Shape(long genes, long units)
        : Panels(genes), k(genes), m(units), hidden((2 * m + LANES - 1) / LANES * LANES), units(units) {}
};

// ---------------------------------------------------------------------------------------------------- products

// Rows of genes, or of hidden units, panel after panel.
struct Panelled {
    float* data = nullptr;
    long rows = 0;
    float* at(const Panels& cut, long panel, long row) const {
        return data + LANES * (cut.first(panel) * rows + cut.width(panel) * row);
    }
};

// out[r * so + v] = sum over genes of x[xr + r][gene] * w[gene][v]: R rows, V vectors of hidden units.
template <int R, int V>
void over_genes(const Shape& s, const Panelled& x, long xr, const float* w, float* out, long so) {
    vec c[R][V] = {};
    for (long p = 0; p < s.panels; p++) {
        long length = s.width(p) * LANES, genes = std::min(length, s.k - s.first(p) * LANES);
        const float* a = x.at(s, p, xr);
        for (long i = 0; i < genes; i++, w += V * LANES) {
            vec own[V];
            UNROLL for (int v = 0; v < V; v++) own[v] = load(w + v * LANES);
            UNROLL for (int r = 0; r < R; r++) {
                vec b = splat(a[r * length + i]);
                UNROLL for (int v = 0; v < V; v++) c[r][v] += b * own[v];
            }
        }
    }
    UNROLL for (int r = 0; r < R; r++)
        UNROLL for (int v = 0; v < V; v++) store(out + r * so + v * LANES, c[r][v]);
}

// out[r * so + j] = sum over genes of x[xr + r][gene] * w[gene][j] for `rows` rows r and the hidden units j of a branch.
void sum_over_genes(const Shape& s, const Panelled& x, long xr, long rows, const Panelled& w, float* out, long so) {
    float tile[ROWS * TILE * LANES];
    for (long u = 0; u < s.units.panels; u++) {
        long from = s.units.first(u) * LANES, length = s.units.width(u) * LANES, units = std::min(length, s.m - from);
        for (long r = 0; r < rows; r += ROWS) {
            int height = block(rows, r);
            FOR_TILE(over_genes, height, s.units.width(u))(s, x, xr + r, w.at(s.units, u, 0), tile, length);
            for (int i = 0; i < height; i++)
                std::memcpy(out + (r + i) * so + from, tile + i * length, units * sizeof(float));
        }
    }
}

// out[r][gene] = sum over j < count of a[r * sa + j] * w[wr + j][gene] for `rows` rows r.
void combine(const Shape& s, const float* a, long sa, long rows, const Panelled& w, long wr, long count,
             const Panelled& out) {
    for (long p = 0; p < s.panels; p++) {
        int width = s.width(p);
        for (long r = 0; r < rows; r += ROWS)
            FOR_TILE(outer, block(rows, r), width)(a + r * sa, sa, 1, w.at(s, p, wr), width * LANES, count, out.at(s, p, r),
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
    Panelled first, second;  // W and the transpose of U: 2m rows of genes, sums before products
    Panelled first_units[2], second_units[2];  // the transpose of W, and U, of each branch: k rows of hidden units
    float *bias, *rate;  // a hidden row; relu(v)

    static size_t room(const Shape& s) {
        return 2 * Arena::room(2 * s.m * s.padded()) + 4 * Arena::room(s.k * s.units.padded()) +
               Arena::room(s.hidden) + Arena::room(s.padded());
    }
    Packed(const Shape& s, const Parameters& own, bool backward) {
        const float *w[2] = {own.w_s, own.w_p}, *u[2] = {own.u_s, own.u_p};
        second = {arena.take(2 * s.m * s.padded()), 2 * s.m};
        for (int branch = 0; branch < 2; branch++) {
            first_units[branch] = {arena.take(s.k * s.units.padded()), s.k};
            for (long p = 0; p < s.units.panels; p++) {
                long from = s.units.first(p) * LANES, length = s.units.width(p) * LANES;
                transpose(w[branch] + from * s.k, s.k, std::min(length, s.m - from), first_units[branch].at(s.units, p, 0),
                          length);
            }
            for (long p = 0; p < s.panels; p++) {
                long from = s.first(p) * LANES, length = s.width(p) * LANES, genes = std::min(length, s.k - from);
                transpose(u[branch] + from * s.m, s.m, genes, second.at(s, p, branch * s.m), length);
            }
        }
        if (backward) pack_backward(s, w, u);
        bias = arena.take(s.hidden);
        rate = arena.take(s.padded());
        std::copy(own.b_s, own.b_s + s.m, bias);
        std::copy(own.b_p, own.b_p + s.m, bias + s.m);
        std::fill(bias + 2 * s.m, bias + s.hidden, 0.0f);
        for (long i = 0; i < s.padded(); i++) rate[i] = i >= s.k || own.v[i] < 0 ? 0.0f : own.v[i];
    }

  private:
    void pack_backward(const Shape& s, const float* const* w, const float* const* u) {
        first = {arena.take(2 * s.m * s.padded()), 2 * s.m};
        for (int branch = 0; branch < 2; branch++) {
            second_units[branch] = {arena.take(s.k * s.units.padded()), s.k};
            copy(s, w[branch], s.m, s.k, first, branch * s.m);
            copy(s.units, u[branch], s.k, s.m, second_units[branch], 0);
        }
    }

    // Write (rows, size) from a row on, with zeros beyond the size.
    static void copy(const Panels& cut, const float* from, long rows, long size, const Panelled& to, long row) {
        for (long p = 0; p < cut.panels; p++) {
            long begin = cut.first(p) * LANES, length = cut.width(p) * LANES, count = std::min(length, size - begin);
            for (long r = 0; r < rows; r++) {
                float* at = to.at(cut, p, row + r);
                std::memcpy(at, from + r * size + begin, count * sizeof(float));
                std::fill(at + count, at + length, 0.0f);
            }
        }
    }

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

// Numbers of steps in proportion to the durations and three more, at most `most`, that of the longest; none for a row of
// weight 0 or of no duration. More, because short transitions are often measured where much happens: with 0, 1, 2 or 3
// more, the loss of SIM350 with 8 steps is wrong by 17e-5, 9e-5, 5e-5 or 3e-5 (benchmarks/neural.py).
void row_steps(const float* duration, const float* weight, long rows, long most, int32_t* steps) {
    float longest = 0;
    auto counts = [=](long r) { return duration[r] != 0 && !(weight && weight[r] == 0); };
    for (long r = 0; r < rows; r++)
        if (counts(r)) longest = std::max(longest, std::fabs(duration[r]));
    for (long r = 0; r < rows; r++) {
        double share = std::ceil(double(most) * std::fabs(duration[r]) / longest - 0.01) + 3;
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

// Sums and products of `width` rows of the tape from q on.
void hidden_units(const Shape& s, const Packed& weights, const Tape& tape, long width, long q) {
    float* hidden = tape.hidden + q * s.hidden;
    sum_over_genes(s, tape.hill, q, width, weights.first_units[0], hidden, s.hidden);
    sum_over_genes(s, tape.logarithm, q, width, weights.first_units[1], hidden + s.m, s.hidden);
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

// Adjoints of the sums and products of `width` rows of the tape from q on, from the pulls of these rows.
void pull_hidden_units(const Shape& s, const Packed& weights, const Tape& tape, long width, long q) {
    float* inner = tape.inner + q * s.hidden;
    for (int branch = 0; branch < 2; branch++)
        sum_over_genes(s, tape.pull, q, width, weights.second_units[branch], inner + branch * s.m, s.hidden);
    const float* hidden = tape.hidden + q * s.hidden;
    for (long lane = 0; lane < width; lane++)
        for (long j = s.m; j < 2 * s.m; j++) inner[lane * s.hidden + j] *= hidden[lane * s.hidden + j];
}

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
                hidden_units(s, weights, tape, plan.width(round), q);
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
                pull_hidden_units(s, weights, tape, width, q);
                const float* inner = tape.inner + q * s.hidden;
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
            auto product = FOR_TILE(outer, height, s.width(p));
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
                FOR_TILE(outer, height, width)(tape.pull.at(s, p, 0) + i, 1, s.width(p) * LANES, tape.hidden + from,
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

// Gradients of all weights but v, from the first `rows` rows of the tape.
void weight_gradients(const Shape& s, const Tape& tape, long rows, const Parameters& gradient, bool add) {
    first_layer(s, tape.inner, tape.hill, rows, gradient.w_s, add);
    first_layer(s, tape.inner + s.m, tape.logarithm, rows, gradient.w_p, add);
    second_layer(s, tape, rows, gradient.u_s, gradient.u_p, add);
    biases(s, tape.inner, rows, gradient.b_s, gradient.b_p, add);
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

// Sums over links: to[row] = sum of weight * from[column] over the links of a row. Rows with about as many links stand
// side by side in groups that fill a vector, one link of each per slot; a row that has fewer repeats its first with a
// weight of zero.
struct Sums {
    std::vector<long> begins;           // first slot of every group, and the end
    std::vector<int32_t> row;           // of every place in the groups
    std::vector<int32_t> column, link;  // of every place in the slots; -1 for a weight of zero

    struct Link {
        int32_t column, link;
    };
    // side: rows per group; nowhere: the row where a place goes that no row has
    void arrange(std::vector<std::vector<Link>> links, std::vector<int32_t> rows, size_t side, int32_t nowhere) {
        std::vector<size_t> order(rows.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return links[a].size() > links[b].size(); });
        begins.assign(1, 0), row.clear(), column.clear(), link.clear();
        for (size_t first = 0; first < order.size();) {
            size_t count = std::min(side, order.size() - first), most = links[order[first]].size();
            // what a zero would be multiplied with must be in the sum already: rows without links stand alone
            for (size_t i = 0; most && i < count; i++)
                if (links[order[first + i]].empty()) count = i;
            for (size_t i = 0; i < side; i++) row.push_back(i < count ? rows[order[first + i]] : nowhere);
            for (size_t slot = 0; slot < most; slot++)
                for (size_t i = 0; i < side; i++) {
                    const auto& own = links[order[first + (i < count ? i : 0)]];
                    bool there = i < count && slot < own.size();
                    column.push_back(own[there ? slot : 0].column);
                    link.push_back(there ? own[slot].link : -1);
                }
            begins.push_back(begins.back() + long(most));
            first += count;
        }
    }
};

// How the links act on arrays of L rows: where the gene of each begins, and the sums that make hidden units of terms,
// combinations of hidden units, and on the way back hidden units of pulls and terms of hidden units.
struct Layout {
    std::vector<int32_t> gene;
    Sums hidden, combined, inner, through;
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
            layouts_.clear();
        }
        k_ = s.k, m_ = s.m;
    }
    long size() const { return links[0].size() + links[1].size() + links[2].size() + links[3].size(); }
    double density() const {
        return double(links[0].count + links[1].count + links[2].count + links[3].count) / (4.0 * double(k_ * m_));
    }
    // terms: where those of the products begin, after those of the sums
    const Layout& layout(long L, long terms) const {
        auto found = layouts_.find(L);
        return found != layouts_.end() ? found->second : layouts_[L] = arranged(int32_t(L), int32_t(terms));
    }

  private:
    Layout arranged(int32_t L, int32_t terms) const {
        typedef std::vector<std::vector<Sums::Link>> Rows;
        const int32_t k = int32_t(k_), m = int32_t(m_);
        Rows units(2 * m), genes(k), units_back(2 * m), terms_back(2 * k);
        std::vector<int32_t> unit_rows, gene_rows, term_rows;
        for (int32_t j = 0; j < 2 * m; j++) unit_rows.push_back(j * L);
        for (int32_t i = 0; i < k; i++) gene_rows.push_back(i * L);
        for (int32_t i = 0; i < 2 * k; i++) term_rows.push_back(i < k ? i * L : terms + (i - k) * L);
        Layout found;
        int32_t number = 0;
        for (int part = 0; part < 4; part++) {
            const Links& own = links[part];
            const int32_t branch = part % 2;
            for (long n = 0; n < m; n++) {
                const int32_t j = branch * m + own.unit[n];
                for (long q = own.begins[n]; q < own.begins[n + 1]; q++, number++) {
                    const int32_t i = own.gene[q];
                    found.gene.push_back(i * L);
                    if (own.place[q] < 0) continue;
                    if (part < 2) {
                        units[j].push_back({branch * terms + i * L, number});
                        terms_back[branch * k + i].push_back({j * L, number});
                    } else {
                        genes[i].push_back({j * L, number});
                        units_back[j].push_back({i * L, number});
                    }
                }
            }
        }
        const size_t side = size_t(std::max<long>(LANES / L, 1));
        found.hidden.arrange(units, unit_rows, side, 2 * m * L);
        found.combined.arrange(genes, gene_rows, side, k * L);
        found.inner.arrange(units_back, unit_rows, side, 2 * m * L);
        found.through.arrange(terms_back, term_rows, side, k * L);
        return found;
    }

    long k_ = 0, m_ = 0;
    std::vector<uint8_t> known_;
    mutable std::map<long, Layout> layouts_;
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

// Numbers of LANES / L places side by side, of L numbers each; of one place where L is LANES or more.
template <int L>
INLINE vec pieces(const float* from, const int32_t* place) {
    if (L >= LANES) return load(from + place[0]);
#if defined(__AVX512F__)
    if (L == 8) {
        auto low = _mm512_castps256_ps512(_mm256_loadu_ps(from + place[0]));
        return (vec)_mm512_insertf32x8(low, _mm256_loadu_ps(from + place[1]), 1);
    }
    if (L == 4) {
        auto all = _mm512_castps128_ps512(_mm_loadu_ps(from + place[0]));
        all = _mm512_insertf32x4(all, _mm_loadu_ps(from + place[1]), 1);
        all = _mm512_insertf32x4(all, _mm_loadu_ps(from + place[2]), 2);
        return (vec)_mm512_insertf32x4(all, _mm_loadu_ps(from + place[3]), 3);
    }
    if (L == 1) return (vec)_mm512_i32gather_ps(_mm512_loadu_si512(place), from, 4);
#elif defined(__AVX2__)
    if (L == 4) {
        auto low = _mm256_castps128_ps256(_mm_loadu_ps(from + place[0]));
        return (vec)_mm256_insertf128_ps(low, _mm_loadu_ps(from + place[1]), 1);
    }
    if (L == 1) return (vec)_mm256_i32gather_ps(from, _mm256_loadu_si256((const __m256i*)place), 4);
#endif
    vec all = {};
    UNROLL for (int i = 0; i < LANES; i++) all[i] = from[place[i / L] + i % L];
    return all;
}

// Each of LANES / L numbers L times; one of them LANES times where L is LANES or more.
template <int L>
INLINE vec spread(const float* from) {
    if (L >= LANES) return splat(from[0]);
    if (L == 1) return load(from);
#if defined(__AVX512F__)
    if (L == 4) {
        const auto which = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
        return (vec)_mm512_permutexvar_ps(which, _mm512_castps128_ps512(_mm_loadu_ps(from)));
    }
#elif defined(__AVX__)
    if (L == 4)
        return (vec)_mm256_insertf128_ps(_mm256_broadcast_ss(from), _mm_broadcast_ss(from + 1), 1);
#endif
    vec all = {};
    UNROLL for (int i = 0; i < LANES; i++) all[i] = from[i / L];
    return all;
}

const int WIDEST = 16, WIDEST_FORWARD = 32;  // rows of a block, with a tape for the way back and without one

class SparseSolve {
  public:
    // steps must not increase; state: rows of genes, one after the other. Without a tape there is no way back.
    SparseSolve(const Shape& s, const Parameters& own, const Pattern& pattern, const std::vector<int32_t>& steps,
                const std::vector<float>& scale, bool tape)
        : s(s), own(own), pattern(pattern), steps(steps), scale(scale), tape(tape) {
        long rounds = steps.empty() ? 0 : steps[0], widest = lanes(0), taped = 0, places = 0;
        for (long round = 0; round < rounds; round++) {
            if (tape || !round) taped += lanes(round);
            places = std::max(places, places_of(pattern.layout(lanes(round), length(lanes(round)))));
        }
        long n = length(widest), all = 4 * taped * (s.k + 4) + 4 * rounds * LANES, units = 2 * s.m * widest + LANES;
        arena.reserve(Arena::room(2 * all) + Arena::room(all) + Arena::room(8 * s.m * taped + 8 * LANES * (rounds + 1)) +
                      12 * Arena::room(n) + Arena::room(2 * n) + 6 * Arena::room(units) + Arena::room(places) +
                      2 * Arena::room(pattern.size()) + Arena::room(pattern.size() * widest) +
                      Arena::room(s.k * long(steps.size())));
        if (!arena.ready()) throw std::bad_alloc();
        terms = arena.take(2 * all), difference = arena.take(all);
        hidden = arena.take(8 * s.m * taped + 8 * LANES * (rounds + 1));
        for (float** part : {&state, &at, &sum, &combined, &rate, &rate_sum, &step, &pull[0], &pull[1], &pull[2],
                             &pull[3]})
            *part = arena.take(n);
        through = arena.take(2 * n);
        for (float** part : {&inner[0], &inner[1], &inner[2], &inner[3], &bias, &bias_sum}) *part = arena.take(units);
        slots = arena.take(places);
        weight = arena.take(pattern.size()), gradient = arena.take(pattern.size());
        link_sum = arena.take(pattern.size() * widest);
        ends = arena.take(s.k * long(steps.size()));
        const float* parts[4] = {own.w_s, own.w_p, own.u_s, own.u_p};
        float* to = weight;
        for (int part = 0; part < 4; part++)
            for (int32_t place : pattern.links[part].place) *to++ = place < 0 ? 0.0f : parts[part][place];
        std::fill(gradient, gradient + pattern.size(), 0.0f);
    }

    float* ends;  // states (rows, k), or their adjoints

    // From the rows of `start` with these numbers.
    void forward(const float* start, const int* rows) {
        for (size_t r = 0; r < steps.size(); r++) std::copy_n(start + rows[r] * s.k, s.k, ends + r * s.k);
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
                case 16: forward<16>(from, to, place); break;
                default: forward<32>(from, to, place);
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
    // Numbers per array: a gene more than there are at least, and whole vectors.
    long length(long L) const { return ((s.k + 4) * L + LANES - 1) / LANES * LANES; }
    static long places_of(const Layout& layout) {
        return LANES + long(std::max(layout.hidden.link.size() + layout.combined.link.size(),
                                     layout.inner.link.size() + layout.through.link.size()));
    }

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
        for (long j = 0; j < 2 * s.m; j++)
            for (int lane = 0; lane < L; lane++) bias[j * L + lane] = j < s.m ? own.b_s[j] : own.b_p[j - s.m];
        layout = &pattern.layout(L, length(L));
    }
    // The weights of two of the sums, as they stand in their slots; returns where those of the second begin.
    const float* fill_slots(const Sums& first, const Sums& second) {
        float* to = slots;
        for (int32_t link : first.link) *to++ = link < 0 ? 0.0f : weight[link];
        const float* between = to;
        for (int32_t link : second.link) *to++ = link < 0 ? 0.0f : weight[link];
        return between;
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
    static void add_up(const Sums& sums, const float* w, const float* from, float* to) {
        constexpr int SIDE = L < LANES ? LANES / L : 1, VECTORS = L > LANES ? L / LANES : 1;
        const int32_t *column = sums.column.data(), *row = sums.row.data();
        const long groups = long(sums.begins.size()) - 1;
        for (long group = 0; group < groups; group++) {
            vec c[VECTORS] = {};
            for (long q = sums.begins[group]; q < sums.begins[group + 1]; q++) {
                vec own = spread<L>(w);
                UNROLL for (int v = 0; v < VECTORS; v++) c[v] += own * pieces<L>(from + v * LANES, column);
                w += SIDE;
                column += SIDE;
            }
            float out[VECTORS * LANES];
            std::memcpy(out, c, sizeof out);
            UNROLL for (int r = 0; r < SIDE; r++) std::memcpy(to + row[r], out + r * L, L * sizeof(float));
            row += SIDE;
        }
    }

    template <int L>
    void forward(long from, long to, Place& place) {
        const long n = length(L), units = 2 * s.m * L + LANES;
        to_lanes<L>();
        const float* of_combined = fill_slots(layout->hidden, layout->combined);
        for (long round = from; round < to; round++) {
            set_step<L>(round);
            float* own = terms + 2 * place.genes;
            for (long i = 0; i < n; i += LANES) hill_and_logarithm(load(state + i), own + i, own + n + i);
            for (int stage = 0; stage < 4; stage++) {
                hidden_units<L>(place);
                add_up<L>(layout->combined, of_combined, hidden + place.units, combined);
                Place next = tape ? Place{place.genes + n, place.units + units} : place;
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
        float* to = hidden + place.units;
        add_up<L>(layout->hidden, slots, terms + 2 * place.genes, to);
        for (long i = 0; i < 2 * s.m * L; i += LANES) store(to + i, load(to + i) + load(bias + i));
        float* products = to + s.m * L;
        for (long i = 0; i < s.m * L; i += LANES) store(products + i, exponential(load(products + i)));
    }

    template <int L, int STAGE>
    void advance(long here, long next) {
        const long n = length(L);
        const float *c = combined, *rates = rate, *steps = step;
        float *own = state, *place = at, *mean = sum, *differences = difference + here, *later = terms + 2 * next;
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
            hill_and_logarithm(to, later + i, later + n + i);
        }
    }

    template <int L>
    void backward(long from, long to, Place& place, float* b_s, float* b_p, float* v) {
        const long n = length(L), units = 2 * s.m * L + LANES;
        to_lanes<L>();
        std::fill(rate_sum, rate_sum + n, 0.0f);
        std::fill(bias_sum, bias_sum + 2 * s.m * L, 0.0f);
        std::fill(link_sum, link_sum + pattern.size() * L, 0.0f);
        const float* of_through = fill_slots(layout->inner, layout->through);
        for (long round = to - 1; round >= from; round--) {
            set_step<L>(round);
            for (int stage = 3; stage >= 0; stage--) {
                place = {place.genes - n, place.units - units};
                if (stage == 3)
                    for (long i = 0; i < n; i += LANES)
                        keep_pull<L>(load(state + i) * (1.0f / 6.0f), i, step, rate, difference + place.genes, pull[3],
                                     rate_sum);
                add_up<L>(layout->inner, slots, pull[stage], inner[stage]);
                through_products<L>(hidden + place.units, inner[stage]);
                add_up<L>(layout->through, of_through, inner[stage], through);
                switch (stage) {
                    case 3: pull_back<L, 3>(place.genes); break;
                    case 2: pull_back<L, 2>(place.genes); break;
                    case 1: pull_back<L, 1>(place.genes); break;
                    case 0: pull_back<L, 0>(place.genes);
                }
            }
            link_gradients<L>(place);
        }
        from_lanes<L>();
        for (long i = 0; i < s.k; i++) v[i] += total<L>(rate_sum + i * L);
        for (long j = 0; j < s.m; j++) b_s[j] += total<L>(bias_sum + j * L);
        for (long j = 0; j < s.m; j++) b_p[j] += total<L>(bias_sum + (s.m + j) * L);
        for (long q = 0; q < pattern.size(); q++) gradient[q] += total<L>(link_sum + q * L);
    }

    template <int L>
    static float total(const float* from) {
        float sum = from[0];
        UNROLL for (int lane = 1; lane < L; lane++) sum += from[lane];
        return sum;
    }

    // Keep the adjoint of a stage's slope, given that of scale * f.
    template <int L>
    INLINE void keep_pull(vec adjoint, long i, const float* steps, const float* rate, const float* difference,
                          float* pull, float* rate_sum) {
        vec of_slope = adjoint * lanes_of<L>(steps, i);
        store(rate_sum + i, load(rate_sum + i) + of_slope * load(difference + i));
        store(pull + i, of_slope * load(rate + i));
    }

    // Adjoints of the hidden units: those of the products through their exponential.
    template <int L>
    void through_products(const float* units, float* adjoints) {
        const long products = s.m * L;
        for (long i = products; i < 2 * products; i += LANES) store(adjoints + i, load(adjoints + i) * load(units + i));
        for (long i = 0; i < 2 * products; i += LANES) store(bias_sum + i, load(bias_sum + i) + load(adjoints + i));
    }

    // Add the gradients of all links over the four stages of a round, whose first begins at `place`.
    template <int L>
    void link_gradients(Place place) {
        typedef typename Wide<L>::type wide;
        const int32_t* at = layout->gene.data();
        float* sums = link_sum;
        for (int part = 0; part < 4; part++) {
            const Links& links = pattern.links[part];
            const long branch = part % 2, n = length(L), units = 2 * s.m * L + LANES;
            const float *of_units[4], *of_genes[4];
            for (int stage = 0; stage < 4; stage++) {
                of_units[stage] = part < 2 ? inner[stage] : hidden + place.units + stage * units;
                of_genes[stage] = part < 2 ? terms + 2 * (place.genes + stage * n) + branch * n : pull[stage];
            }
            const float *a = of_genes[0], *b = of_genes[1], *c = of_genes[2], *d = of_genes[3];
            for (long j = 0; j < s.m; j++) {
                const long own = (branch * s.m + links.unit[j]) * L, last = links.begins[j + 1];
                const wide ua = read<L>(of_units[0] + own), ub = read<L>(of_units[1] + own);
                const wide uc = read<L>(of_units[2] + own), ud = read<L>(of_units[3] + own);
                for (long q = links.begins[j]; q < last; q += 4)
                    UNROLL for (int t = 0; t < 4; t++) {
                        const long gene = at[q + t];
                        float* own = sums + (q + t) * L;
                        wide two = ua * read<L>(a + gene) + ub * read<L>(b + gene);
                        wide more = uc * read<L>(c + gene) + ud * read<L>(d + gene);
                        write(own, read<L>(own) + (two + more));
                    }
            }
            at += links.size();
            sums += links.size() * L;
        }
    }

    template <int L, int STAGE>
    void pull_back(long here) {
        const long n = length(L), before = here - n;
        const float *term = terms + 2 * here, *of_s = through, *of_p = through + n, *steps = step, *rates = rate;
        const float *differences = difference + before, *pulls = pull[STAGE];
        float *own = state, *pulled = sum, *next = pull[STAGE ? STAGE - 1 : 0], *of_rate = rate_sum;
        for (long i = 0; i < n; i += LANES) {
            vec h = load(term + i);
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
            keep_pull<L>(stage, i, steps, rates, differences, next, of_rate);
        }
    }

    const Shape& s;
    const Parameters& own;
    const Pattern& pattern;
    const std::vector<int32_t>& steps;
    const std::vector<float>& scale;
    const bool tape;
    const Layout* layout = nullptr;
    Place end = {};
    float *terms, *difference, *hidden;  // the tape; of the terms: Hill terms, then logarithms, of every stage
    float *state, *at, *sum, *combined, *through, *rate, *step, *bias;
    float *pull[4], *inner[4];  // of every stage of a round
    float *weight, *slots;      // of the links, and as they stand in the sums
    float *rate_sum, *bias_sum, *link_sum, *gradient;
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

// One step of Adam on the weights of one model.
class Adam {
  public:
    explicit Adam(const int64_t* a)
        : shared_(a[2]), weights_(part(a[3])), gradient_(part(a[4])), first_(part(a[5])), second_(part(a[6])), rates_(part(a[7])) {
        const double correction1 = 1 - std::pow(0.9, double(a[1])), correction2 = 1 - std::pow(0.999, double(a[1]));
        factor_ = float(correction1 / std::sqrt(correction2)), smallest_ = float(1e-8 * correction1);
    }
    // On LANES weights from i on, all or those that are kept.
    template <bool ALL>
    void at(long i, ivec kept) const {
        const vec m = load(first_ + i), v = load(second_ + i), w = load(weights_ + i);
        const Moved to = moved(load(gradient_ + i), m, v, w, shared_ ? splat(rates_[0]) : load(rates_ + i));
        store(first_ + i, ALL ? to.first : kept ? to.first : m);
        store(second_ + i, ALL ? to.second : kept ? to.second : v);
        store(weights_ + i, ALL ? to.weights : kept ? to.weights : w);
    }
    // On the weights at `count` places.
    void at_places(const int32_t* places, long count) const {
        for (long i = 0; i < count; i += LANES) {
            int32_t own[LANES];
            const long size = std::min<long>(LANES, count - i);
            for (long r = 0; r < LANES; r++) own[r] = places[i + std::min(r, size - 1)];
            const vec rate = shared_ ? splat(rates_[0]) : pieces<1>(rates_, own);
            const Moved to = moved(pieces<1>(gradient_, own), pieces<1>(first_, own), pieces<1>(second_, own),
                                   pieces<1>(weights_, own), rate);
            for (long r = 0; r < size; r++)
                first_[own[r]] = to.first[r], second_[own[r]] = to.second[r], weights_[own[r]] = to.weights[r];
        }
    }

  private:
    struct Moved {
        vec first, second, weights;
    };
    Moved moved(vec g, vec m, vec v, vec w, vec rate) const {
        const vec mean = m + (g - m) * 0.1f, square = v * 0.999f + g * g * 0.001f;
        return {mean, square, w - rate * mean / (root(square) * factor_ + smallest_)};
    }
    static float* part(int64_t address) { return reinterpret_cast<float*>(address); }

    bool shared_;
    float *weights_, *gradient_, *first_, *second_, *rates_, factor_, smallest_;
};

// The weights that a mask keeps. Listed when the same mask comes a second time, as that takes as long as some steps of
// Adam, and models that take turns have masks of their own.
class Kept {
  public:
    // Their places; null where they are not listed, or so many that steps on whole vectors are faster.
    const std::vector<int32_t>* listed(const uint8_t* mask, long count) {
        if (long(mask_.size()) != count || std::memcmp(mask_.data(), mask, size_t(count)) != 0) {
            mask_.assign(mask, mask + count);
            known_ = false;
            return nullptr;
        }
        if (!known_) find();
        return 4 * long(places_.size()) < count ? &places_ : nullptr;
    }

  private:
    void find() {
        places_.clear();
        for (size_t i = 0; i < mask_.size(); i++)
            if (mask_[i]) places_.push_back(int32_t(i));
        known_ = true;
    }

    std::vector<uint8_t> mask_;
    std::vector<int32_t> places_;
    bool known_ = false;
};
thread_local Kept kept;

// Floats on the tapes of a block, unless 4 rows need more: 1 MB stays in the cache; beyond it, no more than the packed
// weights, which every further block reads again.
long tape_budget(const Shape& s) { return std::max(1L << 18, 8 * s.k * s.m); }

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
        solve.forward(start, one.rows);
        for (long r = 0; r < one.count; r++) {
            float factor = 2 * weight[one.rows[r]] / float(all * double(s.k));
            const float* wanted = end + one.rows[r] * s.k;
            float *state = solve.ends + r * s.k, sums[8] = {};  // several, so that no sum waits for the one before
            for (long i = 0; i < s.k; i++) {
                float away = state[i] - wanted[i];
                sums[i % 8] += away * away;
                state[i] = away * factor;
            }
            squares += double(weight[one.rows[r]]) * std::accumulate(sums, sums + 8, 0.0);
        }
        solve.backward(gradient.b_s, gradient.b_p, gradient.v);
        solve.collect(gradient);
    }
    for (long i = 0; i < s.k; i++) gradient.v[i] = own.v[i] > 0 ? gradient.v[i] : 0.0f;
    *reinterpret_cast<float*>(a[15]) = float(squares / (all * double(s.k)));
}

// Share of weights below which only those left are computed with, given the rows of the batch (measured).
double sparse_below(long rows) { return std::min(0.02 + 0.03 * double(rows), 0.3); }

// Find the weights that are not zero, in `found`; return whether they are few enough to compute with those alone: with
// a fifth both ways take equally long on 1,024 rows of 3,551 genes (measured).
bool few_left(const Shape& s, const Parameters& own, long rows, Pattern& found) {
    const float* parts[4] = {own.w_s, own.w_p, own.u_s, own.u_p};
    const long size = s.k * s.m;
    std::vector<uint8_t> masks(4 * size_t(size));
    long left = 0;
    int64_t places[4];
    for (int part = 0; part < 4; part++) {
        uint8_t* mask = masks.data() + part * size;
        places[part] = reinterpret_cast<int64_t>(mask);
        for (long i = 0; i < size; i++) left += mask[i] = parts[part][i] != 0.0f;
    }
    if (double(left) >= std::min(sparse_below(rows), 0.2) * 4.0 * double(size)) return false;
    found.update(s, places);
    return true;
}

// The states at the end, with the weights that `pattern` has left.
void sparse_predict(const Shape& s, const Parameters& own, const Pattern& pattern, const Batch& batch,
                    const float* start, const float* duration, float* end) {
    for (long b = 0; b < batch.blocks(); b++) {
        arena.restart();
        Block one(batch, b, duration);
        SparseSolve solve(s, own, pattern, one.steps, one.scale, false);
        solve.forward(start, one.rows);
        for (long r = 0; r < one.count; r++) std::copy_n(solve.ends + r * s.k, s.k, end + one.rows[r] * s.k);
    }
}

}  // namespace

extern "C" {

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
    static thread_local Pattern known;  // not that of the gradients, whose masks may keep weights that are zero
    if (few_left(s, own, rows, known)) {
        Batch batch(duration, nullptr, rows, std::max<long>(a[3], 1), WIDEST_FORWARD);
        return sparse_predict(s, own, known, batch, start, duration, end), 0;
    }
    long size = std::clamp<long>((1 << 18) / s.padded() / ROWS * ROWS, ROWS, 32);  // so that a block stays in the cache
    size = std::min(size, rows);
    Batch batch(duration, nullptr, rows, std::max<long>(a[3], 1), size);
    arena.restart();
    arena.reserve(Packed::room(s) + Tape::room(s, size, false) + Solve::room(s, size, size));
    if (!arena.ready()) return 1;
    Packed weights(s, own, false);
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
    long size = std::min(rows, std::max<long>(tape_budget(s) / per_row / ROWS * ROWS, ROWS));
    Batch batch(duration, weight, rows, most, size);
    long taped = 0;  // rows on the largest tape, that of the first block
    for (long r = 0; r < std::min<long>(size, long(batch.order.size())); r++) taped += 4 * batch.steps[batch.order[r]];
    arena.restart();
    arena.reserve(Packed::room(s) + Arena::room(s.padded()) + Tape::room(s, taped, true) + Solve::room(s, size, size));
    if (!arena.ready()) return 1;
    Packed weights(s, own, true);
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
        weight_gradients(s, tape, kept, gradient, b > 0);
    }
    if (a[23]) mask_gradients(s, a + 23, gradient);
    for (long i = 0; i < s.k; i++) gradient.v[i] = own.v[i] > 0 ? rate_gradient[i] : 0.0f;
    *value = float(squares / (all * double(s.k)));
    return 0;
} catch (...) {
    return 1;
}

// Mean squared difference of the production from what is wanted, over rows and genes, and its gradients.
// a: k, m, rows, states (rows, k), wanted (rows, k), seven parameters, value (written), seven gradients (written).
// Returns 0, or 1 without enough memory.
int kinetrain_production_error(const int64_t* a) try {
    Shape s(a[0], a[1]);
    const long rows = a[2];
    auto states = reinterpret_cast<const float*>(a[3]), wanted = reinterpret_cast<const float*>(a[4]);
    Parameters own = parameters_at(a + 5), gradient = parameters_at(a + 13);
    const long size = std::min(rows, std::max<long>(tape_budget(s) / (4 * s.padded() + 2 * s.hidden) / ROWS * ROWS, ROWS));
    arena.restart();
    arena.reserve(Packed::room(s) + Tape::room(s, size, true));
    if (!arena.ready()) return 1;
    Packed weights(s, own, true);
    const size_t used = arena.used();
    double squares = 0;
    std::vector<int> block(size);
    for (long first = 0; first < rows; first += size) {
        const long count = std::min(size, rows - first);
        arena.restart(used);
        Tape tape(s, count, true);
        std::iota(block.begin(), block.end(), int(first));
        read_rows(s, states, block.data(), count, tape.pull);
        for (long i = 0; i < count * s.padded(); i += LANES)
            hill_and_logarithm(load(tape.pull.data + i), tape.hill.data + i, tape.logarithm.data + i);
        hidden_units(s, weights, tape, count, 0);
        combine(s, tape.hidden, s.hidden, count, weights.second, 0, 2 * s.m, tape.pull);
        for (long r = 0; r < count; r++)
            squares += residual(s, tape.pull, r, wanted + (first + r) * s.k, 2 / float(rows * s.k));
        pull_hidden_units(s, weights, tape, count, 0);
        weight_gradients(s, tape, count, gradient, first > 0);
    }
    std::fill(gradient.v, gradient.v + s.k, 0.0f);
    *reinterpret_cast<float*>(a[12]) = float(squares / (double(rows) * double(s.k)));
    return 0;
} catch (...) {
    return 1;
}

// One step of Adam, as neural/ensemble.py makes it. a: number of weights, steps so far, whether there is only one
// rate, weights, gradient, moments, rates, mask or 0; where the mask is 0 nothing moves.
void kinetrain_adam(const int64_t* a) {
    const long count = a[0];
    auto mask = reinterpret_cast<const uint8_t*>(a[8]);
    const Adam step(a);
    if (const std::vector<int32_t>* places = mask ? kept.listed(mask, count) : nullptr)
        return step.at_places(places->data(), long(places->size()));
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    const bytes nothing = {}, everything = nothing + 1;
    long i = 0;
    for (; i + LANES <= count; i += LANES) {
        bytes own = everything;
        if (mask) std::memcpy(&own, mask + i, sizeof own);
        if (std::memcmp(&own, &nothing, sizeof own) == 0) continue;
        if (std::memcmp(&own, &everything, sizeof own) == 0)
            step.at<true>(i, ivec{});
        else
            step.at<false>(i, __builtin_convertvector(own, ivec) != 0);
    }
    int32_t rest[LANES], left = 0;
    for (; i < count; i++)
        if (!mask || mask[i]) rest[left++] = int32_t(i);
    step.at_places(rest, left);
}

// One epoch of mini-batches of one model: of each the gradient, a step of Adam, and v raised to a floor.
// a: k, m, batches, steps, number of weights, steps of Adam so far, whether there is only one rate, indices of the
// transitions in their order, sizes of the batches, start, end, duration, weights, gradient (room for it), moments,
// rates, mask, a floor of v and the sum of losses over transitions (written) as doubles, where the seven parameters
// begin in the weights, and where the matrices begin in the mask. Returns 0, or 1 without enough memory.
int kinetrain_epoch(const int64_t* a) try {
    const long k = a[0], batches = a[2];
    auto order = reinterpret_cast<const int64_t*>(a[7]), sizes = reinterpret_cast<const int64_t*>(a[8]);
    const float* data[] = {reinterpret_cast<const float*>(a[9]), reinterpret_cast<const float*>(a[10])};
    auto duration = reinterpret_cast<const float*>(a[11]);
    auto floor_and_loss = reinterpret_cast<double*>(a[18]);
    const long most = batches ? *std::max_element(sizes, sizes + batches) : 0;
    std::vector<float> ends[] = {std::vector<float>(most * k), std::vector<float>(most * k)}, lasted(most);
    const std::vector<float> weight(most, 1.0f);
    auto address = [](const float* at) { return reinterpret_cast<int64_t>(at); };
    float value;
    int64_t call[27] = {a[0], a[1], 0, a[3], address(ends[0].data()), address(lasted.data())};
    for (int part = 0; part < 7; part++) {
        call[6 + part] = a[12] + a[19 + part] * int64_t(sizeof(float));
        call[16 + part] = a[13] + a[19 + part] * int64_t(sizeof(float));
    }
    call[13] = address(ends[1].data()), call[14] = address(weight.data()), call[15] = address(&value);
    for (int part = 0; part < 4; part++) call[23 + part] = a[17] + a[26 + part];
    int64_t adam[9] = {a[4], a[5], a[6], a[12], a[13], a[14], a[15], a[16], a[17]};
    const float floor = float(floor_and_loss[0]);
    float* v = parameters_at(call + 6).v;
    floor_and_loss[1] = 0;
    for (long b = 0; b < batches; order += sizes[b++]) {
        call[2] = sizes[b];
        for (long r = 0; r < sizes[b]; r++) {
            lasted[r] = duration[order[r]];
            for (int end = 0; end < 2; end++) std::copy_n(data[end] + order[r] * k, k, ends[end].data() + r * k);
        }
        if (int code = kinetrain_gradient(call)) return code;
        adam[1]++;
        kinetrain_adam(adam);
        for (long i = 0; i < k; i++)
            if (v[i] < floor) v[i] = floor;
        floor_and_loss[1] += value * float(sizes[b]);
    }
    return 0;
} catch (...) {
    return 1;
}
}
