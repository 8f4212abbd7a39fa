
/* ---- What the network sees, and guidance: float32, as in the simulator, in the same order ---- */

@FLOAT32@
/* Take in a reading of the wind; up becomes the unit vector upwind, west in still air. Return the
   mean wind's speed. */
BW_NOINLINE float @NAME@_turn_vane(const float reading[2], float up[2])
{
    float *wind = @NAME@_context.wind;
    for (int i = 0; i < 2; i++) {
        wind[i] = @NAME@_context.started ? wind[i] + @WIND_SMOOTHING@ * (reading[i] - wind[i])
                                         : reading[i];
    }
    const float speed = @NAME@_norm(wind[0], wind[1]);
    up[0] = speed < @TINY@ ? -1.0f : -wind[0] / speed;
    up[1] = speed < @TINY@ ? 0.0f : -wind[1] / speed;
    return speed;
}

/* Add a column to the picture: the newest on the right. */
BW_NOINLINE void @NAME@_add_column(float gas, const float wind[2], const float at[2],
                                   const float up[2], float speed)
{
    uint8_t *picture = @NAME@_context.picture;
    float *last = @NAME@_context.last;
    const float *mean = @NAME@_context.wind;
    const float change = gas - last[0];
    const float bound = gas + (change < 0.0f ? @RISE@ : @FALL@) * change;
    const float east = (at[0] - last[1]) * @PER_S@;
    const float north = (at[1] - last[2]) * @PER_S@;
    const float gust = (wind[1] - mean[1]) * up[0] - (wind[0] - mean[0]) * up[1];
    const float shares[@UPPER@_FRAME_HEIGHT] = {
        1.0f - gas,
        (@BOUND_HIGH@ - bound) * @BOUND_SCALE@,
        (north * up[0] - east * up[1]) * @SPEED_SCALE@ + 0.5f,
        (east * up[0] + north * up[1]) * @SPEED_SCALE@ + 0.5f,
        gust * @GUST_SCALE@ + 0.5f,
        speed * @WIND_SCALE@,
    };
    last[0] = gas;
    last[1] = at[0];
    last[2] = at[1];
    for (int row = 0; row < @UPPER@_FRAME_HEIGHT; row++) {
        uint8_t *cells = picture + row * @UPPER@_FRAME_WIDTH;
        const float share = @NAME@_clamp(shares[row], 0.0f, 1.0f);
        const uint8_t cell = (uint8_t)(int32_t)(share * 255.0f + 0.5f);
        for (int k = 0; k + 1 < @UPPER@_FRAME_WIDTH; k++) {
            cells[k] = @NAME@_context.started ? cells[k + 1] : cell;
        }
        cells[@UPPER@_FRAME_WIDTH - 1] = cell;
    }
}

/* Bring the picture up to date; up becomes the unit vector upwind. */
BW_NOINLINE void @NAME@_smell(const @NAME@_senses_t *senses, float up[2])
{
    float *sum = @NAME@_context.sum;
    float *last = @NAME@_context.last;
    float wind[2], at[2];
    float gas = @NAME@_clamp(senses->gas_resistance, 0.0f, @GAS_MAX@);
    for (int i = 0; i < 2; i++) {
        wind[i] = @NAME@_clamp(senses->wind_m_s[i], -@WIND_MAX_M_S@, @WIND_MAX_M_S@);
        at[i] = @NAME@_clamp(senses->position_m[i], -@POSITION_MAX_M@, @POSITION_MAX_M@);
    }
    const float speed = @NAME@_turn_vane(wind, up);
    if (!@NAME@_context.started) {
        last[0] = gas;
        last[1] = at[0];
        last[2] = at[1];
        @NAME@_add_column(gas, wind, at, up, speed);
        @NAME@_context.started = 1;
        return;
    }
    sum[0] = sum[0] + gas;
    sum[1] = sum[1] + wind[0];
    sum[2] = sum[2] + wind[1];
    if (++@NAME@_context.count < @COLUMN_STEPS@) {
        return;
    }
    const float share = 1.0f / (float)@COLUMN_STEPS@;
    gas = sum[0] * share;
    wind[0] = sum[1] * share;
    wind[1] = sum[2] * share;
    @NAME@_add_column(gas, wind, at, up, speed);
    @NAME@_context.count = 0;
    for (int i = 0; i < 3; i++) {
        sum[i] = 0.0f;
    }
}

