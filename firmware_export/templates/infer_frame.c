void @NAME@_infer(const uint8_t frame[@UPPER@_FRAME_BYTES], int8_t outputs[@UPPER@_OUTPUT_COUNT])
{
@CALLS@
}
