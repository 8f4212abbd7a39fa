#include "bw_mean_wind.h"

/* A time constant of 2 s at 25 Hz. */
#define SMOOTHING 0.02f

void bw_mean_wind_reset(bw_mean_wind_t *mean) {
    mean->wind[0] = 0.0f;
    mean->wind[1] = 0.0f;
    mean->started = 0;
}

float bw_mean_wind_update(bw_mean_wind_t *mean, const bw_senses_t *senses, float upwind[2]) {
    float *wind = mean->wind;
    float reading[2];
    bw_read_wind(senses, reading);
    for (int i = 0; i < 2; i++) {
        wind[i] = mean->started ? wind[i] + SMOOTHING * (reading[i] - wind[i]) : reading[i];
    }
    mean->started = 1;
    const float speed = bw_norm(wind[0], wind[1]);
    upwind[0] = speed < BW_LENGTH_MIN ? -1.0f : -wind[0] / speed;
    upwind[1] = speed < BW_LENGTH_MIN ? 0.0f : -wind[1] / speed;
    return speed;
}
