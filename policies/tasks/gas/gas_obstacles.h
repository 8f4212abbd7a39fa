/* What the range sensors saw lately. They look four ways, and a pole may stand between two of them.

   Whoever flies past a pole has it in one view or another on the way. Here it is kept as a point
   where the drone believed to be then: the estimate drifts, but little in the time that a point is
   of use. */
#ifndef BW_GAS_OBSTACLES_H
#define BW_GAS_OBSTACLES_H

#include "gas_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BW_GAS_PLACES 24

/* Places where something stands; world, east and north, m. */
typedef struct {
    float places_m[BW_GAS_PLACES][2];
    int32_t oldest; /* the place that the next one overwrites */
} bw_gas_obstacles_t;

void bw_gas_obstacles_reset(bw_gas_obstacles_t *obstacles);

/* Take in the free distances to the front, left, back and right. */
void bw_gas_obstacles_update(bw_gas_obstacles_t *obstacles, const bw_gas_config_t *config,
                             const float position[3], const float heading[2],
                             const float ranges[4]);

/* Change a velocity (forward, left) so that it keeps the margin to all that is remembered. */
void bw_gas_obstacles_limit(const bw_gas_obstacles_t *obstacles, const bw_gas_config_t *config,
                            const float position[3], const float heading[2], float velocity[2]);

#ifdef __cplusplus
}
#endif

#endif
