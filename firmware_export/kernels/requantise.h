/* Requantisation and table look-up: what every layer ends with. */
#ifndef BW_REQUANTISE_H
#define BW_REQUANTISE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BW_INLINE static inline __attribute__((always_inline, unused))
#define BW_NOINLINE static __attribute__((noinline))
#else
#define BW_INLINE static inline
#define BW_NOINLINE static
#endif

/* A product and a sum fused into one rounding would be another number. Build with
   -ffp-contract=off; these lines only help where that was forgotten. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC optimize("fp-contract=off")
#endif

BW_INLINE int8_t bw_saturate(int32_t value) {
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    /* One instruction; compilers merge the comparisons below with what precedes them and miss it.
     */
    int32_t saturated;
    __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(value));
    return (int8_t)saturated;
#else
    value = value < -128 ? -128 : value;
    value = value > 127 ? 127 : value;
    return (int8_t)value;
#endif
}

/* Round half to even: 1.5 * 2^23 leaves no bits for a fraction in a float32 and puts the integer
   into the low bits of its pattern. Exact for |value| < 2^22, which the exporter has checked. */
BW_INLINE int32_t bw_round(float value) {
    const float shifted = value + 12582912.0f;
    int32_t bits;
    __builtin_memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}

/* int32 sum to int8: one float32 multiplication, round, add the zero point, saturate. */
BW_INLINE int8_t bw_requantise(int32_t sum, float multiplier, int32_t zero_point) {
    return bw_saturate(bw_round((float)sum * multiplier) + zero_point);
}

#endif
