    @NAME@_reset();
    for (int i = 0; i < @COUNT@; i++) {
        @NAME@_command_t command;
        @NAME@_step(@NAME@_golden_frames[i], &command);
        const float values[4] = {command.forward_m_s, command.left_m_s, command.climb_m_s,
                                 command.yaw_rate_rad_s};
        int differs = 0;
        for (int k = 0; k < @UPPER@_OUTPUT_COUNT; k++) {
            differs |= @NAME@_outputs()[k] != @NAME@_golden_outputs[i][k];
        }
        for (int k = 0; k < 4; k++) {
            uint32_t bits;
            __builtin_memcpy(&bits, &values[k], sizeof bits);
            differs |= bits != @NAME@_golden_commands[i][k];
        }
        if (differs) {
            @NAME@_reset();
            return 3 + i;
        }
    }
    @NAME@_reset();
