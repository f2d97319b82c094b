// Vectors of the compiler, the exponential, and a product whose result stays in registers, for both kernels.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

// LANES: numbers per vector; TILE: vectors of a tile of a product, as many as registers allow.
#if defined(__AVX512F__)
#define LANES 16
#define TILE 6
#elif defined(__AVX__)
#define LANES 8
#define TILE 3
#elif defined(__aarch64__)
#define LANES 4
#define TILE 5
#else
#define LANES 4
#define TILE 2
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

// The product for a tile of r rows and v vectors: PRODUCT<r, v>.
#define OF_WIDTH(product, r, v)                                                                                       \
    (v == 1   ? product<r, 1>                                                                                         \
     : v == 2 ? product<r, 2>                                                                                         \
     : v == 3 ? product<r, std::min(3, TILE)>                                                                         \
     : v == 4 ? product<r, std::min(4, TILE)>                                                                         \
     : v == 5 ? product<r, std::min(5, TILE)>                                                                         \
              : product<r, std::min(6, TILE)>)
#define FOR_TILE(product, r, v)                                                                                       \
    (r == 1   ? OF_WIDTH(product, 1, v)                                                                               \
     : r == 2 ? OF_WIDTH(product, 2, v)                                                                               \
     : r == 3 ? OF_WIDTH(product, 3, v)                                                                               \
              : OF_WIDTH(product, 4, v))

INLINE int block(long rows, long done) { return int(std::min<long>(ROWS, rows - done)); }

}  // namespace
