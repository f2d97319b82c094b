// Loss and gradient of the perceptron with one hidden layer through Runge-Kutta steps, for one core.
//
// The same mathematics as mlp_rk4.py: the stages are computed for the m hidden units alone, with A = W1 W2. Hidden units
// and genes are vector dimensions, padded with zeros; every stage is kept, so that the gradients are a few products.

#include <cmath>
#include <cstdint>
#include <new>
#include <vector>
#include "vectors.hpp"

namespace {

// Memory that begins on a line of the cache, so that no vector lies on two.
template <class T>
struct Aligned {
    typedef T value_type;
    Aligned() = default;
    template <class U>
    Aligned(const Aligned<U>&) {}
    T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64))); }
    void deallocate(T* at, size_t) { ::operator delete(at, std::align_val_t(64)); }
    bool operator==(const Aligned&) const { return true; }
    bool operator!=(const Aligned&) const { return false; }
};
typedef std::vector<float, Aligned<float>> Floats;

// A matrix whose rows are whole vectors; what is beyond its columns is zero.
struct Matrix {
    long rows, columns, width;
    Floats data;
    Matrix(long rows, long columns)
        : rows(rows), columns(columns), width((columns + LANES - 1) / LANES * LANES), data(rows * width) {}
    float* row(long r) { return data.data() + r * width; }
    const float* row(long r) const { return data.data() + r * width; }

    static Matrix of(const float* from, long rows, long columns) {
        Matrix made(rows, columns);
        for (long r = 0; r < rows; r++) std::copy_n(from + r * columns, columns, made.row(r));
        return made;
    }
    static Matrix transposed(const float* from, long rows, long columns) {
        Matrix made(columns, rows);
        for (long r0 = 0; r0 < rows; r0 += LANES)  // a line of the cache at a time
            for (long c = 0; c < columns; c++)
                for (long r = r0; r < std::min(rows, r0 + LANES); r++) made.row(c)[r] = from[r * columns + c];
        return made;
    }
    void write(float* to) const {
        for (long r = 0; r < rows; r++) std::copy_n(row(r), columns, to + r * columns);
    }
};

// out[r] (+)= sum over q < count of a[r * sr + q * sq] * x[q] for `rows` rows from `out` on.
void product(const float* a, long sr, long sq, const Matrix& x, long from, long count, float* out, long rows, bool add) {
    long vectors = x.width / LANES;
    for (long v = 0; v < vectors; v += TILE) {
        int wide = int(std::min<long>(TILE, vectors - v));
        for (long r = 0; r < rows; r += ROWS)
            FOR_TILE(outer, block(rows, r), wide)(a + r * sr, sr, sq, x.row(from) + v * LANES, x.width, count,
                                           out + r * x.width + v * LANES, x.width, add);
    }
}

// The weights of the four stages of a step in the end of the genes, and their decay, of a step of length h: what the
// fourth-order scheme makes of dx/ds = f - x.
struct Step {
    float share[4], decay;
    explicit Step(float h) {
        float second = h * h, third = second * h / 12, last = h / 6, middle = h / 3 - second / 6;
        share[0] = last - second / 6 + third - third * h / 2;
        share[1] = middle + third;
        share[2] = middle;
        share[3] = last;
        decay = 1 - (share[0] + share[1] + share[2] + share[3]);
    }
};

struct Solve {
    long rows, stages, m;
    const Matrix &inner, &turned;  // A and its transpose
    const float* drive;
    const Floats& scale;
    Matrix curves, values, kept, slope, at;  // elu' and elu of all stages; their adjoints

    Solve(const Matrix& inner, const Matrix& turned, const float* drive, const Floats& scale, long steps)
        : rows(long(scale.size())), stages(4 * steps), m(inner.rows), inner(inner), turned(turned), drive(drive),
          scale(scale), curves(stages * rows, m), values(stages * rows, m), kept(stages * rows, m), slope(rows, m),
          at(rows, m) {}

