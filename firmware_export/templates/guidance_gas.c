
/* ---- Guidance: float32, the same operations in the same order as in the simulator ---------- */

enum {
    @UPPER@_PATROL = 0,
    @UPPER@_CONFIRM = 1,
    @UPPER@_APPROACH = 2,
    @UPPER@_HOVER = 3,
    @UPPER@_REPORTED = 4,
    @UPPER@_NOTHING = 5
};

@FLOAT32@
/* Whether the wind blows to the left of where the drone faces. The network is then given the
   picture's mirror image, so that all plumes drift to its right. */
BW_NOINLINE int @NAME@_blows_left(const @NAME@_senses_t *senses)
{
    float q[4];
    for (int i = 0; i < 4; i++) {
        q[i] = @NAME@_clamp(senses->quaternion_xyzw[i], -1.0f, 1.0f);
    }
    const float east = @NAME@_clamp(senses->wind_m_s[0], -@WIND_MAX_M_S@, @WIND_MAX_M_S@);
    const float north = @NAME@_clamp(senses->wind_m_s[1], -@WIND_MAX_M_S@, @WIND_MAX_M_S@);
    const float ahead_east = 1.0f - 2.0f * (q[1] * q[1] + q[2] * q[2]);
    const float ahead_north = 2.0f * (q[0] * q[1] + q[2] * q[3]);
    return north * ahead_east - east * ahead_north > 0.0f;
}

/* What a map says: gas 0 to 1, the leak's place left and up of the picture's middle, over half the
   picture, and whether that is at its edge. */
typedef struct {
    float gas, left, up;
    int at_edge;
} @NAME@_sight_t;

/* The strongest four cells that touch: what they add up to, and their centre of mass. */
BW_NOINLINE @NAME@_sight_t @NAME@_read_map(const int8_t *cells)
{
    @NAME@_sight_t sight = {0.0f, 0.0f, 0.0f, 0};
    float value[@MAP_ROWS@ * @MAP_COLUMNS@], gas = 0.0f;
    int row = 0, column = 0;
    for (int i = 0; i < @MAP_ROWS@ * @MAP_COLUMNS@; i++) {
        value[i] = (float)((int32_t)cells[i] - @LEAK_ZERO@) * @LEAK_SCALE@;
        value[i] = @NAME@_clamp(value[i], 0.0f, 1.0f);
    }
    for (int i = 0; i < @MAP_ROWS@ - 1; i++) {
        for (int j = 0; j < @MAP_COLUMNS@ - 1; j++) {
            const float *here = value + i * @MAP_COLUMNS@ + j;
            const float total =
                (here[0] + here[1]) + (here[@MAP_COLUMNS@] + here[@MAP_COLUMNS@ + 1]);
            if (total > gas) {
                gas = total;
                row = i;
                column = j;
            }
        }
    }
    if (gas < @TINY@) {
        return sight;
    }
    const float *here = value + row * @MAP_COLUMNS@ + column;
    const float down = (here[@MAP_COLUMNS@] + here[@MAP_COLUMNS@ + 1]) / gas;
    const float across = (here[1] + here[@MAP_COLUMNS@ + 1]) / gas;
    sight.left = 1.0f - ((float)column + 0.5f + across) * (2.0f / @MAP_COLUMNS@.0f);
    sight.up = 1.0f - ((float)row + 0.5f + down) * (2.0f / @MAP_ROWS@.0f);
    sight.gas = @NAME@_clamp(gas, 0.0f, 1.0f);
    const float aside = sight.left < 0.0f ? -sight.left : sight.left;
    const float above = sight.up < 0.0f ? -sight.up : sight.up;
    sight.at_edge = aside > @EDGE@ || above > @EDGE@;
    return sight;
}

/* A body vector in the world. */
BW_NOINLINE void @NAME@_rotate(const float q[4], float x, float y, float z, float out[3])
{
    const float qx = q[0], qy = q[1], qz = q[2], qw = q[3];
    out[0] = (1.0f - 2.0f * (qy * qy + qz * qz)) * x + 2.0f * (qx * qy - qz * qw) * y +
             2.0f * (qx * qz + qy * qw) * z;
    out[1] = 2.0f * (qx * qy + qz * qw) * x + (1.0f - 2.0f * (qx * qx + qz * qz)) * y +
             2.0f * (qy * qz - qx * qw) * z;
    out[2] = 2.0f * (qx * qz - qy * qw) * x + 2.0f * (qy * qz + qx * qw) * y +
             (1.0f - 2.0f * (qx * qx + qy * qy)) * z;
}

