/* Sums of products: the inner loops of convolutions and fully connected layers.

   Weights of two output channels lie interleaved (c0k0 c1k0 c0k1 c1k1 ...), so that each input
   value is loaded once for two products and one pointer walks all weights. Two channels at two
   pixels are as many sums as a Cortex-M keeps in registers. */
#ifndef BW_DOT_H
#define BW_DOT_H

#include "requantise.h"

/* An input value: an int8 activation, or a camera pixel, which is uint8. */
BW_INLINE int32_t bw_load(const int8_t *x, int is_pixel) {
    return is_pixel ? (int32_t)(uint8_t)*x : (int32_t)*x;
}

/* sum[lane] += x . w[lane], for 1 or 2 lanes. */
BW_INLINE void bw_dot(int lanes, int32_t *sum, const int8_t *x, const int8_t *w, int count,
                      int is_pixel) {
    for (int k = 0; k < count; k++) {
        const int32_t value = bw_load(x + k, is_pixel);
        sum[0] += value * (int32_t)w[lanes * k];
        if (lanes == 2) {
            sum[1] += value * (int32_t)w[lanes * k + 1];
        }
    }
}

/* Two lanes at two inputs, `step` apart: sum[0], sum[1] for the first, sum[2], sum[3] for the
   second. */
BW_INLINE void bw_dot_pair(int32_t sum[4], const int8_t *x, int step, const int8_t *w, int count,
                           int is_pixel) {
    for (int k = 0; k < count; k++) {
        const int32_t w0 = w[2 * k], w1 = w[2 * k + 1];
        const int32_t x0 = bw_load(x + k, is_pixel), x1 = bw_load(x + step + k, is_pixel);
        sum[0] += x0 * w0;
        sum[1] += x0 * w1;
        sum[2] += x1 * w0;
        sum[3] += x1 * w1;
    }
}

#endif
