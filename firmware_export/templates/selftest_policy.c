    @RESET@;
    for (int i = 0; i < @COUNT@; i++) {
        @NAME@_command_t command;
@STEP@
        uint32_t bits[@ANSWER_SIZE@];
        __builtin_memcpy(bits, &command, sizeof bits);
        int differs = 0;
        for (int k = 0; k < @UPPER@_OUTPUT_COUNT; k++) {
            differs |= @NAME@_outputs()[k] != @NAME@_golden_outputs[i][k];
        }
        for (int k = 0; k < @ANSWER_SIZE@; k++) {
            differs |= bits[k] != @NAME@_golden_commands[i][k];
        }
        if (differs) {
            @RESET_AFTER@;
            return 3 + i;
        }
    }
    @RESET_AFTER@;