    // slope = scale * (A elu(u) + d - u) at the hidden units `at`.
    void evaluate(long stage) {
        long width = at.width, begin = stage * rows;
        for (long i = 0; i < rows * width; i += LANES) {
            vec u = load(at.row(0) + i), below = u < 0.0f ? u : vec{}, curve = exponential(below);
            store(curves.row(begin) + i, curve);
            store(values.row(begin) + i, u - below + curve - 1.0f);
        }
        product(values.row(begin), width, 1, turned, 0, m, slope.row(0), rows, false);
        for (long r = 0; r < rows; r++)
            for (long i = 0; i < width; i += LANES) {
                float* s = slope.row(r) + i;
                store(s, (load(s) + load(drive + i) - load(at.row(r) + i)) * scale[r]);
            }
    }

    // to = from + factor * x, for all rows.
    static void move(Matrix& to, const Matrix& from, float factor, const Matrix& x) {
        for (size_t i = 0; i < to.data.size(); i += LANES)
            store(&to.data[i], load(&from.data[i]) + factor * load(&x.data[i]));
    }

    void forward(Matrix units) {
        Matrix sum(rows, m);
        for (long stage = 0; stage < stages; stage += 4) {
            at = units;
            evaluate(stage);
            sum = slope;
            move(at, units, 0.5f, slope);
            evaluate(stage + 1);
            move(sum, sum, 2, slope);
            move(at, units, 0.5f, slope);
            evaluate(stage + 2);
            move(sum, sum, 2, slope);
            move(at, units, 1, slope);
            evaluate(stage + 3);
            move(sum, sum, 1, slope);
            move(units, units, 1.0f / 6, sum);
        }
    }

    // The transposed Jacobian of a stage: of the adjoint `pull` of its slope to that of its hidden units, in `slope`.
    void pull_back(long stage, const Matrix& pull, const Matrix& direct, const std::vector<Step>& steps,
                   const Floats& later) {
        long width = at.width, begin = stage * rows;
        for (long r = 0; r < rows; r++)
            for (long i = 0; i < width; i += LANES)
                store(kept.row(begin + r) + i, load(pull.row(r) + i) * scale[r]);
        product(kept.row(begin), width, 1, inner, 0, m, slope.row(0), rows, false);
        for (long r = 0; r < rows; r++) {
            float share = later[r] * steps[r].share[stage % 4];
            for (long i = 0; i < width; i += LANES) {
                vec through = load(slope.row(r) + i) + share * load(direct.row(r) + i);
                store(slope.row(r) + i, through * load(curves.row(begin + r) + i) - load(kept.row(begin + r) + i));
            }
        }
    }

    // The adjoint of the first hidden units. direct: derivative of the loss in what the stages add to the genes.
    Matrix backward(const Matrix& direct, const std::vector<Step>& steps) {
        Matrix adjoint(rows, m), pull(rows, m), sixth(rows, m), sum(rows, m), zero(rows, m);
        Floats later(rows, 1);
        for (long stage = stages - 4; stage >= 0; stage -= 4) {
            move(sixth, zero, 1.0f / 6, adjoint);
            pull_back(stage + 3, sixth, direct, steps, later);
            move(sum, adjoint, 1, slope);
            move(pull, slope, 2, sixth);
            pull_back(stage + 2, pull, direct, steps, later);
            move(sum, sum, 1, slope);
            move(pull, zero, 0.5f, slope);
            move(pull, pull, 2, sixth);
            pull_back(stage + 1, pull, direct, steps, later);
            move(sum, sum, 1, slope);
            move(pull, sixth, 0.5f, slope);
            pull_back(stage, pull, direct, steps, later);
            move(adjoint, sum, 1, slope);
            for (long r = 0; r < rows; r++) later[r] *= steps[r].decay;
        }
        return adjoint;
    }
};

template <class T>
T* pointer(int64_t address) {
    return reinterpret_cast<T*>(address);
}

}  // namespace

