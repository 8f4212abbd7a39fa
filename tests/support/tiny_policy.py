"""A hand-written policy in C with the interface of the exported ones, for the tests of verify/.

A 3 x 3 convolution over 16 x 16, strided by 2, to 4 channels; a fully connected layer to 2 outputs;
guidance in float32. Weights come from a fixed generator.
"""

from __future__ import annotations

import numpy as np

from bytewing.firmware_export.interface import PolicyInterface
from bytewing.policies.guidance.registry import GUIDANCES

FRAME_SHAPE = (1, 16, 16)
INTERFACE = PolicyInterface(
    "tiny",
    output_count=2,
    frame_bytes=256,
    kind=GUIDANCES.find("road"),
    takes_frames=True,
    takes_senses=False,
    takes_route=False,
)
ENTRIES = ("tiny_reset", "tiny_step", "tiny_outputs", "tiny_selftest")

HEADER = """\
#include <stddef.h>
#include <stdint.h>
typedef struct { float forward_m_s, left_m_s, climb_m_s, yaw_rate_rad_s; } tiny_command_t;
void tiny_reset(void);
int tiny_step(const uint8_t frame[256], tiny_command_t *out);
void tiny_infer(const uint8_t frame[256], int8_t outputs[2]);
const int8_t *tiny_outputs(void);
int tiny_selftest(void);
"""

SOURCE = """\
#include "tiny.h"
#include "tiny_weights.h"

static struct { float steering; int8_t outputs[2]; int8_t arena[8 * 8 * 4]; } context;

static int8_t requantise(int32_t acc, float multiplier, int32_t zero_point)
{
    float value = (float)acc * multiplier;
    int32_t rounded;
    value = value < -1000.0f ? -1000.0f : value > 1000.0f ? 1000.0f : value;
    rounded = (int32_t)((value + 12582912.0f) - 12582912.0f) + zero_point;
    return (int8_t)(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

__attribute__((noinline)) static void tiny_layer00_conv(const uint8_t *frame, int8_t *out)
{
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            for (int c = 0; c < 4; c++) {
                int32_t acc = tiny_bias0[c];
                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++) {
                        int yy = 2 * y + i - 1, xx = 2 * x + j - 1;
                        if (yy >= 0 && xx >= 0)
                            acc += frame[yy * 16 + xx] * tiny_weights0[(c * 3 + i) * 3 + j];
                    }
                out[(y * 8 + x) * 4 + c] = requantise(acc, tiny_multiplier0[c], -128);
            }
}

__attribute__((noinline)) static void tiny_layer01_gemm(const int8_t *in, int8_t *out)
{
    for (int k = 0; k < 2; k++) {
        int32_t acc = tiny_bias1[k];
        for (int i = 0; i < 256; i++)
            acc += (in[i] + 128) * tiny_weights1[k * 256 + i];
        out[k] = requantise(acc, tiny_multiplier1[k], 3);
    }
}

void tiny_infer(const uint8_t frame[256], int8_t outputs[2])
{
    tiny_layer00_conv(frame, context.arena);
    tiny_layer01_gemm(context.arena, outputs);
}

void tiny_reset(void) { context.steering = 0.0f; }
const int8_t *tiny_outputs(void) { return context.outputs; }

int tiny_step(const uint8_t frame[256], tiny_command_t *out)
{
    tiny_infer(frame, context.outputs);
    context.steering += 0.3f * ((float)context.outputs[0] * 0.0078f - context.steering);
    out->forward_m_s = 1.0f / (1.5f + (float)context.outputs[1] * 0.01f);
    out->left_m_s = 0.0f;
    out->climb_m_s = 0.0f;
    out->yaw_rate_rad_s = context.steering * 1.7f;
    return 0;
}

int tiny_selftest(void) { return tiny_weights1[0] == TINY_FIRST_WEIGHT ? 0 : 1; }
"""


def sources(seed: int = 7) -> dict[str, str]:
    rng = np.random.default_rng(seed)

    def array(kind: str, name: str, values: np.ndarray, suffix: str = "") -> str:
        numbers = ", ".join(f"{value}{suffix}" for value in values.ravel())
        return f"static const {kind} {name}[{values.size}] = {{{numbers}}};"

    weights1 = rng.integers(-127, 128, 512)
    return {
        "tiny.h": HEADER,
        "tiny_weights.h": "\n".join(
            [
                array("int8_t", "tiny_weights0", rng.integers(-127, 128, 36)),
                array("int32_t", "tiny_bias0", rng.integers(-3000, 3000, 4)),
                array("float", "tiny_multiplier0", rng.uniform(1e-3, 5e-3, 4), "f"),
                array("int8_t", "tiny_weights1", weights1),
                array("int32_t", "tiny_bias1", rng.integers(-3000, 3000, 2)),
                array("float", "tiny_multiplier1", rng.uniform(5e-4, 1e-3, 2), "f"),
                f"#define TINY_FIRST_WEIGHT {weights1[0]}",
            ]
        ),
        "tiny.c": SOURCE,
    }


def frames(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *FRAME_SHAPE), dtype=np.uint8)
