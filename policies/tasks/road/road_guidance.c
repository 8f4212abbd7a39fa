#include "road_guidance.h"

void bw_road_reset(bw_road_state_t *state, const bw_road_config_t *config, const float (*route)[5],
                   int32_t waypoints) {
    (void)config;
    (void)route;
    (void)waypoints;
    state->steering = 0.0f;
    state->collision = 0.0f;
}

int bw_road_step(bw_road_state_t *state, const bw_road_config_t *config,
                 const float outputs[BW_ROAD_OUTPUTS], const bw_senses_t *senses,
                 bw_road_answer_t *answer) {
    (void)senses;
    const float steering = bw_clamp(outputs[BW_ROAD_OUTPUT_STEERING], -1.0f, 1.0f);
    const float collision = bw_clamp(outputs[BW_ROAD_OUTPUT_COLLISION], 0.0f, 1.0f);
    state->steering = state->steering + config->steering_smoothing * (steering - state->steering);
    state->collision =
        state->collision + config->collision_smoothing * (collision - state->collision);

    /* 1 at full speed, 0 at a standstill. */
    const float share =
        bw_clamp((config->collision_stop - state->collision) * config->speed_slope, 0.0f, 1.0f);
    answer->forward_m_s = config->speed_max_m_s * share;
    answer->left_m_s = 0.0f;
    answer->climb_m_s = 0.0f;
    answer->yaw_rate_rad_s = config->yaw_rate_max_rad_s * state->steering;
    return BW_FLYING;
}
