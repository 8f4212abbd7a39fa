@BANNER@
/* Build with -ffp-contract=off and never with -ffast-math: the arithmetic is exact as written. */
#include "@NAME@.h"
#include "@NAME@_weights.h"

@KERNELS@
/* ---- The network ------------------------------------------------------------------------- */

/* Everything this policy remembers. */
static struct {
@FIELDS@
    int8_t arena[@UPPER@_ARENA_BYTES];
} @NAME@_context;

@LAYERS@
void @NAME@_infer(const uint8_t frame[@UPPER@_FRAME_BYTES], int8_t outputs[@UPPER@_OUTPUT_COUNT])
{
@CALLS@
}

uint32_t @NAME@_weights_crc32(void)
{
    uint32_t crc = 0;
@CRC@
    return crc;
}
@GUIDANCE@
