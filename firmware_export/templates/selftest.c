@BANNER@
#include "@NAME@.h"

@KERNELS@
/* Frames in flight order, from a reset on, with the exact answers to them. */
static const uint8_t @NAME@_golden_frames[@COUNT@][@FRAME_SIZE@] = {
@FRAMES@
};

static const int8_t @NAME@_golden_outputs[@COUNT@][@UPPER@_OUTPUT_COUNT] = {
@OUTPUTS@
};
@ANSWERS@
int @NAME@_selftest(void)
{
    uint32_t crc = 0;
    if (@NAME@_weights_crc32() != @WEIGHTS_CRC@) {
        return 1;
    }
@CRC@
    if (crc != @GOLDEN_CRC@) {
        return 2;
    }
@STEPS@
    return 0;
}