@BEARINGS@
BW_NOINLINE void @NAME@_enter(int32_t phase)
{
    @NAME@_context.phase = phase;
    @NAME@_context.timer = 0;
    @NAME@_context.streak = 0;
    @NAME@_context.slide = 0;
}

BW_INLINE void @NAME@_hold_here(const float position[3])
{
    for (int i = 0; i < 3; i++) {
        @NAME@_context.hold[i] = position[i];
    }
}

BW_INLINE void @NAME@_forget_rays(void)
{
    for (int i = 0; i < 3; i++) {
        @NAME@_context.right[i] = 0.0f;
    }
    for (int i = 0; i < 6; i++) {
        @NAME@_context.normal[i] = 0.0f;
    }
}

BW_INLINE void @NAME@_look_anew(void)
{
    @NAME@_context.seen = 0.0f;
    @NAME@_context.far = 0.0f;
    @NAME@_context.looks = 0;
}

BW_NOINLINE void @NAME@_give_up(void)
{
    @NAME@_context.evidence = 0.0f;
    @NAME@_context.deaf = @DEAF_STEPS@;
    @NAME@_context.returning = 1;
    @NAME@_enter(@UPPER@_PATROL);
}

/* Whether two approaches in vain have been to where the estimate is. */
BW_INLINE int @NAME@_been_there(void)
{
    const float *estimate = @NAME@_context.estimate;
    int times = 0;
    for (int32_t i = 0; i < @NAME@_context.alarms; i++) {
        const float *place = @NAME@_context.vain[i];
        if (@NAME@_norm(estimate[0] - place[0], estimate[1] - place[1]) <= @SAME_PLACE_M@) {
            times++;
        }
    }
    return times >= 2;
}

BW_NOINLINE void @NAME@_false_alarm(void)
{
    float *place = @NAME@_context.vain[@NAME@_context.alarms++];
    place[0] = @NAME@_context.estimate[0];
    place[1] = @NAME@_context.estimate[1];
    @NAME@_give_up();
}

BW_INLINE void @NAME@_listen(float gas, float far)
{
    if (@NAME@_context.returning || @NAME@_context.deaf > 0 ||
        @NAME@_context.alarms >= @ALARMS_MAX@) {
        /* A look from off the route would end in a way back that nobody has checked. */
        if (@NAME@_context.deaf > 0 && !@NAME@_context.returning) {
            @NAME@_context.deaf--;
        }
        @NAME@_context.evidence = 0.0f;
        return;
    }
    const float smoothing =
        @NAME@_context.phase == @UPPER@_PATROL ? @PATROL_SMOOTHING@ : @CONFIRM_SMOOTHING@;
    @NAME@_context.evidence =
        @NAME@_context.evidence + smoothing * (gas - @NAME@_context.evidence);
    if (@NAME@_context.phase == @UPPER@_APPROACH || @NAME@_context.phase == @UPPER@_HOVER) {
        @NAME@_context.seen = @NAME@_context.seen + gas;
        @NAME@_context.far = @NAME@_context.far + far;
        @NAME@_context.looks++;
    }
}

BW_INLINE int @NAME@_there(const float target[3], const float position[3])
{
    return @NAME@_norm(target[0] - position[0], target[1] - position[1]) <= @REACHED_M@;
}

BW_NOINLINE void @NAME@_patrol(const float position[3], const float heading[2])
{
    const int over = @NAME@_context.next >= @NAME@_context.waypoints;
    /* Where the route ends there is nothing else to miss. */
    const int last = !@NAME@_context.returning && over;
    if (@NAME@_context.evidence > (last ? @LAST_AT@ : @CONFIRM_AT@)) {
        @NAME@_hold_here(position);
        for (int i = 0; i < 3; i++) {
            @NAME@_context.anchor[i] = position[i];
        }
        @NAME@_forget_rays();
        /* Ahead, until the first bearing says more. */
        @NAME@_context.estimate[0] = position[0] + heading[0] * @STANDOFF_M@;
        @NAME@_context.estimate[1] = position[1] + heading[1] * @STANDOFF_M@;
        @NAME@_context.estimate[2] = position[2];
        @NAME@_enter(@UPPER@_CONFIRM);
        return;
    }
    const int late = @NAME@_context.timer >= @WAYPOINT_LIMIT_STEPS@;
    if (@NAME@_context.returning) {
        if (late || @NAME@_there(@NAME@_context.anchor, position)) {
            @NAME@_context.returning = 0;
            @NAME@_context.timer = 0;
        }
    } else if (!over) {
        const float *waypoint = @NAME@_context.route[@NAME@_context.next];
        const float facing = heading[0] * waypoint[3] + heading[1] * waypoint[4];
        if (late || (@NAME@_there(waypoint, position) && facing >= @FACING_COS@)) {
            @NAME@_context.next++;
            @NAME@_context.timer = 0;
        }
    } else if (@NAME@_context.timer >= @LAST_LOOK_STEPS@) {
        @NAME@_hold_here(position);
        @NAME@_enter(@UPPER@_NOTHING);
    }
}

