#include "gas_motion.h"

/* Where to go and where to look: the target, the direction (east, north) to face, how fast at the
   most, how far before the target to stop, and at which height. */
typedef struct {
    const float *target;
    float facing[2];
    float speed_max;
    float stop;
    float height;
} goal_t;

static goal_t choose_goal(const bw_gas_state_t *state, const bw_gas_config_t *config,
                          const bw_gas_pose_t *pose) {
    const float *position = pose->position;
    const float *estimate = state->bearings.estimate;
    goal_t goal = {
        state->hold, {pose->heading[0], pose->heading[1]}, config->speed_m_s, 0.0f, 0.0f};
    if (state->phase == BW_GAS_PATROL) {
        if (state->returning) {
            goal.target = state->bearings.anchor;
            goal.facing[0] = goal.target[0] - position[0];
            goal.facing[1] = goal.target[1] - position[1];
        } else if (state->next < state->waypoints) {
            goal.target = state->route[state->next];
            goal.facing[0] = goal.target[3];
            goal.facing[1] = goal.target[4];
        } else {
            goal.target = position;
        }
    } else if (state->phase <= BW_GAS_HOVER) {
        goal.facing[0] = estimate[0] - position[0];
        goal.facing[1] = estimate[1] - position[1];
    }
    goal.height = goal.target[2];
    if (state->phase == BW_GAS_APPROACH) {
        goal.target = estimate;
        goal.speed_max = config->approach_speed_m_s;
        goal.stop = config->standoff_m;
        goal.height = bw_clamp(estimate[2] + config->height_above_m, config->height_low_m,
                               config->height_high_m);
    }
    return goal;
}

/* The speed that the room before and behind allows; too little of it pushes back. */
static float limit_speed(const bw_gas_config_t *config, float speed, float before, float behind) {
    const float fastest = config->fastest_m_s;
    const float highest = bw_clamp(config->margin_gain * before, -fastest, fastest);
    const float lowest = -bw_clamp(config->margin_gain * behind, -fastest, fastest);
    if (lowest > highest) { /* pushed from both sides: into the middle */
        return 0.5f * (lowest + highest);
    }
    return bw_clamp(speed, lowest, highest);
}

/* The side to which a velocity goes most: 0 front, 1 left, 2 back, 3 right, as in the ranges. */
static int32_t main_side(const float velocity[2]) {
    int32_t side = 0;
    float most = velocity[0];
    if (velocity[1] > most) {
        side = 1;
        most = velocity[1];
    }
    if (-velocity[0] > most) {
        side = 2;
        most = -velocity[0];
    }
    if (-velocity[1] > most) {
        side = 3;
    }
    return side;
}

/* Slide past what is in the way, and keep the margin on every side. */
static void avoid(bw_gas_state_t *state, const bw_gas_config_t *config, const float ranges[4],
                  float to_go, float velocity[2]) {
    const int32_t side = main_side(velocity);
    const float room = ranges[side];
    if (room >= config->clear_m || !(room - config->margin_m < to_go - config->reached_m)) {
        state->detour = 0;
    } else if (room < config->blocked_m && state->detour == 0) {
        state->detour = ranges[(side + 1) % 4] >= ranges[(side + 3) % 4] ? 1 : -1;
    }
    if (state->detour != 0) {
        /* Counter-clockwise of the front is left, of the left is back, and so on. */
        const float aside = state->detour > 0 ? config->slide_m_s : -config->slide_m_s;
        velocity[side % 2 == 0 ? 1 : 0] = side == 0 || side == 3 ? aside : -aside;
    }
    velocity[0] = limit_speed(config, velocity[0], ranges[0] - config->margin_m,
                              ranges[2] - config->margin_m);
    velocity[1] = limit_speed(config, velocity[1], ranges[1] - config->margin_m,
                              ranges[3] - config->margin_m);
}

/* The yaw rate that turns the heading to a direction. */
static float turn(const bw_gas_config_t *config, const float heading[2], const float facing[2]) {
    const float fastest = config->yaw_rate_max_rad_s;
    const float length = bw_norm(facing[0], facing[1]);
    if (length < BW_LENGTH_MIN) {
        return 0.0f;
    }
    const float x = facing[0] / length;
    const float y = facing[1] / length;
    float sine = heading[0] * y - heading[1] * x;
    if (heading[0] * x + heading[1] * y < 0.0f) {
        sine = sine >= 0.0f ? 1.0f : -1.0f;
    }
    return bw_clamp(config->yaw_gain * sine, -fastest, fastest);
}

/* The velocity (forward, left) to a goal, and how far it is to go there. */
static float fly_to(const bw_gas_state_t *state, const bw_gas_config_t *config,
                    const bw_gas_pose_t *pose, const goal_t *goal, float velocity[2]) {
    float east = goal->target[0] - pose->position[0];
    float north = goal->target[1] - pose->position[1];
    const float distance = bw_norm(east, north);
    const float to_go = distance - goal->stop;
    const float speed = bw_clamp(config->position_gain * to_go, -goal->speed_max, goal->speed_max);
    const float share = distance > BW_LENGTH_MIN ? speed / distance : 0.0f;
    east = east * share;
    north = north * share;
    velocity[0] = east * pose->heading[0] + north * pose->heading[1];
    velocity[1] = north * pose->heading[0] - east * pose->heading[1];
    /* Off the route it never flies between two of the views of its range sensors, where a pole
       would not be seen: ahead only, or by turns to one side, ahead, to the other side, ahead. */
    if (state->phase == BW_GAS_APPROACH) {
        const int32_t leg = state->timer / config->weave_steps % 4;
        if (leg % 2 == 0 && state->detour == 0) {
            velocity[0] = 0.0f;
            velocity[1] = leg == 0 ? config->weave_m_s : -config->weave_m_s;
        } else {
            velocity[1] = 0.0f;
        }
    } else if (state->phase == BW_GAS_PATROL && state->returning) {
        velocity[1] = 0.0f;
    }
    return to_go;
}

void bw_gas_move(bw_gas_state_t *state, const bw_gas_config_t *config, const bw_gas_pose_t *pose,
                 bw_gas_answer_t *answer) {
    const goal_t goal = choose_goal(state, config, pose);
    float velocity[2];
    const float to_go = fly_to(state, config, pose, &goal, velocity);
    avoid(state, config, pose->ranges, to_go, velocity);
    bw_gas_obstacles_update(&state->obstacles, config, pose->position, pose->heading, pose->ranges);
    bw_gas_obstacles_limit(&state->obstacles, config, pose->position, pose->heading, velocity);
    answer->forward_m_s = velocity[0];
    answer->left_m_s = velocity[1];
    answer->climb_m_s = bw_clamp(config->position_gain * (goal.height - pose->position[2]),
                                 -config->climb_max_m_s, config->climb_max_m_s);
    answer->yaw_rate_rad_s = turn(config, pose->heading, goal.facing);
}
