/* Metal-oxide guidance: surge upwind in gas, cast across the wind where it is lost.

   Surge and cast are how moths find their source. What the network adds is what a slow sensor
   hides: whether there is gas now, and on which side of the drone, seen upwind, the source is
   likely to be.

       surging   upwind, and to the side where the source is likely to be; for a while after the
                 last gas
       casting   across the wind, first to that side, in legs that grow, upwind a little all the
                 while

   The drone keeps its heading and turns back at the edges of the area to search. */
#ifndef BW_MOX_GUIDANCE_H
#define BW_MOX_GUIDANCE_H

#include <stdint.h>

#include "bw_guidance.h"
#include "bw_mean_wind.h"

#ifdef __cplusplus
extern "C" {
#endif

/* begin constants: written by python -m bytewing.policies.guidance.config_text */
typedef struct {
    /* Speed over the ground (m/s). */
    float speed_m_s;
    /* Probability from which there is gas. */
    float gas_at;
    /* Sideways over upwind speed at a side output of 1, while surging. */
    float side_gain;
    /* Side output from which casting begins towards that side. */
    float side_at;
    /* Upwind over crosswind speed while casting. */
    float cast_upwind;
    /* Length of the first leg (m). */
    float leg_first_m;
    /* By how much each leg is longer than the one before (m). */
    float leg_growth_m;
    /* Length of a leg at the most (m). */
    float leg_longest_m;
    /* Length of a leg at the least, before the area's edge turns it round (m). */
    float leg_least_m;
    /* How far before the edge it turns round (m). */
    float edge_m;
    /* Speed towards an edge or a wall per distance left (1/s). */
    float edge_gain;
    /* Free distance kept on every side (m). */
    float margin_m;
    /* Climb rate per height lacking (1/s). */
    float climb_gain;
    /* Speed up or down at the most (m/s). */
    float climb_max_m_s;
    /* surge_s in steps, at least 1 (steps). */
    int32_t surge_steps;
    /* How far a step leads: speed_m_s times step_s (m). */
    float stride_m;
} bw_mox_config_t;
/* end constants */

/* Everything that it remembers. */
typedef struct {
    bw_mean_wind_t mean_wind;
    int32_t has_area;
    float area_low[2], area_high[2]; /* its south-west and north-east corner, m */
    float height;                    /* to keep, m */
    int32_t steps_since_gas;
    float cast_side; /* 1 to the left of upwind, -1 to the right */
    float leg;       /* length of this leg, m */
    float leg_flown; /* of it, m */
} bw_mox_state_t;

/* A velocity command in the drone's heading frame. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
} bw_mox_answer_t;

/* What the network answers, in this order. */
enum { BW_MOX_OUTPUT_GAS = 0, BW_MOX_OUTPUT_SIDE = 1, BW_MOX_OUTPUTS = 2 };

/* Go back to the state at take-off. The route's first two rows are the corners of the area to
   search: south-west, whose height is kept, and north-east. With fewer rows the drone stays where
   it is. */
void bw_mox_reset(bw_mox_state_t *state, const bw_mox_config_t *config, const float (*route)[5],
                  int32_t waypoints);

/* Answer one step's outputs and senses: probability of gas, clamped to [0, 1]; side of the source,
   left of upwind positive, clamped to [-1, 1]. Returns BW_FLYING. */
int bw_mox_step(bw_mox_state_t *state, const bw_mox_config_t *config,
                const float outputs[BW_MOX_OUTPUTS], const bw_senses_t *senses,
                bw_mox_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
