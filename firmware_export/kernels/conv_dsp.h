/* Dense or grouped convolution for cores with the DSP extension.

   For a row of the output, the rows of the input that it looks at are widened into a strip of
   int16 that includes the padding: two taps to a word, no edges. The weights lie as `dot.h` has
   them: one word, c0k0 c1k0 c0k1 c1k1, gives the pairs of two taps for both channels. Two channels
   at four pixels are as many sums as a Cortex-M keeps in registers. */
#ifndef BW_CONV_DSP_H
#define BW_CONV_DSP_H

#include "dsp.h"
#include "window.h"

/* `count` values to int16. */
BW_INLINE void bw_widen(int count, int is_pixel, const int8_t *x, int8_t *wide) {
    int k = 0;
    BW_UNROLL
    for (; k + 4 <= count; k += 4) {
        const uint32_t word = bw_word(x + k);
        const uint32_t even = is_pixel ? bw_even_pixels(word) : bw_even_bytes(word);
        const uint32_t odd = is_pixel ? bw_even_pixels(word >> 8) : bw_odd_bytes(word);
        bw_put_word(wide + 2 * k, (even & 0xFFFFu) | odd << 16);
        bw_put_word(wide + 2 * k + 4, even >> 16 | (odd & 0xFFFF0000u));
    }
    for (; k < count; k++) {
        bw_put_half(wide + 2 * k, is_pixel ? (int32_t)(uint8_t)x[k] : (int32_t)x[k]);
    }
}

/* One value, many times, as int16. */
BW_INLINE void bw_fill(int count, int32_t value, int8_t *wide) {
    int k = 0;
    for (; k + 2 <= count; k += 2) {
        bw_put_word(wide + 2 * k, bw_pair(value, value));
    }
    if (k < count) {
        bw_put_half(wide + 2 * k, value);
    }
}

/* The strip for the windows whose first row is `top`. */
BW_INLINE void bw_conv_widen(bw_window_t s, int width, int is_pixel, int32_t outside, int top,
                             const int8_t *x, int8_t *strip) {
    const int size = width * s.in_c, row_size = s.in_w * s.in_c;
    const int left = s.pad_left < width ? s.pad_left * s.in_c : size;
    const int inner = size - left < row_size ? size - left : row_size;
    for (int ky = 0; ky < s.kernel_h; ky++, strip += 2 * size) {
        const int row = top + ky * s.dilation_h;
        if (row < 0 || row >= s.in_h) {
            bw_fill(size, outside, strip);
        } else {
            bw_fill(left, outside, strip);
            bw_widen(inner, is_pixel, x + row * row_size, strip + 2 * left);
            bw_fill(size - left - inner, outside, strip + 2 * (left + inner));
        }
    }
}

/* Two channels at four pixels `step` values apart, over `rows` rows of `count` taps that lie
   `pitch` values apart: sum[2 * pixel + channel].

   In assembly, since all registers are taken and compilers spill in the inner loop; counters are on
   the stack. Loads stand side by side, where they cost less. Compilers must not keep a frame
   pointer (zig wants -fomit-frame-pointer), and need optimisation to see literals. */
#if BW_HAS_DSP && defined(__OPTIMIZE__)
#define BW_DSP_ASSEMBLY 1

/* Two taps. */
#define BW_PAIR                                                                                    \
    "ldr %[t0], [%[w]], #4\n\t"                                                                    \
    "ldr %[t2], [%[x]], #4\n\t"                                                                    \
    "ldr %[t3], [%[x], %[step1]]\n\t"                                                              \
    "sxtb16 %[t1], %[t0], ror #8\n\t"                                                              \
    "sxtb16 %[t0], %[t0]\n\t"                                                                      \
    "smlad %[s0], %[t2], %[t0], %[s0]\n\t"                                                         \
    "smlad %[s1], %[t2], %[t1], %[s1]\n\t"                                                         \
    "smlad %[s2], %[t3], %[t0], %[s2]\n\t"                                                         \
    "smlad %[s3], %[t3], %[t1], %[s3]\n\t"                                                         \
    "ldr %[t2], [%[x], %[step2]]\n\t"                                                              \
    "ldr %[t3], [%[x], %[step3]]\n\t"                                                              \
    "smlad %[s4], %[t2], %[t0], %[s4]\n\t"                                                         \
    "smlad %[s5], %[t2], %[t1], %[s5]\n\t"                                                         \
    "smlad %[s6], %[t3], %[t0], %[s6]\n\t"                                                         \
    "smlad %[s7], %[t3], %[t1], %[s7]\n\t"

