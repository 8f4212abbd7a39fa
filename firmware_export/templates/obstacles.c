/* What the range sensors saw lately: they look four ways, and a pole may stand between two. */

BW_INLINE int @NAME@_within(float value, float bound)
{
    return value <= bound && value >= -bound;
}

BW_NOINLINE void @NAME@_put_place(float east, float north)
{
    int index = 0;
    while (index < @PLACES@) {
        const float *place = @NAME@_context.places_m[index];
        if (@NAME@_within(place[0] - east, @SAME_M@) &&
            @NAME@_within(place[1] - north, @SAME_M@)) {
            break;
        }
        index++;
    }
    if (index == @PLACES@) {
        index = @NAME@_context.oldest_place;
        @NAME@_context.oldest_place = (index + 1) % @PLACES@;
    }
    @NAME@_context.places_m[index][0] = east;
    @NAME@_context.places_m[index][1] = north;
}

BW_NOINLINE void @NAME@_see_places(const float position[3], const float heading[2],
                                   const float free[4])
{
    float east = heading[0], north = heading[1];
    for (int i = 0; i < 4; i++) { /* to the front, left, back and right */
        if (free[i] < @REMEMBER_M@) {
            @NAME@_put_place(position[0] + free[i] * east, position[1] + free[i] * north);
        }
        const float turned = -north;
        north = east;
        east = turned;
    }
}

/* Keep the margin to all that is remembered. */
BW_NOINLINE void @NAME@_hold_back(const float position[3], const float heading[2],
                                  @NAME@_command_t *out)
{
    float forward = out->forward_m_s, left = out->left_m_s;
    for (int i = 0; i < @PLACES@; i++) {
        const float east = @NAME@_context.places_m[i][0] - position[0];
        if (!@NAME@_within(east, @PLACE_REACH_M@)) {
            continue;
        }
        const float north = @NAME@_context.places_m[i][1] - position[1];
        if (!@NAME@_within(north, @PLACE_REACH_M@)) {
            continue;
        }
        const float distance = @NAME@_norm(east, north);
        if (distance < @TINY@) {
            continue;
        }
        const float ahead = (east * heading[0] + north * heading[1]) / distance;
        const float aside = (north * heading[0] - east * heading[1]) / distance;
        const float allowed = @MARGIN_GAIN@ * (distance - @MARGIN_M@);
        const float surplus = forward * ahead + left * aside - allowed;
        if (surplus > 0.0f) {
            forward = forward - surplus * ahead;
            left = left - surplus * aside;
        }
    }
    out->forward_m_s = @NAME@_clamp(forward, -@FASTEST_M_S@, @FASTEST_M_S@);
    out->left_m_s = @NAME@_clamp(left, -@FASTEST_M_S@, @FASTEST_M_S@);
}
