
/* ---- Guidance: float32, the same operations in the same order as in the simulator ---------- */

BW_INLINE float @NAME@_clamp(float value, float lowest, float highest)
{
    value = lowest > value ? lowest : value;
    return highest < value ? highest : value;
}

void @NAME@_reset(void)
{
    @NAME@_context.steering = 0.0f;
    @NAME@_context.collision = 0.0f;@RESET_HISTORY@
    for (int i = 0; i < @UPPER@_OUTPUT_COUNT; i++) {
        @NAME@_context.outputs[i] = 0;
    }
}

void @NAME@_step(const uint8_t frame[@UPPER@_FRAME_BYTES], @NAME@_command_t *out)
{
    const int8_t *outputs = @NAME@_context.outputs;
    @SEE@;

    float steering = (float)((int32_t)outputs[@STEERING@] - @STEERING_ZERO@) * @STEERING_SCALE@;
    float collision = (float)((int32_t)outputs[@COLLISION@] - @COLLISION_ZERO@) * @COLLISION_SCALE@;
    steering = @NAME@_clamp(steering, -1.0f, 1.0f);
    collision = @NAME@_clamp(collision, 0.0f, 1.0f);

    /* Low-pass: y += a * (x - y). */
    steering = @NAME@_context.steering +
               @STEERING_SMOOTHING@ * (steering - @NAME@_context.steering);
    collision = @NAME@_context.collision +
                @COLLISION_SMOOTHING@ * (collision - @NAME@_context.collision);
    @NAME@_context.steering = steering;
    @NAME@_context.collision = collision;

    /* Full speed up to @COLLISION_GO_TEXT@, standing still from @COLLISION_STOP_TEXT@ on. */
    const float freedom =
        @NAME@_clamp((@COLLISION_STOP@ - collision) * @SPEED_SLOPE@, 0.0f, 1.0f);
    out->forward_m_s = @SPEED_MAX_M_S@ * freedom;
    out->left_m_s = 0.0f;
    out->climb_m_s = 0.0f;
    out->yaw_rate_rad_s = @YAW_RATE_MAX_RAD_S@ * steering;
}

const int8_t *@NAME@_outputs(void)
{
    return @NAME@_context.outputs;
}
