#include "lamps_guidance.h"

void bw_lamps_reset(bw_lamps_state_t *state, const bw_lamps_config_t *config,
                    const float (*route)[5], int32_t waypoints) {
    (void)config;
    (void)route;
    (void)waypoints;
    state->steps = 0;
}

int bw_lamps_step(bw_lamps_state_t *state, const bw_lamps_config_t *config,
                  const float outputs[BW_LAMPS_OUTPUTS], const bw_senses_t *senses,
                  bw_lamps_answer_t *answer) {
    (void)senses;
    state->steps++;
    answer->forward_m_s = config->speed_m_s;
    answer->left_m_s = 0.0f;
    answer->climb_m_s = 0.0f;
    answer->yaw_rate_rad_s =
        config->yaw_gain_1_s * bw_clamp(outputs[BW_LAMPS_OUTPUT_STEERING], -1.0f, 1.0f);
    return BW_FLYING;
}
