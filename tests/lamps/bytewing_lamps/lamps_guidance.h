/* Lamp guidance: constant forward speed, yaw rate in proportion to the network's steering. */
#ifndef BW_LAMPS_GUIDANCE_H
#define BW_LAMPS_GUIDANCE_H

#include <stdint.h>

#include "bw_guidance.h"

#ifdef __cplusplus
extern "C" {
#endif

/* begin constants: written by python -m bytewing.policies.guidance.config_text */
typedef struct {
    /* Forward speed (m/s). */
    float speed_m_s;
    /* Yaw rate per steering output (1/s). */
    float yaw_gain_1_s;
} bw_lamps_config_t;
/* end constants */

/* The number of steps since the reset. Nothing depends on it; C structs need a member. */
typedef struct {
    int32_t steps;
} bw_lamps_state_t;

/* A velocity command in the drone's heading frame. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
} bw_lamps_answer_t;

/* The network's outputs, in order. */
enum { BW_LAMPS_OUTPUT_STEERING = 0, BW_LAMPS_OUTPUTS = 1 };

/* Go back to the state at take-off. The route is not read: the lamps show the way. */
void bw_lamps_reset(bw_lamps_state_t *state, const bw_lamps_config_t *config,
                    const float (*route)[5], int32_t waypoints);

/* Answer one frame's outputs: steering, left positive, clamped to [-1, 1]. Senses are not read.
   Returns BW_FLYING. */
int bw_lamps_step(bw_lamps_state_t *state, const bw_lamps_config_t *config,
                  const float outputs[BW_LAMPS_OUTPUTS], const bw_senses_t *senses,
                  bw_lamps_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
