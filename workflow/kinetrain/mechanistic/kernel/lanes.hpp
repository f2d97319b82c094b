// Lanes: LANES numbers that one instruction computes with, and functions of them, from the compiler's vector types.
//
// exp, log and pow are our own: those of the C library exist for some platforms only. Their relative error is below
// 1e-15 (pow: times the logarithm of the result). Numbers below 1e-307 are 0 to exp.

#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline, unused))
#define RESTRICT __restrict

typedef double V __attribute__((vector_size(8 * LANES)));
typedef int64_t M __attribute__((vector_size(8 * LANES)));  // of a comparison: -1 where true, else 0

INLINE V spread(double a) { return a - V{}; }
INLINE V spread(V a) { return a; }
// The same, kept in a register where there are enough.
INLINE V held(double a) {
    V v = spread(a);
#if defined(__AVX512F__)
    asm("" : "+v"(v));
#endif
    return v;
}
INLINE double lane(const V& v, int l) { return ((const double*)&v)[l]; }
INLINE void put(V& v, int l, double a) { ((double*)&v)[l] = a; }
INLINE V choose(M m, V a, V b) { return m ? a : b; }
INLINE V larger(V a, V b) { return a > b ? a : b; }
INLINE V smaller(V a, V b) { return a < b ? a : b; }
INLINE V magnitude(V a) { return (V)((M)a & 0x7fffffffffffffff); }
INLINE bool any(M m) {
#if defined(__AVX512DQ__)
    return _mm512_movepi64_mask((__m512i)m) != 0;
#elif defined(__AVX__)
    return _mm256_movemask_pd((__m256d)m) != 0;
#else
    int64_t found = 0;
    for (int l = 0; l < LANES; l++) found |= m[l];
    return found != 0;
#endif
}
INLINE double sum(V v) {
    double total = 0;
    for (int l = 0; l < LANES; l++) total += v[l];
    return total;
}

// Division: by AVX-512 a reciprocal of 14 bits and Newton's method take a third of the time. Rounding may differ in the
// last digit.
INLINE V vdiv(V a, V b) {
#if defined(__AVX512F__)
    const V guess = (V)_mm512_rcp14_pd((__m512d)b);
    V r = guess + guess * (1.0 - b * guess);
    r = r + r * (1.0 - b * r);
    const V q = a * r, result = q + r * (a - b * q);
    return choose(result == result, result, a * guess);  // by zero or infinity
#else
    return a / b;
#endif
}

NOINLINE static V vexp(V x) {
    const V big = spread(0x1.8p52);
    const V shifted = x * 1.4426950408889634 + big, k = shifted - big;
    const V r = (x - k * 0x1.62e42fefa3800p-1) - k * 0x1.ef35793c76730p-45;
    const V r2 = r * r, r4 = r2 * r2;  // Taylor's series to the 13th power: |r| < 0.35
    const V a = (1.0 + r) + r2 * (0.5 + r * (1 / 6.));
    const V b = (1 / 24. + r * (1 / 120.)) + r2 * (1 / 720. + r * (1 / 5040.));
    const V c = (1 / 40320. + r * (1 / 362880.)) + r2 * (1 / 3628800. + r * (1 / 39916800.));
    const V d = 1 / 479001600. + r * (1 / 6227020800.);
    const V p = a + r4 * (b + r4 * (c + r4 * d));
    const M exponent = ((M)shifted - (M)big + 1022) << 52;
    const V result = p * (V)exponent * 2.0;
    return choose(x > 709.782712893384, spread(INFINITY), choose(x < -708.0, spread(0.0), result));
}

NOINLINE static V vlog(V x) {
    const M tiny = x < 0x1p-1022;
    const V scaled = choose(tiny, x * 0x1p54, x);
    const M raw = (M)scaled;
    V e = (V)(((raw >> 52) & 0x7ff) | 0x4330000000000000) - (0x1p52 + 1023.0);
    V m = (V)((raw & 0x000fffffffffffff) | 0x3ff0000000000000);
    const M upper = m > 1.4142135623730951;
    m = choose(upper, m * 0.5, m);
    e = e + choose(upper, spread(1.0), spread(0.0)) - choose(tiny, spread(54.0), spread(0.0));
    const V f = m - 1.0, s = vdiv(f, 2.0 + f), z = s * s, half = 0.5 * f * f;  // the series of fdlibm
    const V r = z * (6.666666666666735130e-01 + z * (3.999999999940941908e-01 + z * (2.857142874366239149e-01 +
                z * (2.222219843214978396e-01 + z * (1.818357216161805012e-01 + z * (1.531383769920937332e-01 +
                z * 1.479819860511658591e-01))))));
    const V result = e * 6.93147180369123816490e-01 -
                     ((half - (s * (half + r) + e * 1.90821492927058770002e-10)) - f);
    const V special = choose(x == 0.0, spread(-INFINITY), choose(x == INFINITY, x, spread(NAN)));
    return choose((x > 0.0) & (x < INFINITY), result, special);
}

// The logarithm in derivatives of a power a^b by b, where 0^b log(0) is 0. A state that should not be negative can be so
// by as much as its error, which must not spoil the derivative: its size counts.
INLINE V vlog0(V x) { return choose(x == 0.0, spread(0.0), vlog(magnitude(x))); }

INLINE M is_whole(V x) {
    const V big = spread(0x1.8p52);
    return ((x + big) - big == x) | (magnitude(x) > 0x1p51);
}

NOINLINE static V vpow(V a, V b) {
    const V result = vexp(b * vlog(magnitude(a)));
    const V negative = choose(is_whole(b), choose(is_whole(0.5 * b), result, -result), spread(NAN));
    return choose(b == 0.0, spread(1.0), choose(a < 0.0, negative, result));
}

INLINE V vsqrt(V x) {
    V r;
    for (int l = 0; l < LANES; l++) r[l] = __builtin_sqrt(x[l]);
    return r;
}
#define LANE_BY_LANE(name)                                        \
    NOINLINE static V v##name(V x) {                              \
        V r;                                                      \
        for (int l = 0; l < LANES; l++) r[l] = std::name(x[l]);   \
        return r;                                                 \
    }
LANE_BY_LANE(sin)
LANE_BY_LANE(cos)
LANE_BY_LANE(tan)
LANE_BY_LANE(asin)
LANE_BY_LANE(acos)
LANE_BY_LANE(atan)
LANE_BY_LANE(sinh)
LANE_BY_LANE(cosh)
LANE_BY_LANE(tanh)

INLINE V vlt(V a, V b) { return choose(a < b, spread(1.0), spread(0.0)); }
INLINE V vle(V a, V b) { return choose(a <= b, spread(1.0), spread(0.0)); }
INLINE V vwhere(V condition, V a, V b) { return choose(condition != 0.0, a, b); }
