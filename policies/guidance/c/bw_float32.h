/* Float32 arithmetic that gives the same bits on every computer: sums, products, quotients and
   comparisons in a fixed order, and nothing of a library. */
#ifndef BW_FLOAT32_H
#define BW_FLOAT32_H

#include <stdint.h>

/* A product and a sum fused into one rounding would be another number. Build with
   -ffp-contract=off and never with -ffast-math; these lines only help where that was forgotten. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC optimize("fp-contract=off")
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A vector shorter than this has no direction. */
#define BW_LENGTH_MIN 1e-6f

/* The value within bounds; NaN becomes the lowest. */
static inline float bw_clamp(float value, float lowest, float highest) {
    value = value > lowest ? value : lowest;
    return value < highest ? value : highest;
}

static inline void bw_clamp_each(const float *values, int32_t count, float lowest, float highest,
                                 float *clamped) {
    for (int32_t i = 0; i < count; i++) {
        clamped[i] = bw_clamp(values[i], lowest, highest);
    }
}

static inline float bw_absolute(float value) {
    return value < 0.0f ? -value : value;
}

/* 1 / sqrt(square) for a square in 1..9. */
float bw_inverse_root(float square);

/* The length of a plane vector; 0 where it has no direction. */
float bw_norm(float x, float y);

/* A body vector in the world, turned by the quaternion q (x, y, z, w). */
void bw_rotate(const float q[4], const float body[3], float world[3]);

/* The level unit vector (east, north) to the front; east for a drone on its side. */
void bw_heading(const float q[4], float heading[2]);

#ifdef __cplusplus
}
#endif

#endif