/* End a hover at ``away_m`` from the estimate: report, come nearer, or go back. */
BW_NOINLINE void @NAME@_judge(float away_m)
{
    const float looks = (float)@NAME@_context.looks;
    const float seen = @APPROACH_SHARE@ * @NAME@_context.approaching +
                       (1.0f - @APPROACH_SHARE@) * (@NAME@_context.seen / looks);
    if (!(seen > @REPORT_AT@)) {
        @NAME@_false_alarm();
    } else if (@NAME@_context.far / looks * @DISTANCE_FULL_M@ > away_m + @DOUBT_M@ &&
               @NAME@_context.doubts < @DOUBTS_MAX@) {
        @NAME@_context.doubts++;
        @NAME@_look_anew();
        @NAME@_enter(@UPPER@_APPROACH);
    } else {
        @NAME@_enter(@UPPER@_REPORTED);
    }
}

BW_NOINLINE void @NAME@_change_phase(const float position[3], const float heading[2])
{
    const int32_t timer = ++@NAME@_context.timer;
    if (@NAME@_context.phase == @UPPER@_PATROL) {
        @NAME@_patrol(position, heading);
    } else if (@NAME@_context.phase == @UPPER@_CONFIRM) {
        const int sure =
            @NAME@_context.evidence > @APPROACH_AT@ && @NAME@_context.normal[0] > 0.0f;
        @NAME@_context.streak = sure ? @NAME@_context.streak + 1 : 0;
        if (@NAME@_context.streak >= @APPROACH_FRAMES@) {
            if (@NAME@_been_there()) {
                @NAME@_give_up();
            } else {
                @NAME@_context.doubts = 0;
                @NAME@_look_anew();
                @NAME@_enter(@UPPER@_APPROACH);
            }
        } else if (timer >= @CONFIRM_LIMIT_STEPS@) {
            @NAME@_give_up();
        }
    } else if (@NAME@_context.phase == @UPPER@_APPROACH ||
               @NAME@_context.phase == @UPPER@_HOVER) {
        @NAME@_context.streak =
            @NAME@_context.evidence < @LOST_AT@ ? @NAME@_context.streak + 1 : 0;
        const float away_m = @NAME@_norm(@NAME@_context.estimate[0] - position[0],
                                         @NAME@_context.estimate[1] - position[1]);
        if (@NAME@_context.streak >= @LOST_STEPS@) {
            @NAME@_false_alarm();
        } else if (@NAME@_context.phase == @UPPER@_HOVER) {
            if (timer >= @HOVER_STEPS@) {
                @NAME@_judge(away_m);
            }
        } else if (timer >= @APPROACH_LIMIT_STEPS@ ||
                   (timer >= @APPROACH_MIN_STEPS@ && away_m <= @STANDOFF_M@ + @REACHED_M@)) {
            @NAME@_hold_here(position);
            @NAME@_context.approaching = @NAME@_context.seen / (float)@NAME@_context.looks;
            @NAME@_look_anew();
            @NAME@_enter(@UPPER@_HOVER);
        }
    }
}

/* The speed that room before and behind allows; too little of it pushes back. */
BW_NOINLINE float @NAME@_between(float speed, float before, float behind)
{
    const float highest = @NAME@_clamp(@MARGIN_GAIN@ * before, -@FASTEST_M_S@, @FASTEST_M_S@);
    const float lowest = -@NAME@_clamp(@MARGIN_GAIN@ * behind, -@FASTEST_M_S@, @FASTEST_M_S@);
    if (lowest > highest) {
        return 0.5f * (lowest + highest);
    }
    return @NAME@_clamp(speed, lowest, highest);
}

