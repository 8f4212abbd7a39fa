#include "mox_guidance.h"

void bw_mox_reset(bw_mox_state_t *state, const bw_mox_config_t *config, const float (*route)[5],
                  int32_t waypoints) {
    bw_mean_wind_reset(&state->mean_wind);
    state->has_area = waypoints >= 2;
    for (int i = 0; i < 2; i++) {
        state->area_low[i] = state->has_area ? route[0][i] : 0.0f;
        state->area_high[i] = state->has_area ? route[1][i] : 0.0f;
    }
    state->height = state->has_area ? route[0][2] : 0.0f;
    state->steps_since_gas = config->surge_steps;
    state->cast_side = 1.0f;
    state->leg = config->leg_first_m;
    state->leg_flown = 0.0f;
}

/* A speed along one axis of the world that does not lead out of the area. */
static float keep_in_area(const bw_mox_config_t *config, float speed, float position, float low,
                          float high) {
    const float lowest = bw_clamp(config->edge_gain * (low - position), -config->speed_m_s, 0.0f);
    const float highest = bw_clamp(config->edge_gain * (high - position), 0.0f, config->speed_m_s);
    return bw_clamp(speed, lowest, highest);
}

/* A speed along one axis of the body that the free distance before and behind allows. */
static float keep_margin(const bw_mox_config_t *config, float speed, float before_m,
                         float behind_m) {
    const float lowest =
        -bw_clamp(config->edge_gain * (behind_m - config->margin_m), 0.0f, config->speed_m_s);
    const float highest =
        bw_clamp(config->edge_gain * (before_m - config->margin_m), 0.0f, config->speed_m_s);
    return bw_clamp(speed, lowest, highest);
}

/* Towards the side where the source is likely to be. */
static void begin_to_cast(bw_mox_state_t *state, const bw_mox_config_t *config, float side) {
    if (side > config->side_at) {
        state->cast_side = 1.0f;
    } else if (side < -config->side_at) {
        state->cast_side = -1.0f;
    }
    state->leg = config->leg_first_m;
    state->leg_flown = 0.0f;
}

/* Turn round at the end of a leg, and at the area's edge. */
static void cast(bw_mox_state_t *state, const bw_mox_config_t *config, const float position[3],
                 const float across[2]) {
    int outside = 0;
    state->leg_flown = state->leg_flown + config->stride_m;
    const float ahead = state->cast_side * config->edge_m;
    for (int i = 0; i < 2; i++) {
        const float there = position[i] + ahead * across[i];
        outside |= !(state->area_low[i] <= there && there <= state->area_high[i]);
    }
    if (state->leg_flown >= state->leg || (outside && state->leg_flown >= config->leg_least_m)) {
        const float longer = state->leg + config->leg_growth_m;
        state->cast_side = -state->cast_side;
        state->leg_flown = 0.0f;
        state->leg = longer < config->leg_longest_m ? longer : config->leg_longest_m;
    }
}

/* The velocity (east, north) of the search, as fast as allowed at the most. */
static void search(bw_mox_state_t *state, const bw_mox_config_t *config, float gas, float side,
                   const float position[3], const float upwind[2], float velocity[2]) {
    const float across[2] = {-upwind[1], upwind[0]};
    const int surged = state->steps_since_gas < config->surge_steps;
    float east, north;
    if (gas > config->gas_at) {
        state->steps_since_gas = 0;
    } else if (surged) {
        state->steps_since_gas++;
    }
    if (state->steps_since_gas < config->surge_steps) {
        const float aside = bw_clamp(config->side_gain * side, -1.0f, 1.0f);
        east = upwind[0] + aside * across[0];
        north = upwind[1] + aside * across[1];
    } else {
        if (surged) {
            begin_to_cast(state, config, side);
        }
        cast(state, config, position, across);
        east = state->cast_side * across[0] + config->cast_upwind * upwind[0];
        north = state->cast_side * across[1] + config->cast_upwind * upwind[1];
    }
    east = config->speed_m_s * east;
    north = config->speed_m_s * north;
    const float speed = bw_norm(east, north);
    if (speed > config->speed_m_s) {
        const float share = config->speed_m_s / speed;
        east = east * share;
        north = north * share;
    }
    velocity[0] = keep_in_area(config, east, position[0], state->area_low[0], state->area_high[0]);
    velocity[1] = keep_in_area(config, north, position[1], state->area_low[1], state->area_high[1]);
}

int bw_mox_step(bw_mox_state_t *state, const bw_mox_config_t *config,
                const float outputs[BW_MOX_OUTPUTS], const bw_senses_t *senses,
                bw_mox_answer_t *answer) {
    float upwind[2], position[3], attitude[4], ranges[4], heading[2], velocity[2];
    const float gas = bw_clamp(outputs[BW_MOX_OUTPUT_GAS], 0.0f, 1.0f);
    const float side = bw_clamp(outputs[BW_MOX_OUTPUT_SIDE], -1.0f, 1.0f);
    bw_mean_wind_update(&state->mean_wind, senses, upwind);
    answer->forward_m_s = 0.0f;
    answer->left_m_s = 0.0f;
    answer->climb_m_s = 0.0f;
    answer->yaw_rate_rad_s = 0.0f;
    if (!state->has_area) {
        return BW_FLYING;
    }
    bw_read_position(senses, position);
    bw_read_attitude(senses, attitude);
    bw_read_ranges(senses, ranges);
    search(state, config, gas, side, position, upwind, velocity);

    bw_heading(attitude, heading);
    const float forward = velocity[0] * heading[0] + velocity[1] * heading[1];
    const float left = velocity[1] * heading[0] - velocity[0] * heading[1];
    const float climb = config->climb_gain * (state->height - position[2]);
    answer->forward_m_s = keep_margin(config, forward, ranges[0], ranges[2]);
    answer->left_m_s = keep_margin(config, left, ranges[1], ranges[3]);
    answer->climb_m_s = bw_clamp(climb, -config->climb_max_m_s, config->climb_max_m_s);
    return BW_FLYING;
}
