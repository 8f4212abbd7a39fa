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
@INFER@
uint32_t @NAME@_weights_crc32(void)
{
    uint32_t crc = 0;
@CRC@
    return crc;
}
@GUIDANCE@
