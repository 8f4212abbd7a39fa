@BANNER@
#ifndef @UPPER@_H
#define @UPPER@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A camera frame: rows from the top, each from the left; one byte a pixel. The network takes
   @UPPER@_FRAME_CHANNELS of them, oldest first. */
#define @UPPER@_FRAME_CHANNELS @CHANNELS@
#define @UPPER@_FRAME_HEIGHT @HEIGHT@
#define @UPPER@_FRAME_WIDTH @WIDTH@
#define @UPPER@_FRAME_BYTES @FRAME_BYTES@

/* Raw outputs q mean (q - zero point) * scale. */
#define @UPPER@_OUTPUT_COUNT @OUTPUT_COUNT@
@OUTPUT_MACROS@
/* Bytes of static memory that all layers share, frames not included. */
#define @UPPER@_ARENA_BYTES @ARENA_BYTES@

/* Run the network alone: the raw outputs, in the order above. */
void @NAME@_infer(const uint8_t @INPUT@, int8_t outputs[@UPPER@_OUTPUT_COUNT]);
@GUIDANCE@
/* CRC-32 of all weights and constants as they lie in memory (little-endian). */
uint32_t @NAME@_weights_crc32(void);

/* Check weights and golden vectors (@NAME@_selftest.c): 0 where this device computes what flew,
   1 where weights differ, 2 where the golden vectors do, 3 + i where golden frame i has another
   answer. Leaves the policy as after a reset. */
int @NAME@_selftest(void);

#ifdef __cplusplus
}
#endif

#endif
