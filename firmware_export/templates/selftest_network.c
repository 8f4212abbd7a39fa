    for (int i = 0; i < @COUNT@; i++) {
        int8_t outputs[@UPPER@_OUTPUT_COUNT];
        @NAME@_infer(@NAME@_golden_frames[i], outputs);
        for (int k = 0; k < @UPPER@_OUTPUT_COUNT; k++) {
            if (outputs[k] != @NAME@_golden_outputs[i][k]) {
                return 3 + i;
            }
        }
    }
