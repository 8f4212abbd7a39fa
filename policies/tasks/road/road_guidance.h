/* Road guidance: along the road, and not into what stands on it.

   Low-passed steering and collision probability in the manner of Tiny-PULP-Dronet's control
   (steering times a maximal yaw rate, speed falling with the collision probability), but the speed
   falls between two thresholds, since a probability that never quite reaches 1 would let a drone
   creep into what it has seen. */
#ifndef BW_ROAD_GUIDANCE_H
#define BW_ROAD_GUIDANCE_H

#include <stdint.h>

#include "bw_guidance.h"

#ifdef __cplusplus
extern "C" {
#endif

/* begin constants: written by python -m bytewing.policies.guidance.config_text */
typedef struct {
    /* Forward speed on a free road (m/s). */
    float speed_max_m_s;
    /* Yaw rate at a steering output of 1, left positive (rad/s). */
    float yaw_rate_max_rad_s;
    /* Low-pass factor a of the steering, y += a (x - y); 1 for none. */
    float steering_smoothing;
    /* The same of the collision probability. */
    float collision_smoothing;
    /* Collision probability from which it stands still. */
    float collision_stop;
    /* 1 / (collision_stop - collision_go). */
    float speed_slope;
} bw_road_config_t;
/* end constants */

/* Everything that it remembers: the two outputs, low-passed. */
typedef struct {
    float steering;
    float collision;
} bw_road_state_t;

/* A velocity command in the drone's heading frame. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
} bw_road_answer_t;

/* What the network answers, in this order. */
enum { BW_ROAD_OUTPUT_STEERING = 0, BW_ROAD_OUTPUT_COLLISION = 1, BW_ROAD_OUTPUTS = 2 };

/* Go back to the state at take-off: steering and collision probability are 0. The road shows the
   way; no route is needed. */
void bw_road_reset(bw_road_state_t *state, const bw_road_config_t *config, const float (*route)[5],
                   int32_t waypoints);

/* Answer one frame's outputs: steering, left positive, clamped to [-1, 1]; collision probability,
   clamped to [0, 1]. Senses are not read. Returns BW_FLYING. */
int bw_road_step(bw_road_state_t *state, const bw_road_config_t *config,
                 const float outputs[BW_ROAD_OUTPUTS], const bw_senses_t *senses,
                 bw_road_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
