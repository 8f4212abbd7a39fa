/* The mean wind: low-passed, long against the anemometer's noise and short against what swings a
   plume. */
#ifndef BW_MEAN_WIND_H
#define BW_MEAN_WIND_H

#include <stdint.h>

#include "bw_senses.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float wind[2]; /* east and north, m/s */
    int32_t started;
} bw_mean_wind_t;

void bw_mean_wind_reset(bw_mean_wind_t *mean);

/* Take in a reading; upwind becomes the unit vector (east, north) against the mean wind, west in
   still air. Returns the mean wind's speed, m/s. */
float bw_mean_wind_update(bw_mean_wind_t *mean, const bw_senses_t *senses, float upwind[2]);

#ifdef __cplusplus
}
#endif

#endif
