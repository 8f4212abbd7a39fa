/* The velocity that the present phase of the gas guidance asks for. */
#ifndef BW_GAS_MOTION_H
#define BW_GAS_MOTION_H

#include "gas_guidance.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the drone is and what is free around it, from senses within bounds. */
typedef struct {
    float position[3];
    float attitude[4];
    float ranges[4];
    float heading[2];
} bw_gas_pose_t;

/* Answer the velocity, limited by what is in the way. */
void bw_gas_move(bw_gas_state_t *state, const bw_gas_config_t *config, const bw_gas_pose_t *pose,
                 bw_gas_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
