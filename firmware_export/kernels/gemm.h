/* Fully connected layer. */
#ifndef BW_GEMM_H
#define BW_GEMM_H

#include "dot.h"

/* Weights: blocks of four interleaved outputs, then single ones, each over all inputs. */
BW_INLINE void bw_gemm(int inputs, int outputs, const int8_t *x, const int8_t *weights,
                       const int32_t *bias, const float *multiplier, int32_t zero_point, int8_t *y)
{
    const int blocked = outputs / 4 * 4;
    for (int c = 0; c < blocked; c += 4) {
        int32_t sum[4] = {bias[c], bias[c + 1], bias[c + 2], bias[c + 3]};
        bw_dot(4, sum, x, weights + c * inputs, inputs, 0);
        for (int lane = 0; lane < 4; lane++) {
            y[c + lane] = bw_requantise(sum[lane], multiplier[c + lane], zero_point);
        }
    }
    for (int c = blocked; c < outputs; c++) {
        int32_t sum = bias[c];
        bw_dot(1, &sum, x, weights + c * inputs, inputs, 0);
        y[c] = bw_requantise(sum, multiplier[c], zero_point);
    }
}

#endif