/* One tap, the last of an odd number. */
#define BW_TAP                                                                                     \
    "ldrsb %[t0], [%[w]], #1\n\t"                                                                  \
    "ldrsb %[t1], [%[w]], #1\n\t"                                                                  \
    "ldrsh %[t2], [%[x]], #4\n\t"                                                                  \
    "ldrsh %[t3], [%[x], %[step1]]\n\t"                                                            \
    "mla %[s0], %[t2], %[t0], %[s0]\n\t"                                                           \
    "mla %[s1], %[t2], %[t1], %[s1]\n\t"                                                           \
    "mla %[s2], %[t3], %[t0], %[s2]\n\t"                                                           \
    "mla %[s3], %[t3], %[t1], %[s3]\n\t"                                                           \
    "ldrsh %[t2], [%[x], %[step2]]\n\t"                                                            \
    "ldrsh %[t3], [%[x], %[step3]]\n\t"                                                            \
    "mla %[s4], %[t2], %[t0], %[s4]\n\t"                                                           \
    "mla %[s5], %[t2], %[t1], %[s5]\n\t"                                                           \
    "mla %[s6], %[t3], %[t0], %[s6]\n\t"                                                           \
    "mla %[s7], %[t3], %[t1], %[s7]\n\t"                                                           \
    "subs %[x], %[x], #2\n\t"

#define BW_LOOP(PAIRS)                                                                             \
    "add %[t0], %[w], %[row_bytes]\n\t"                                                            \
    "push {%[t0]}\n"                                                                               \
    "2:\n\t" PAIRS "ldr %[t0], [sp]\n\t"                                                           \
    "cmp %[w], %[t0]\n\t"                                                                          \
    "bne 2b\n\t"                                                                                   \
    "add sp, sp, #4\n\t"

#define BW_FOUR(ROW)                                                                               \
    __asm__ volatile(                                                                              \
        "movw %[t0], %[rows]\n\t"                                                                  \
        "push {%[t0]}\n"                                                                           \
        "1:\n\t" ROW "add %[x], %[x], %[jump]\n\t"                                                 \
        "ldr %[t0], [sp]\n\t"                                                                      \
        "subs %[t0], %[t0], #1\n\t"                                                                \
        "str %[t0], [sp]\n\t"                                                                      \
        "bne 1b\n\t"                                                                               \
        "add sp, sp, #4"                                                                           \
        : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [s4] "+r"(s4),               \
          [s5] "+r"(s5), [s6] "+r"(s6), [s7] "+r"(s7), [x] "+r"(x), [w] "+r"(w), [t0] "=&r"(t0),   \
          [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3)                                           \
        : [step1] "i"(2 * step - 4), [step2] "i"(4 * step - 4), [step3] "i"(6 * step - 4),         \
          [rows] "i"(rows), [row_bytes] "i"(4 * pairs), [jump] "i"(2 * (pitch - count))            \
        : "memory", "cc")

#define BW_UNROLLED(TAP)                                                                           \
    if (pairs == 1) {                                                                              \
        BW_FOUR(BW_PAIR TAP);                                                                      \
    } else if (pairs == 2) {                                                                       \
        BW_FOUR(BW_PAIR BW_PAIR TAP);                                                              \
    } else if (pairs == 3) {                                                                       \
        BW_FOUR(BW_PAIR BW_PAIR BW_PAIR TAP);                                                      \
    } else if (pairs % 8 == 0) {                                                                   \
        BW_FOUR(BW_LOOP(BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR) TAP);     \
    } else if (pairs % 6 == 0) {                                                                   \
        BW_FOUR(BW_LOOP(BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR BW_PAIR) TAP);                     \
    } else if (pairs % 4 == 0) {                                                                   \
        BW_FOUR(BW_LOOP(BW_PAIR BW_PAIR BW_PAIR BW_PAIR) TAP);                                     \
    } else if (pairs % 2 == 0) {                                                                   \
        BW_FOUR(BW_LOOP(BW_PAIR BW_PAIR) TAP);                                                     \
    } else if (pairs % 3 == 0) {                                                                   \
        BW_FOUR(BW_LOOP(BW_PAIR BW_PAIR BW_PAIR) TAP);                                             \
    } else {                                                                                       \
        BW_FOUR(BW_LOOP(BW_PAIR) TAP);                                                             \
    }

BW_INLINE void bw_dot_four(int32_t sum[8], const int8_t *x, int step, int pitch, const int8_t *w,
                           int rows, int count) {
    const int pairs = count / 2;
    int32_t s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    int32_t s4 = sum[4], s5 = sum[5], s6 = sum[6], s7 = sum[7];
    uint32_t t0, t1, t2, t3;
    if (count % 2) {
        BW_UNROLLED(BW_TAP)
    } else {
        BW_UNROLLED("")
    }
    sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
    sum[4] = s4, sum[5] = s5, sum[6] = s6, sum[7] = s7;
}
#else
#define BW_DSP_ASSEMBLY 0
#endif

