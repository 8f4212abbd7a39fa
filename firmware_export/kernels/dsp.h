/* Two multiply-accumulates at once, as the DSP extension of a Cortex-M4, M7 or M33 does them.

   BW_DSP says whether convolutions are built of them. Elsewhere it is 0: those cores and hosts do
   better with plain loops. With -DBW_DSP=1 any machine runs the DSP loops, on the plain C below. */
#ifndef BW_DSP_H
#define BW_DSP_H

#include "requantise.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define BW_HAS_DSP 1
#else
#define BW_HAS_DSP 0
#endif
#ifndef BW_DSP
#define BW_DSP BW_HAS_DSP
#endif

/* Before a loop of few instructions. */
#if defined(__clang__)
#define BW_UNROLL _Pragma("clang loop unroll_count(4)")
#elif defined(__GNUC__)
#define BW_UNROLL _Pragma("GCC unroll 4")
#else
#define BW_UNROLL
#endif

/* Four bytes, or two halfwords, from any address. */
BW_INLINE uint32_t bw_word(const int8_t *p) {
    uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return word;
}

BW_INLINE int32_t bw_half(const int8_t *p) {
    int16_t half;
    __builtin_memcpy(&half, p, sizeof half);
    return half;
}

BW_INLINE void bw_put_word(int8_t *p, uint32_t word) {
    __builtin_memcpy(p, &word, sizeof word);
}

BW_INLINE void bw_put_half(int8_t *p, int32_t value) {
    const int16_t half = (int16_t)value;
    __builtin_memcpy(p, &half, sizeof half);
}

/* Two halfwords in a word. */
BW_INLINE uint32_t bw_pair(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

/* sum + the products of both halfwords. */
BW_INLINE int32_t bw_smlad(uint32_t a, uint32_t b, int32_t sum) {
#if BW_HAS_DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (int32_t)(int16_t)a * (int32_t)(int16_t)b +
           (int32_t)(int16_t)(a >> 16) * (int32_t)(int16_t)(b >> 16);
#endif
}

/* Bytes 0 and 2 as signed halfwords. */
BW_INLINE uint32_t bw_even_bytes(uint32_t word) {
#if BW_HAS_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
#else
    return bw_pair((int8_t)word, (int8_t)(word >> 16));
#endif
}

/* Bytes 1 and 3 as signed halfwords. */
BW_INLINE uint32_t bw_odd_bytes(uint32_t word) {
#if BW_HAS_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
#else
    return bw_pair((int8_t)(word >> 8), (int8_t)(word >> 24));
#endif
}

/* Bytes 0 and 2 as unsigned halfwords; bytes 1 and 3 with a word shifted down by 8. */
BW_INLINE uint32_t bw_even_pixels(uint32_t word) {
    return word & 0x00FF00FFu;
}

#endif
