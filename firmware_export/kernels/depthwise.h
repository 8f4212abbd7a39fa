/* Depthwise convolution: one kernel a channel, over (height, width, channels).

   The bias already holds the input zero point's share of every tap, so a tap outside the image
   must read the zero point: `outside` is a pixel of it, or null where there is no padding. */
#ifndef BW_DEPTHWISE_H
#define BW_DEPTHWISE_H

#include "window.h"

/* Two neighbouring pixels (or one) whose taps all lie inside the image: the taps that their
   windows share are loaded once. */
BW_INLINE void bw_depthwise_inside(bw_window_t s, int pixels, const int8_t *corner,
                                   const int8_t *weights, const int32_t *bias,
                                   const float *multiplier, int32_t zero_point, int8_t *out) {
    for (int c = 0; c < s.in_c; c++) {
        int32_t first = bias[c], second = bias[c];
        for (int ky = 0; ky < s.kernel_h; ky++) {
            for (int kx = 0; kx < s.kernel_w; kx++) {
                const int tap = (ky * s.dilation_h * s.in_w + kx * s.dilation_w) * s.in_c + c;
                const int32_t w = weights[(ky * s.kernel_w + kx) * s.in_c + c];
                first += w * (int32_t)corner[tap];
                if (pixels == 2) {
                    second += w * (int32_t)corner[tap + s.stride_w * s.in_c];
                }
            }
        }
        out[c] = bw_requantise(first, multiplier[c], zero_point);
        if (pixels == 2) {
            out[s.in_c + c] = bw_requantise(second, multiplier[c], zero_point);
        }
    }
}

/* One pixel anywhere; `taps` has room for a pointer per tap. */
BW_INLINE void bw_depthwise_edge(bw_window_t s, int top, int left, const int8_t *x,
                                 const int8_t *outside, const int8_t **taps, const int8_t *weights,
                                 const int32_t *bias, const float *multiplier, int32_t zero_point,
                                 int8_t *out) {
    for (int ky = 0; ky < s.kernel_h; ky++) {
        for (int kx = 0; kx < s.kernel_w; kx++) {
            const int row = top + ky * s.dilation_h, column = left + kx * s.dilation_w;
            taps[ky * s.kernel_w + kx] =
                bw_has_pixel(s, row, column) ? x + (row * s.in_w + column) * s.in_c : outside;
        }
    }
    for (int c = 0; c < s.in_c; c++) {
        int32_t sum = bias[c];
        for (int tap = 0; tap < s.kernel_h * s.kernel_w; tap++) {
            sum += (int32_t)weights[tap * s.in_c + c] * (int32_t)taps[tap][c];
        }
        out[c] = bw_requantise(sum, multiplier[c], zero_point);
    }
}

/* Weights: (kernel_h, kernel_w, channels). */
BW_INLINE void bw_depthwise(bw_window_t s, const int8_t *outside, const int8_t **taps,
                            const int8_t *x, const int8_t *weights, const int32_t *bias,
                            const float *multiplier, int32_t zero_point, int8_t *y) {
    int pixels = 1; /* done at a time */
    for (int oy = 0; oy < s.out_h; oy++) {
        const int top = oy * s.stride_h - s.pad_top;
        for (int ox = 0; ox < s.out_w; ox += pixels) {
            const int left = ox * s.stride_w - s.pad_left;
            const int corner = (top * s.in_w + left) * s.in_c;
            int8_t *out = y + (oy * s.out_w + ox) * s.out_c;
            pixels = 1;
            if (outside && !bw_is_inside(s, top, left, 1)) {
                bw_depthwise_edge(s, top, left, x, outside, taps, weights, bias, multiplier,
                                  zero_point, out);
            } else if (ox + 1 < s.out_w && (!outside || bw_is_inside(s, top, left, 2))) {
                pixels = 2;
                bw_depthwise_inside(s, 2, x + corner, weights, bias, multiplier, zero_point, out);
            } else {
                bw_depthwise_inside(s, 1, x + corner, weights, bias, multiplier, zero_point, out);
            }
        }
    }
}

#endif