/* The same at up to four pixels, and in plain C. */
BW_INLINE void bw_dot_block(int pixels, int32_t sum[8], const int8_t *x, int step, int pitch,
                            const int8_t *w, int rows, int count) {
#if BW_DSP_ASSEMBLY
    const int jump = 2 * (pitch - count);
    if (pixels == 4 && count >= 2 && 6 * step < 4096 && jump >= 0 && jump < 4096 && count < 2048) {
        bw_dot_four(sum, x, step, pitch, w, rows, count);
        return;
    }
#endif
    for (int row = 0; row < rows; row++, x += 2 * pitch, w += 2 * count) {
        BW_UNROLL
        for (int k = 0; k + 2 <= count; k += 2) {
            const uint32_t word = bw_word(w + 2 * k);
            const uint32_t w0 = bw_even_bytes(word), w1 = bw_odd_bytes(word);
            for (int pixel = 0; pixel < pixels; pixel++) {
                const uint32_t taps = bw_word(x + 2 * (k + pixel * step));
                sum[2 * pixel] = bw_smlad(taps, w0, sum[2 * pixel]);
                sum[2 * pixel + 1] = bw_smlad(taps, w1, sum[2 * pixel + 1]);
            }
        }
        for (int pixel = 0; count % 2 && pixel < pixels; pixel++) {
            const int32_t tap = bw_half(x + 2 * (count - 1 + pixel * step));
            sum[2 * pixel] += tap * (int32_t)w[2 * count - 2];
            sum[2 * pixel + 1] += tap * (int32_t)w[2 * count - 1];
        }
    }
}

/* One channel at one pixel. */
BW_INLINE int32_t bw_dot_wide(int32_t sum, const int8_t *x, int pitch, const int8_t *w, int rows,
                              int count) {
    for (int row = 0; row < rows; row++, x += 2 * pitch, w += count) {
        for (int k = 0; k < count; k++) {
            sum += bw_half(x + 2 * k) * (int32_t)w[k];
        }
    }
    return sum;
}

/* As `bw_conv`, but for `outside`: the value of a tap outside the image. `strip` has room for the
   rows of a window, padded, as int16. */
BW_INLINE void bw_conv_dsp(bw_window_t s, int groups, int is_pixel, int32_t outside, int8_t *strip,
                           const int8_t *x, const int8_t *weights, const int32_t *bias,
                           const float *multiplier, int32_t zero_point, int8_t *y) {
    const int channels = s.in_c / groups, out_channels = s.out_c / groups;
    const int is_run = s.dilation_w == 1 && channels == s.in_c; /* a kernel row is contiguous */
    const int parts = is_run ? 1 : s.kernel_h, rows = is_run ? s.kernel_h : s.kernel_w;
    const int count = is_run ? s.kernel_w * channels : channels;
    const int width = (s.out_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w + 1;
    const int pitch = is_run ? width * s.in_c : s.dilation_w * s.in_c;
    const int step = s.stride_w * s.in_c;
    const int pixels = s.out_w < 4 ? s.out_w : 4; /* done at a time */
    for (int oy = 0; oy < s.out_h; oy++) {
        bw_conv_widen(s, width, is_pixel, outside, oy * s.stride_h - s.pad_top, x, strip);
        for (int next = 0; next < s.out_w; next += pixels) {
            /* The last pixels are done with those before them, some of them twice. */
            const int ox = next + pixels <= s.out_w ? next : s.out_w - pixels;
            int8_t *out = y + (oy * s.out_w + ox) * s.out_c;
            for (int group = 0; group < groups; group++) {
                const int8_t *corner = strip + 2 * (ox * step + group * channels);
                int c = group * out_channels;
                for (int block = 0; block < out_channels / 2; block++, c += 2) {
                    int32_t sum[8];
                    for (int pixel = 0; pixel < pixels; pixel++) {
                        sum[2 * pixel] = bias[c];
                        sum[2 * pixel + 1] = bias[c + 1];
                    }
                    for (int part = 0; part < parts; part++) {
                        bw_dot_block(pixels, sum, corner + 2 * part * width * s.in_c, step, pitch,
                                     weights + (c * parts + 2 * part) * rows * count, rows, count);
                    }
                    for (int pixel = 0; pixel < pixels; pixel++) {
                        int8_t *to = out + pixel * s.out_c + c;
                        to[0] = bw_requantise(sum[2 * pixel], multiplier[c], zero_point);
                        to[1] = bw_requantise(sum[2 * pixel + 1], multiplier[c + 1], zero_point);
                    }
                }
                for (int pixel = 0; out_channels % 2 && pixel < pixels; pixel++) {
                    int32_t sum = bias[c];
                    for (int part = 0; part < parts; part++) {
                        const int8_t *from = corner + 2 * (part * width * s.in_c + pixel * step);
                        sum = bw_dot_wide(sum, from, pitch,
                                          weights + (c * parts + part) * rows * count, rows, count);
                    }
                    out[pixel * s.out_c + c] = bw_requantise(sum, multiplier[c], zero_point);
                }
            }
        }
    }
}

#endif
