static void @NAME@_network(const uint8_t *const planes[@UPPER@_FRAME_CHANNELS], int mirrored,
                           int8_t outputs[@UPPER@_OUTPUT_COUNT])
{
@CALLS@
}

void @NAME@_infer(const uint8_t frames[@UPPER@_FRAME_CHANNELS * @UPPER@_FRAME_BYTES],
                  int8_t outputs[@UPPER@_OUTPUT_COUNT])
{
    const uint8_t *planes[@UPPER@_FRAME_CHANNELS];
    for (int c = 0; c < @UPPER@_FRAME_CHANNELS; c++) {
        planes[c] = frames + c * @UPPER@_FRAME_BYTES;
    }
    @NAME@_network(planes, 0, outputs);
}
