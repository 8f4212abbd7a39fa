/* Convolution over (height, width, channels), dense or grouped.

   The bias already holds the input zero point's share of every tap, so a tap outside the image
   must read the zero point: `outside` is a pixel of it, or null where there is no padding. */
#ifndef BW_CONV_H
#define BW_CONV_H

#include "conv_dsp.h"
#include "dot.h"
#include "window.h"

/* Two output channels at two neighbouring pixels whose taps all lie inside the image. */
BW_INLINE void bw_conv_pair(bw_window_t s, int channels, int is_pixel, const int8_t *corner,
                            const int8_t *w, int32_t sum[4]) {
    const int is_run = s.dilation_w == 1 && channels == s.in_c; /* a kernel row is contiguous */
    const int runs = is_run ? 1 : s.kernel_w;
    const int length = is_run ? s.kernel_w * channels : channels;
    for (int ky = 0; ky < s.kernel_h; ky++) {
        for (int run = 0; run < runs; run++) {
            const int tap = (ky * s.dilation_h * s.in_w + run * s.dilation_w) * s.in_c;
            bw_dot_pair(sum, corner + tap, s.stride_w * s.in_c, w + 2 * (ky * runs + run) * length,
                        length, is_pixel);
        }
    }
}

/* One or two output channels (`lanes`) at one pixel anywhere. */
BW_INLINE void bw_conv_single(bw_window_t s, int channels, int lanes, int is_pixel, int top,
                              int left, const int8_t *x, const int8_t *outside, const int8_t *w,
                              int32_t *sum) {
    for (int ky = 0; ky < s.kernel_h; ky++) {
        for (int kx = 0; kx < s.kernel_w; kx++) {
            const int row = top + ky * s.dilation_h, column = left + kx * s.dilation_w;
            const int8_t *in = outside;
            if (!outside || bw_has_pixel(s, row, column)) {
                in = x + (row * s.in_w + column) * s.in_c;
            }
            bw_dot(lanes, sum, in, w + lanes * (ky * s.kernel_w + kx) * channels, channels,
                   is_pixel);
        }
    }
}

/* Weights: per group, pairs of interleaved output channels, then a single one where their number
   is odd; within a pair (kernel_h, kernel_w, channels of the group). */
BW_INLINE void bw_conv(bw_window_t s, int groups, int is_pixel, const int8_t *outside,
                       int8_t *strip, const int8_t *x, const int8_t *weights, const int32_t *bias,
                       const float *multiplier, int32_t zero_point, int8_t *y) {
#if BW_DSP
    bw_conv_dsp(s, groups, is_pixel, outside ? outside[0] : 0, strip, x, weights, bias, multiplier,
                zero_point, y);
#else
    (void)strip;
    const int channels = s.in_c / groups, out_channels = s.out_c / groups;
    const int taps = s.kernel_h * s.kernel_w * channels;
    int pixels = 1; /* done at a time */
    for (int oy = 0; oy < s.out_h; oy++) {
        const int top = oy * s.stride_h - s.pad_top;
        for (int ox = 0; ox < s.out_w; ox += pixels) {
            const int left = ox * s.stride_w - s.pad_left;
            int8_t *out = y + (oy * s.out_w + ox) * s.out_c;
            pixels = ox + 1 < s.out_w && (!outside || bw_is_inside(s, top, left, 2)) ? 2 : 1;
            for (int group = 0; group < groups; group++) {
                const int8_t *in = x + group * channels;
                int c = group * out_channels;
                for (int pair = 0; pair < out_channels / 2; pair++, c += 2) {
                    const int8_t *w = weights + c * taps;
                    int32_t sum[4] = {bias[c], bias[c + 1], bias[c], bias[c + 1]};
                    if (pixels == 2) {
                        bw_conv_pair(s, channels, is_pixel, in + (top * s.in_w + left) * s.in_c, w,
                                     sum);
                        out[s.out_c + c] = bw_requantise(sum[2], multiplier[c], zero_point);
                        out[s.out_c + c + 1] = bw_requantise(sum[3], multiplier[c + 1], zero_point);
                    } else {
                        bw_conv_single(s, channels, 2, is_pixel, top, left, in, outside, w, sum);
                    }
                    out[c] = bw_requantise(sum[0], multiplier[c], zero_point);
                    out[c + 1] = bw_requantise(sum[1], multiplier[c + 1], zero_point);
                }
                if (out_channels % 2) {
                    for (int pixel = 0; pixel < pixels; pixel++) {
                        int32_t sum = bias[c];
                        bw_conv_single(s, channels, 1, is_pixel, top, left + pixel * s.stride_w, in,
                                       outside, weights + c * taps, &sum);
                        out[pixel * s.out_c + c] = bw_requantise(sum, multiplier[c], zero_point);
                    }
                }
            }
        }
    }
#endif
}

#endif
