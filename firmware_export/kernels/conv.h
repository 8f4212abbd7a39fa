/* Convolution over (height, width, channels), dense or grouped. */
#ifndef BW_CONV_H
#define BW_CONV_H

#include "dot.h"
#include "window.h"

/* `lanes` output channels at one output pixel, whose first tap is at (top, left).

   The bias already holds the input zero point's share, so a tap outside the image counts as an
   input that equals the zero point (`pad`). Inside, a kernel row is one run of input. */
BW_INLINE void bw_conv_block(bw_window_t s, int channels, int lanes, int is_pixel, int32_t pad,
                             int inside, int top, int left, const int8_t *x, const int8_t *w,
                             int32_t *sum)
{
    const int row_taps = s.kernel_w * channels;
    if (inside && s.dilation_w == 1 && channels == s.in_c) {
        for (int ky = 0; ky < s.kernel_h; ky++) {
            bw_dot(lanes, sum, x + ((top + ky * s.dilation_h) * s.in_w + left) * s.in_c,
                   w + lanes * ky * row_taps, row_taps, is_pixel);
        }
        return;
    }
    for (int ky = 0; ky < s.kernel_h; ky++) {
        for (int kx = 0; kx < s.kernel_w; kx++) {
            const int row = top + ky * s.dilation_h, column = left + kx * s.dilation_w;
            const int8_t *tap = w + lanes * (ky * row_taps + kx * channels);
            if (bw_has_pixel(s, row, column)) {
                bw_dot(lanes, sum, x + (row * s.in_w + column) * s.in_c, tap, channels, is_pixel);
            } else {
                bw_dot_constant(lanes, sum, pad, tap, channels);
            }
        }
    }
}

/* Weights: per group, blocks of four interleaved output channels, then single ones; within a
   block (kernel_h, kernel_w, channels of the group). */
BW_INLINE void bw_conv(bw_window_t s, int groups, int is_pixel, int32_t pad, const int8_t *x,
                       const int8_t *weights, const int32_t *bias, const float *multiplier,
                       int32_t zero_point, int8_t *y)
{
    const int channels = s.in_c / groups, out_channels = s.out_c / groups;
    const int blocks = out_channels / 4;
    const int taps = s.kernel_h * s.kernel_w * channels;
    for (int pixel = 0; pixel < s.out_h * s.out_w; pixel++) {
        const int top = pixel / s.out_w * s.stride_h - s.pad_top;
        const int left = pixel % s.out_w * s.stride_w - s.pad_left;
        const int inside = bw_is_inside(s, top, left);
        for (int group = 0; group < groups; group++) {
            const int8_t *in = x + group * channels;
            int c = group * out_channels;
            for (int block = 0; block < blocks; block++, c += 4) {
                int32_t sum[4] = {bias[c], bias[c + 1], bias[c + 2], bias[c + 3]};
                bw_conv_block(s, channels, 4, is_pixel, pad, inside, top, left, in,
                              weights + c * taps, sum);
                for (int lane = 0; lane < 4; lane++) {
                    y[pixel * s.out_c + c + lane] =
                        bw_requantise(sum[lane], multiplier[c + lane], zero_point);
                }
            }
            for (int single = 4 * blocks; single < out_channels; single++, c++) {
                int32_t sum = bias[c];
                bw_conv_block(s, channels, 1, is_pixel, pad, inside, top, left, in,
                              weights + c * taps, &sum);
                y[pixel * s.out_c + c] = bw_requantise(sum, multiplier[c], zero_point);
            }
        }
    }
}

#endif