// a: genes, hidden units, rows, steps; start, duration, w1, b1, w2, b2, end, weight; value and the four gradients in
// that order. Returns 0, or 1 without enough memory.
extern "C" int kinetrain_mlp_gradient(const int64_t* a) try {
    long k = a[0], m = a[1], rows = a[2], steps = a[3];
    auto duration = pointer<const float>(a[5]), w1 = pointer<const float>(a[6]), b1 = pointer<const float>(a[7]);
    auto w2 = pointer<const float>(a[8]), b2 = pointer<const float>(a[9]), end = pointer<const float>(a[10]);
    auto weight = pointer<const float>(a[11]);
    Matrix start = Matrix::of(pointer<const float>(a[4]), rows, k), bias2 = Matrix::of(b2, 1, k);
    Matrix first = Matrix::transposed(w1, m, k), second = Matrix::of(w2, k, m), turned2 = Matrix::transposed(w2, k, m);
    Matrix inner(m, m), drive = Matrix::of(b1, 1, m), units(rows, m);
    product(w1, k, 1, second, 0, k, inner.row(0), m, false);
    Matrix turned(m, m);
    for (long i = 0; i < m; i++)
        for (long j = 0; j < m; j++) turned.row(j)[i] = inner.row(i)[j];
    for (long r = 0; r < rows; r++) std::copy_n(drive.row(0), drive.width, units.row(r));
    product(start.row(0), start.width, 1, first, 0, k, units.row(0), rows, true);
    product(b2, 0, 1, first, 0, k, drive.row(0), 1, true);
    Floats scale(rows);
    std::vector<Step> step;
    for (long r = 0; r < rows; r++) {
        scale[r] = duration[r] / float(steps);
        step.emplace_back(scale[r]);
    }
    Solve solve(inner, turned, drive.row(0), scale, steps);
    solve.forward(std::move(units));

    Matrix summed(rows, m), residual(rows, k), direct(rows, m);
    Floats decay(rows, 1);
    for (long stage = solve.stages - 4; stage >= 0; stage -= 4)
        for (long r = 0; r < rows; r++) {
            for (int part = 0; part < 4; part++) {
                const float* value = solve.values.row((stage + part) * rows + r);
                float share = decay[r] * step[r].share[part];
                for (long i = 0; i < summed.width; i += LANES)
                    store(summed.row(r) + i, load(summed.row(r) + i) + share * load(value + i));
            }
            decay[r] *= step[r].decay;
        }
    product(summed.row(0), summed.width, 1, turned2, 0, m, residual.row(0), rows, false);
    double all = 0, squares = 0;
    for (long r = 0; r < rows; r++) all += weight[r];
    for (long r = 0; r < rows; r++) {
        double own = 0;
        float counted = 2 * weight[r] / float(all * double(k));
        for (long g = 0; g < k; g++) {
            float& x = residual.row(r)[g];
            x += decay[r] * start.row(r)[g] + (1 - decay[r]) * b2[g] - end[r * k + g];
            own += double(x) * x;
            x *= counted;
        }
        squares += weight[r] * own;
    }
    *pointer<float>(a[12]) = float(squares / (all * double(k)));
    product(residual.row(0), residual.width, 1, second, 0, k, direct.row(0), rows, false);
    Matrix pulled = solve.backward(direct, step);

    long kept = solve.stages * rows;
    Matrix by_inner(m, m), by_drive(1, m), gradient1(m, k), gradient2(k, m), one(1, 1);
    product(solve.kept.row(0), 1, solve.kept.width, solve.values, 0, kept, by_inner.row(0), m, false);
    one.row(0)[0] = 1;
    product(one.row(0), 0, 0, solve.kept, 0, kept, by_drive.row(0), 1, false);
    product(by_inner.row(0), by_inner.width, 1, turned2, 0, m, gradient1.row(0), m, false);
    product(pulled.row(0), 1, pulled.width, start, 0, rows, gradient1.row(0), m, true);
    product(by_drive.row(0), 1, 0, bias2, 0, 1, gradient1.row(0), m, true);
    gradient1.write(pointer<float>(a[13]));
    product(w1, 1, k, by_inner, 0, m, gradient2.row(0), k, false);
    product(residual.row(0), 1, residual.width, summed, 0, rows, gradient2.row(0), k, true);
    gradient2.write(pointer<float>(a[15]));
    Matrix bias_gradient(1, k);
    for (long i = 0; i < m; i++)
        for (long g = 0; g < k; g++) bias_gradient.row(0)[g] += by_drive.row(0)[i] * w1[i * k + g];
    for (long r = 0; r < rows; r++) {
        for (long g = 0; g < k; g++) bias_gradient.row(0)[g] += (1 - decay[r]) * residual.row(r)[g];
        for (long i = 0; i < m; i++) by_drive.row(0)[i] += pulled.row(r)[i];
    }
    by_drive.write(pointer<float>(a[14]));
    bias_gradient.write(pointer<float>(a[16]));
    return 0;
} catch (...) {
    return 1;
}
