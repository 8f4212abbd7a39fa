/* What the drone senses besides the camera's frame, and readings of it within bounds, so that no
   input makes a NaN or an infinity. */
#ifndef BW_SENSES_H
#define BW_SENSES_H

#include <stdint.h>

#include "bw_float32.h"

/* begin senses: written by python -m bytewing.policies.guidance.config_text */
#define BW_POSITION_M_LOW -1000.0f
#define BW_POSITION_M_HIGH 1000.0f
#define BW_QUATERNION_XYZW_LOW -1.0f
#define BW_QUATERNION_XYZW_HIGH 1.0f
#define BW_RANGE_M_LOW 0.0f
#define BW_RANGE_M_HIGH 100.0f
#define BW_GAS_RESISTANCE_LOW 0.0f
#define BW_GAS_RESISTANCE_HIGH 2.0f
#define BW_WIND_M_S_LOW -100.0f
#define BW_WIND_M_S_HIGH 100.0f

typedef struct {
    /* Where the autopilot believes to be (m, world ENU). */
    float position_m[3];
    /* Its estimated attitude (world from body FLU). */
    float quaternion_xyzw[4];
    /* Free distance to the front, left, back, right (m). */
    float range_m[4];
    /* Metal-oxide sensor, over that in clean air. */
    float gas_resistance;
    /* The air's estimated velocity (m/s, world EN). */
    float wind_m_s[2];
} bw_senses_t;
/* end senses */

/* A channel's readings; NaN becomes the least. */

static inline void bw_read_position(const bw_senses_t *senses, float position[3]) {
    bw_clamp_each(senses->position_m, 3, BW_POSITION_M_LOW, BW_POSITION_M_HIGH, position);
}

static inline void bw_read_attitude(const bw_senses_t *senses, float quaternion[4]) {
    bw_clamp_each(senses->quaternion_xyzw, 4, BW_QUATERNION_XYZW_LOW, BW_QUATERNION_XYZW_HIGH,
                  quaternion);
}

static inline void bw_read_ranges(const bw_senses_t *senses, float ranges[4]) {
    bw_clamp_each(senses->range_m, 4, BW_RANGE_M_LOW, BW_RANGE_M_HIGH, ranges);
}

static inline float bw_read_gas_resistance(const bw_senses_t *senses) {
    return bw_clamp(senses->gas_resistance, BW_GAS_RESISTANCE_LOW, BW_GAS_RESISTANCE_HIGH);
}

static inline void bw_read_wind(const bw_senses_t *senses, float wind[2]) {
    bw_clamp_each(senses->wind_m_s, 2, BW_WIND_M_S_LOW, BW_WIND_M_S_HIGH, wind);
}

#endif
