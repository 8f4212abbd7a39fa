/* Fully connected layer. */
#ifndef BW_GEMM_H
#define BW_GEMM_H

#include "dot.h"

/* Weights: pairs of interleaved outputs, then a single one where their number is odd, each over
   all inputs. */
BW_INLINE void bw_gemm(int inputs, int outputs, const int8_t *x, const int8_t *weights,
                       const int32_t *bias, const float *multiplier, int32_t zero_point,
                       int8_t *y) {
    int c = 0;
    for (; c + 2 <= outputs; c += 2) {
        int32_t sum[2] = {bias[c], bias[c + 1]};
        bw_dot(2, sum, x, weights + c * inputs, inputs, 0);
        y[c] = bw_requantise(sum[0], multiplier[c], zero_point);
        y[c + 1] = bw_requantise(sum[1], multiplier[c + 1], zero_point);
    }
    if (outputs % 2) {
        int32_t sum = bias[c];
        bw_dot(1, &sum, x, weights + c * inputs, inputs, 0);
        y[c] = bw_requantise(sum, multiplier[c], zero_point);
    }
}

#endif