/* A speed along one axis of the world that does not lead out of the area. */
BW_INLINE float @NAME@_within(float speed, float at, float low, float high)
{
    const float lowest = @NAME@_clamp(@EDGE_GAIN@ * (low - at), -@SPEED_M_S@, 0.0f);
    const float highest = @NAME@_clamp(@EDGE_GAIN@ * (high - at), 0.0f, @SPEED_M_S@);
    return @NAME@_clamp(speed, lowest, highest);
}

/* A speed along one axis of the body that the room before and behind allows. */
BW_INLINE float @NAME@_free(float speed, float before_m, float behind_m)
{
    const float lowest = -@NAME@_clamp(@EDGE_GAIN@ * (behind_m - @MARGIN_M@), 0.0f, @SPEED_M_S@);
    const float highest = @NAME@_clamp(@EDGE_GAIN@ * (before_m - @MARGIN_M@), 0.0f, @SPEED_M_S@);
    return @NAME@_clamp(speed, lowest, highest);
}

/* Begin to cast, towards the side where the source is said to be. */
BW_INLINE void @NAME@_lose(float side)
{
    if (side > @SIDE_AT@) {
        @NAME@_context.side = 1.0f;
    } else if (side < -@SIDE_AT@) {
        @NAME@_context.side = -1.0f;
    }
    @NAME@_context.leg = @LEG_FIRST_M@;
    @NAME@_context.gone = 0.0f;
}

/* Turn round at the end of a leg, and at the area's edge. */
BW_NOINLINE void @NAME@_cast(const float at[2], const float across[2])
{
    const float *low = @NAME@_context.low;
    const float *high = @NAME@_context.high;
    int outside = 0;
    @NAME@_context.gone = @NAME@_context.gone + @STRIDE_M@;
    const float ahead = @NAME@_context.side * @EDGE_M@;
    for (int i = 0; i < 2; i++) {
        const float there = at[i] + ahead * across[i];
        outside |= !(low[i] <= there && there <= high[i]);
    }
    if (@NAME@_context.gone >= @NAME@_context.leg ||
        (outside && @NAME@_context.gone >= @LEG_LEAST_M@)) {
        const float longer = @NAME@_context.leg + @LEG_GROWTH_M@;
        @NAME@_context.side = -@NAME@_context.side;
        @NAME@_context.gone = 0.0f;
        @NAME@_context.leg = longer < @LEG_LONGEST_M@ ? longer : @LEG_LONGEST_M@;
    }
}

