/* Depthwise convolution: one kernel a channel, over (height, width, channels). */
#ifndef BW_DEPTHWISE_H
#define BW_DEPTHWISE_H

#include "window.h"

/* One output pixel, whose first tap is at (top, left). Taps outside the image count as inputs that
   equal the zero point (`pad`), since the bias holds the zero point's share of every tap. */
BW_INLINE void bw_depthwise_pixel(bw_window_t s, int32_t pad, int inside, int top, int left,
                                  const int8_t *x, const int8_t *weights, const int32_t *bias,
                                  const float *multiplier, int32_t zero_point, int8_t *y)
{
    const int8_t *corner = x + (top * s.in_w + left) * s.in_c;
    for (int c = 0; c < s.in_c; c++) {
        int32_t sum = bias[c];
        for (int ky = 0; ky < s.kernel_h; ky++) {
            for (int kx = 0; kx < s.kernel_w; kx++) {
                const int row = ky * s.dilation_h, column = kx * s.dilation_w;
                const int32_t w = weights[(ky * s.kernel_w + kx) * s.in_c + c];
                if (inside || bw_has_pixel(s, top + row, left + column)) {
                    sum += w * (int32_t)corner[(row * s.in_w + column) * s.in_c + c];
                } else {
                    sum += w * pad;
                }
            }
        }
        y[c] = bw_requantise(sum, multiplier[c], zero_point);
    }
}

/* Weights: (kernel_h, kernel_w, channels). */
BW_INLINE void bw_depthwise(bw_window_t s, int32_t pad, const int8_t *x, const int8_t *weights,
                            const int32_t *bias, const float *multiplier, int32_t zero_point,
                            int8_t *y)
{
    for (int pixel = 0; pixel < s.out_h * s.out_w; pixel++) {
        const int top = pixel / s.out_w * s.stride_h - s.pad_top;
        const int left = pixel % s.out_w * s.stride_w - s.pad_left;
        int8_t *out = y + pixel * s.out_c;
        if (bw_is_inside(s, top, left)) {
            bw_depthwise_pixel(s, pad, 1, top, left, x, weights, bias, multiplier, zero_point, out);
        } else {
            bw_depthwise_pixel(s, pad, 0, top, left, x, weights, bias, multiplier, zero_point, out);
        }
    }
}

#endif
