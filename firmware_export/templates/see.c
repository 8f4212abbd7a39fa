
/* The network on this frame and on those @STRIDE@ before one another, which are kept here in a ring,
   or on their mirror images. */
static void @NAME@_see(const uint8_t *frame, int mirrored, int8_t outputs[@UPPER@_OUTPUT_COUNT])
{
    const uint8_t *planes[@UPPER@_FRAME_CHANNELS];
    int32_t oldest = @NAME@_context.oldest;
    if (oldest < 0) { /* the first frame of a flight stands in for those before it */
        oldest = 0;
        for (int i = 0; i < @HISTORY@; i++) {
            for (int k = 0; k < @UPPER@_FRAME_BYTES; k++) {
                @NAME@_context.history[i][k] = frame[k];
            }
        }
    }
    for (int c = 0; c < @UPPER@_FRAME_CHANNELS - 1; c++) {
        planes[c] = @NAME@_context.history[(oldest + c * @STRIDE@) % @HISTORY@];
    }
    planes[@UPPER@_FRAME_CHANNELS - 1] = frame;
    @NAME@_network(planes, mirrored, outputs);
    for (int k = 0; k < @UPPER@_FRAME_BYTES; k++) {
        @NAME@_context.history[oldest][k] = frame[k];
    }
    @NAME@_context.oldest = (oldest + 1) % @HISTORY@;
}