BW_NOINLINE void @NAME@_guide(float gas, float side, const float up[2],
                              const @NAME@_senses_t *senses, @NAME@_command_t *out)
{
    float position[3], attitude[4], free[4], heading[2];
    for (int i = 0; i < 3; i++) {
        position[i] = @NAME@_clamp(senses->position_m[i], -@POSITION_MAX_M@, @POSITION_MAX_M@);
    }
    for (int i = 0; i < 4; i++) {
        attitude[i] = @NAME@_clamp(senses->quaternion_xyzw[i], -1.0f, 1.0f);
        free[i] = @NAME@_clamp(senses->range_m[i], 0.0f, @RANGE_MAX_M@);
    }

    const float across[2] = {-up[1], up[0]};
    const int surged = @NAME@_context.since < @SURGE_STEPS@;
    float east, north;
    if (gas > @GAS_AT@) {
        @NAME@_context.since = 0;
    } else if (surged) {
        @NAME@_context.since++;
    }
    if (@NAME@_context.since < @SURGE_STEPS@) {
        const float aside = @NAME@_clamp(@SIDE_GAIN@ * side, -1.0f, 1.0f);
        east = up[0] + aside * across[0];
        north = up[1] + aside * across[1];
    } else {
        if (surged) {
            @NAME@_lose(side);
        }
        @NAME@_cast(position, across);
        east = @NAME@_context.side * across[0] + @CAST_UPWIND@ * up[0];
        north = @NAME@_context.side * across[1] + @CAST_UPWIND@ * up[1];
    }
    east = @SPEED_M_S@ * east;
    north = @SPEED_M_S@ * north;
    const float speed = @NAME@_norm(east, north);
    if (speed > @SPEED_M_S@) {
        const float share = @SPEED_M_S@ / speed;
        east = east * share;
        north = north * share;
    }
    east = @NAME@_within(east, position[0], @NAME@_context.low[0], @NAME@_context.high[0]);
    north = @NAME@_within(north, position[1], @NAME@_context.low[1], @NAME@_context.high[1]);

    @NAME@_heading(attitude, heading);
    const float forward = east * heading[0] + north * heading[1];
    const float left = north * heading[0] - east * heading[1];
    const float climb = @CLIMB_GAIN@ * (@NAME@_context.height - position[2]);
    out->forward_m_s = @NAME@_free(forward, free[0], free[2]);
    out->left_m_s = @NAME@_free(left, free[1], free[3]);
    out->climb_m_s = @NAME@_clamp(climb, -@CLIMB_MAX_M_S@, @CLIMB_MAX_M_S@);
    out->yaw_rate_rad_s = 0.0f;
}

void @NAME@_reset(const float (*route)[5], int32_t waypoints)
{
    @NAME@_context.area = waypoints >= 2;
    for (int i = 0; i < 2; i++) {
        @NAME@_context.low[i] = @NAME@_context.area ? route[0][i] : 0.0f;
        @NAME@_context.high[i] = @NAME@_context.area ? route[1][i] : 0.0f;
    }
    @NAME@_context.height = @NAME@_context.area ? route[0][2] : 0.0f;
    @NAME@_context.started = 0;
    @NAME@_context.count = 0;
    @NAME@_context.since = @SURGE_STEPS@;
    for (int i = 0; i < 3; i++) {
        @NAME@_context.sum[i] = 0.0f;
    }
    @NAME@_context.side = 1.0f;
    @NAME@_context.leg = @LEG_FIRST_M@;
    @NAME@_context.gone = 0.0f;
    for (int i = 0; i < @UPPER@_OUTPUT_COUNT; i++) {
        @NAME@_context.outputs[i] = 0;
    }
}

void @NAME@_step(const @NAME@_senses_t *senses, @NAME@_command_t *out)
{
    const int8_t *outputs = @NAME@_context.outputs;
    float up[2];
    @NAME@_smell(senses, up);
    @NAME@_infer(@NAME@_context.picture, @NAME@_context.outputs);

    float gas = (float)((int32_t)outputs[@GAS@] - @GAS_ZERO@) * @GAS_SCALE@;
    float side = (float)((int32_t)outputs[@SIDE@] - @SIDE_ZERO@) * @SIDE_SCALE@;
    gas = @NAME@_clamp(gas, 0.0f, 1.0f);
    side = @NAME@_clamp(side, -1.0f, 1.0f);
    if (!@NAME@_context.area) { /* nowhere to search */
        out->forward_m_s = 0.0f;
        out->left_m_s = 0.0f;
        out->climb_m_s = 0.0f;
        out->yaw_rate_rad_s = 0.0f;
        return;
    }
    @NAME@_guide(gas, side, up, senses, out);
}

const int8_t *@NAME@_outputs(void)
{
    return @NAME@_context.outputs;
}