/* Slide past what is in the way, and keep the margin on every side. */
BW_NOINLINE void @NAME@_avoid(float forward, float left, float to_go, const float free[4],
                              @NAME@_command_t *out)
{
    int ahead = 0; /* 0 front, 1 left, 2 back, 3 right */
    float most = forward;
    if (left > most) {
        ahead = 1;
        most = left;
    }
    if (-forward > most) {
        ahead = 2;
        most = -forward;
    }
    if (-left > most) {
        ahead = 3;
    }
    const float room = free[ahead];
    if (room >= @CLEAR_M@ || !(room - @MARGIN_M@ < to_go - @REACHED_M@)) {
        @NAME@_context.slide = 0;
    } else if (room < @BLOCKED_M@ && @NAME@_context.slide == 0) {
        @NAME@_context.slide = free[(ahead + 1) % 4] >= free[(ahead + 3) % 4] ? 1 : -1;
    }
    if (@NAME@_context.slide != 0) {
        float aside = @NAME@_context.slide > 0 ? @SLIDE_M_S@ : -@SLIDE_M_S@;
        aside = ahead == 0 || ahead == 3 ? aside : -aside;
        if (ahead == 0 || ahead == 2) {
            left = aside;
        } else {
            forward = aside;
        }
    }
    out->forward_m_s = @NAME@_between(forward, free[0] - @MARGIN_M@, free[2] - @MARGIN_M@);
    out->left_m_s = @NAME@_between(left, free[1] - @MARGIN_M@, free[3] - @MARGIN_M@);
}

@OBSTACLES@
/* The yaw rate that turns the heading to a direction. */
BW_NOINLINE float @NAME@_turn(const float heading[2], float x, float y)
{
    const float length = @NAME@_norm(x, y);
    if (length < @TINY@) {
        return 0.0f;
    }
    x = x / length;
    y = y / length;
    float sine = heading[0] * y - heading[1] * x;
    if (heading[0] * x + heading[1] * y < 0.0f) {
        sine = sine >= 0.0f ? 1.0f : -1.0f;
    }
    return @NAME@_clamp(@YAW_GAIN@ * sine, -@YAW_RATE_MAX_RAD_S@, @YAW_RATE_MAX_RAD_S@);
}

BW_NOINLINE void @NAME@_command(const float position[3], const float heading[2],
                                const float free[4], @NAME@_command_t *out)
{
    const int32_t phase = @NAME@_context.phase;
    const float *estimate = @NAME@_context.estimate;
    const float *target = @NAME@_context.hold;
    float speed_max = @SPEED_M_S@, stop = 0.0f, height, look_x = heading[0], look_y = heading[1];
    if (phase == @UPPER@_PATROL) {
        if (@NAME@_context.returning) {
            target = @NAME@_context.anchor;
            look_x = target[0] - position[0];
            look_y = target[1] - position[1];
        } else if (@NAME@_context.next < @NAME@_context.waypoints) {
            target = @NAME@_context.route[@NAME@_context.next];
            look_x = target[3];
            look_y = target[4];
        } else {
            target = position;
        }
    } else if (phase <= @UPPER@_HOVER) {
        look_x = estimate[0] - position[0];
        look_y = estimate[1] - position[1];
    }
    height = target[2];
    if (phase == @UPPER@_APPROACH) {
        target = estimate;
        speed_max = @APPROACH_SPEED_M_S@;
        stop = @STANDOFF_M@;
        height = @NAME@_clamp(estimate[2] + @HEIGHT_ABOVE_M@, @HEIGHT_LOW_M@, @HEIGHT_HIGH_M@);
    }

    float east = target[0] - position[0], north = target[1] - position[1];
    const float distance = @NAME@_norm(east, north);
    const float to_go = distance - stop;
    const float speed = @NAME@_clamp(@POSITION_GAIN@ * to_go, -speed_max, speed_max);
    const float share = distance > @TINY@ ? speed / distance : 0.0f;
    east = east * share;
    north = north * share;
    float forward = east * heading[0] + north * heading[1];
    float left = north * heading[0] - east * heading[1];
    /* Off the route it never flies between two of the views of its range sensors, where nobody
       would see a pole: ahead only, or by turns to one side, ahead, to the other side, ahead. */
    if (phase == @UPPER@_APPROACH) {
        const int32_t leg = @NAME@_context.timer / @WEAVE_STEPS@ % 4;
        if (leg % 2 == 0 && @NAME@_context.slide == 0) {
            forward = 0.0f;
            left = leg == 0 ? @WEAVE_M_S@ : -@WEAVE_M_S@;
        } else {
            left = 0.0f;
        }
    } else if (phase == @UPPER@_PATROL && @NAME@_context.returning) {
        left = 0.0f;
    }
    @NAME@_avoid(forward, left, to_go, free, out);
    @NAME@_see_places(position, heading, free);
    @NAME@_hold_back(position, heading, out);
    out->climb_m_s = @NAME@_clamp(@POSITION_GAIN@ * (height - position[2]), -@CLIMB_MAX_M_S@,
                                  @CLIMB_MAX_M_S@);
    out->yaw_rate_rad_s = @NAME@_turn(heading, look_x, look_y);
}

