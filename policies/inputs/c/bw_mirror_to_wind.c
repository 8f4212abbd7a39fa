#include "bw_mirror_to_wind.h"

int bw_mirror_to_wind(const bw_senses_t *senses) {
    float q[4], wind[2];
    bw_read_attitude(senses, q);
    bw_read_wind(senses, wind);
    /* The heading's direction; its length does not matter. */
    const float ahead_east = 1.0f - 2.0f * (q[1] * q[1] + q[2] * q[2]);
    const float ahead_north = 2.0f * (q[0] * q[1] + q[2] * q[3]);
    return wind[1] * ahead_east - wind[0] * ahead_north > 0.0f;
}
