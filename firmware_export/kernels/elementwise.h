/* Layers that look at one value (or one pair) at a time, and layers that only move values. */
#ifndef BW_ELEMENTWISE_H
#define BW_ELEMENTWISE_H

#include "requantise.h"

/* Any function of one int8 value. */
BW_INLINE void bw_table(int size, const int8_t *x, const int8_t table[256], int8_t *y) {
    for (int i = 0; i < size; i++) {
        y[i] = table[x[i] + 128];
    }
}

/* Sum with the scales' ratios, rounded once at each fused multiply-add, as onnxruntime has it. */
BW_INLINE void bw_add(int size, const int8_t *a, const int8_t *b, float ratio_a, float ratio_b,
                      float offset, int8_t *y) {
    for (int i = 0; i < size; i++) {
        const float inner = __builtin_fmaf(ratio_b, (float)b[i], offset);
        y[i] = bw_saturate(bw_round(__builtin_fmaf(ratio_a, (float)a[i], inner)));
    }
}

/* Product; the zero point is added before rounding, as onnxruntime has it. */
BW_INLINE void bw_mul(int size, const int8_t *a, const int8_t *b, int32_t zero_a, int32_t zero_b,
                      float multiplier, float zero_point, int8_t *y) {
    for (int i = 0; i < size; i++) {
        const int32_t product = ((int32_t)a[i] - zero_a) * ((int32_t)b[i] - zero_b);
        y[i] = bw_saturate(bw_round((float)product * multiplier + zero_point));
    }
}

/* One input of a concatenation: `channels` values a pixel, into pixels of `stride` values. */
BW_INLINE void bw_concat(int pixels, int channels, int stride, const int8_t *x, const int8_t *table,
                         int8_t *y) {
    for (int pixel = 0; pixel < pixels; pixel++) {
        for (int c = 0; c < channels; c++) {
            const int8_t value = x[pixel * channels + c];
            y[pixel * stride + c] = table ? table[value + 128] : value;
        }
    }
}

/* (height, width, channels) to (channels, height, width), the order in which ONNX flattens. */
BW_INLINE void bw_flatten(int pixels, int channels, const int8_t *x, int8_t *y) {
    for (int c = 0; c < channels; c++) {
        for (int pixel = 0; pixel < pixels; pixel++) {
            y[c * pixels + pixel] = x[pixel * channels + c];
        }
    }
}

/* One camera plane of uint8, or its mirror image, to int8 activations: one channel of `channels` a
   pixel. */
BW_INLINE void bw_load_plane(int height, int width, int channels, const uint8_t *plane,
                             int mirrored, int8_t *y) {
    const int step = mirrored ? -1 : 1;
    for (int row = 0; row < height; row++) {
        const uint8_t *pixel = plane + row * width + (mirrored ? width - 1 : 0);
        for (int column = 0; column < width; column++) {
            *y = (int8_t)((int32_t)*pixel - 128);
            y += channels;
            pixel += step;
        }
    }
}

#endif