void @NAME@_reset(const float (*route)[5], int32_t waypoints)
{
    @NAME@_context.waypoints = waypoints < @ROUTE_MAX@ ? waypoints : @ROUTE_MAX@;
    for (int i = 0; i < @NAME@_context.waypoints; i++) {
        for (int k = 0; k < 5; k++) {
            @NAME@_context.route[i][k] = route[i][k];
        }
    }
    @NAME@_context.next = 0;
    @NAME@_context.deaf = 0;
    @NAME@_context.alarms = 0;
    @NAME@_context.returning = 0;
    @NAME@_context.evidence = 0.0f;
    @NAME@_context.oldest_place = 0;
    for (int i = 0; i < @PLACES@; i++) {
        @NAME@_context.places_m[i][0] = @NOWHERE_M@;
        @NAME@_context.places_m[i][1] = @NOWHERE_M@;
    }
    for (int i = 0; i < 3; i++) {
        @NAME@_context.hold[i] = 0.0f;
        @NAME@_context.anchor[i] = 0.0f;
        @NAME@_context.estimate[i] = 0.0f;
    }
    @NAME@_forget_rays();
    @NAME@_enter(@UPPER@_PATROL);@RESET_HISTORY@
    for (int i = 0; i < @UPPER@_OUTPUT_COUNT; i++) {
        @NAME@_context.outputs[i] = 0;
    }
}

void @NAME@_step(const uint8_t frame[@UPPER@_FRAME_BYTES], const @NAME@_senses_t *senses,
                 @NAME@_command_t *out)
{
    const int8_t *outputs = @NAME@_context.outputs;
    float position[3], attitude[4], free[4], heading[2];
    const int mirrored = @NAME@_blows_left(senses);
    @SEE@;

    @NAME@_sight_t sight = @NAME@_read_map(outputs + @LEAK@);
    sight.left = mirrored ? -sight.left : sight.left;
    float far = (float)((int32_t)outputs[@DISTANCE@] - @DISTANCE_ZERO@) * @DISTANCE_SCALE@;
    far = @NAME@_clamp(far, 0.0f, 1.0f);
    for (int i = 0; i < 3; i++) {
        position[i] = @NAME@_clamp(senses->position_m[i], -@POSITION_MAX_M@, @POSITION_MAX_M@);
    }
    for (int i = 0; i < 4; i++) {
        attitude[i] = @NAME@_clamp(senses->quaternion_xyzw[i], -1.0f, 1.0f);
        free[i] = @NAME@_clamp(senses->range_m[i], 0.0f, @RANGE_MAX_M@);
    }

    @NAME@_listen(sight.gas, far);
    if (@NAME@_context.phase >= @UPPER@_CONFIRM && @NAME@_context.phase <= @UPPER@_HOVER &&
        sight.gas >= @RAY_AT@) {
        @NAME@_take_bearing(position, attitude, sight.left, sight.up, far,
                            sight.at_edge ? @EDGE_WEIGHT@ : 1.0f);
    }
    @NAME@_heading(attitude, heading);
    @NAME@_change_phase(position, heading);
    @NAME@_command(position, heading, free, out);
    out->phase = (float)@NAME@_context.phase;
    for (int i = 0; i < 3; i++) {
        out->leak_m[i] = @NAME@_context.estimate[i];
    }
    out->evidence = @NAME@_context.evidence;
}

const int8_t *@NAME@_outputs(void)
{
    return @NAME@_context.outputs;
}
