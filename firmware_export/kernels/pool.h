/* Pooling over (height, width, channels). */
#ifndef BW_POOL_H
#define BW_POOL_H

#include "window.h"

BW_INLINE void bw_max_pool(bw_window_t s, const int8_t *x, int8_t *y) {
    for (int pixel = 0; pixel < s.out_h * s.out_w; pixel++) {
        const int top = pixel / s.out_w * s.stride_h - s.pad_top;
        const int left = pixel % s.out_w * s.stride_w - s.pad_left;
        for (int c = 0; c < s.in_c; c++) {
            int8_t largest = -128;
            for (int ky = 0; ky < s.kernel_h; ky++) {
                for (int kx = 0; kx < s.kernel_w; kx++) {
                    const int row = top + ky * s.dilation_h, column = left + kx * s.dilation_w;
                    if (bw_has_pixel(s, row, column)) {
                        const int8_t value = x[(row * s.in_w + column) * s.in_c + c];
                        largest = value > largest ? value : largest;
                    }
                }
            }
            y[pixel * s.out_c + c] = largest;
        }
    }
}

/* Mean as onnxruntime forms it: dequantised values summed in float32, row by row. */
BW_INLINE void bw_average_pool(bw_window_t s, int count_pads, const int8_t *x, int32_t zero_x,
                               float scale_x, float scale_y, float zero_y, int8_t *y) {
    for (int pixel = 0; pixel < s.out_h * s.out_w; pixel++) {
        const int top = pixel / s.out_w * s.stride_h - s.pad_top;
        const int left = pixel % s.out_w * s.stride_w - s.pad_left;
        for (int c = 0; c < s.in_c; c++) {
            float sum = 0.0f;
            int32_t count = 0;
            for (int ky = 0; ky < s.kernel_h; ky++) {
                for (int kx = 0; kx < s.kernel_w; kx++) {
                    const int row = top + ky, column = left + kx;
                    if (bw_has_pixel(s, row, column)) {
                        const int8_t value = x[(row * s.in_w + column) * s.in_c + c];
                        sum += (float)((int32_t)value - zero_x) * scale_x;
                        count++;
                    }
                }
            }
            count = count_pads ? s.kernel_h * s.kernel_w : count;
            y[pixel * s.out_c + c] = bw_saturate(bw_round(sum / (float)count / scale_y + zero_y));
        }
    }
}

BW_INLINE void bw_global_average_pool(int pixels, int channels, const int8_t *x, int32_t zero_x,
                                      float multiplier, int32_t zero_point, int8_t *y) {
    for (int c = 0; c < channels; c++) {
        int32_t sum = -pixels * zero_x;
        for (int pixel = 0; pixel < pixels; pixel++) {
            sum += (int32_t)x[pixel * channels + c];
        }
        y[c] = bw_requantise(sum, multiplier, zero_point);
    }
}

#endif
