/* Where rays from a moving camera agree best: recursive Gauss-Newton steps.

   Each frame that shows the leak says that it lies on a ray from the camera, and less surely how
   far along it. With o the camera, h the unit vector from there to the estimate so far, z the point
   where the ray meets the plane through the estimate across h, and r the distance that the network
   says, a frame adds w (I - h h') + v h h' to a 3 x 3 matrix, and that times z, its part along h
   replaced by that of o + r h, to the right side; a forgetting factor lets what was seen from far
   away fade. Solved by Cramer's rule.

   The plane lies across the estimate's view, not across the ray: rays with noise cross near the
   camera, and a sum of I - u u' over their own unit vectors u draws the estimate there (the bias of
   pseudo-linear estimators; Aidala and Nardone 1982, "Biased estimation properties of the
   pseudolinear tracking filter"). */
#ifndef BW_GAS_BEARINGS_H
#define BW_GAS_BEARINGS_H

#include "gas_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rays so far and the point on which they agree. */
typedef struct {
    float anchor[3];   /* all sums are relative to it, which keeps them exact enough; world, m */
    float normal[6];   /* the matrix's upper triangle, row by row */
    float right[3];    /* the right side */
    float estimate[3]; /* the point; world, m */
} bw_gas_bearings_t;

/* Forget all rays; until the first one the estimate is the one given. */
void bw_gas_bearings_start(bw_gas_bearings_t *bearings, const float anchor[3],
                           const float estimate[3]);

/* Whether there has been a ray. */
static inline int bw_gas_bearings_any(const bw_gas_bearings_t *bearings) {
    return bearings->normal[0] > 0.0f;
}

/* Add a frame's ray and solve.

   position, attitude: of the drone, world.
   left, up: the leak's place in the picture, as in bw_gas_sighting_t.
   distance: to the leak, over distance_full_m.
   trust: weight of this ray beside others. */
void bw_gas_bearings_add(bw_gas_bearings_t *bearings, const bw_gas_config_t *config,
                         const float position[3], const float attitude[4], float left, float up,
                         float distance, float trust);

#ifdef __cplusplus
}
#endif

#endif
