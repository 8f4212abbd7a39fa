/* The sizes of a layer that slides a window over an image. Calls give literals, and every kernel
   is inlined into its caller, so the compiler sees constants where this struct is read. */
#ifndef BW_WINDOW_H
#define BW_WINDOW_H

#include "requantise.h"

typedef struct {
    int in_h, in_w, in_c;
    int out_h, out_w, out_c;
    int kernel_h, kernel_w;
    int stride_h, stride_w;
    int pad_top, pad_left;
    int dilation_h, dilation_w;
} bw_window_t;

/* Whether `pixels` windows side by side, the first with its first tap at (top, left), lie inside
   the image with all their taps. */
BW_INLINE int bw_is_inside(bw_window_t s, int top, int left, int pixels) {
    const int right = left + (s.kernel_w - 1) * s.dilation_w + (pixels - 1) * s.stride_w;
    return top >= 0 && top + (s.kernel_h - 1) * s.dilation_h < s.in_h && left >= 0 &&
           right < s.in_w;
}

/* Whether one tap lies inside the image. */
BW_INLINE int bw_has_pixel(bw_window_t s, int row, int column) {
    return row >= 0 && row < s.in_h && column >= 0 && column < s.in_w;
}

#endif
