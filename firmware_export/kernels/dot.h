/* Sums of products: the inner loops of convolutions and fully connected layers.

   Weights of four output channels lie interleaved (c0k0 c1k0 c2k0 c3k0 c0k1 ...), so that each
   input value is loaded once for four products and one pointer walks all weights. Channels that
   are left over when their number is divided by four are done one by one. */
#ifndef BW_DOT_H
#define BW_DOT_H

#include "requantise.h"

/* An input value: an int8 activation, or a camera pixel, which is uint8. */
BW_INLINE int32_t bw_load(const int8_t *x, int is_pixel)
{
    return is_pixel ? (int32_t)(uint8_t)*x : (int32_t)*x;
}

/* sum[lane] += x . w[lane], for 1 or 4 lanes. */
BW_INLINE void bw_dot(int lanes, int32_t *sum, const int8_t *x, const int8_t *w, int count,
                      int is_pixel)
{
    for (int k = 0; k < count; k++) {
        const int32_t value = bw_load(x + k, is_pixel);
        sum[0] += value * (int32_t)w[lanes * k];
        if (lanes == 4) {
            sum[1] += value * (int32_t)w[lanes * k + 1];
            sum[2] += value * (int32_t)w[lanes * k + 2];
            sum[3] += value * (int32_t)w[lanes * k + 3];
        }
    }
}

/* The same where every input is `value`. */
BW_INLINE void bw_dot_constant(int lanes, int32_t *sum, int32_t value, const int8_t *w, int count)
{
    for (int k = 0; k < lanes * count; k++) {
        sum[k % lanes] += value * (int32_t)w[k];
    }
}

#endif
