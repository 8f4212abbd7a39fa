#include "bw_scent.h"

/* Time constants of the sensor as published (TGS2611: 3.44 s and 6.35 s) over the time between
   columns. */
#define RISE 17.2f
#define FALL 31.75f
#define COLUMNS_PER_S 5.0f
/* What a byte spans: speeds and gusts up to 0.6 and 1 m/s either way, winds up to 2.5 m/s, and
   resistances from 1.2 down to -0.4, where noise and the lag's undoing may lead. */
#define SPEED_SCALE 0.8333333f
#define GUST_SCALE 0.5f
#define WIND_SCALE 0.4f
#define SETTLED_HIGH 1.2f
#define SETTLED_SCALE 0.625f

void bw_scent_reset(bw_scent_t *scent) {
    bw_mean_wind_reset(&scent->mean_wind);
    scent->started = 0;
    scent->readings = 0;
    for (int i = 0; i < 3; i++) {
        scent->sum[i] = 0.0f;
    }
}

static void add_column(bw_scent_t *scent, float resistance, const float wind[2],
                       const float position[2], const float upwind[2], float mean_speed,
                       uint8_t *picture, int32_t columns) {
    const float *mean = scent->mean_wind.wind;
    const float change = resistance - scent->resistance;
    const float settled = resistance + (change < 0.0f ? RISE : FALL) * change;
    const float east = (position[0] - scent->position[0]) * COLUMNS_PER_S;
    const float north = (position[1] - scent->position[1]) * COLUMNS_PER_S;
    const float gust = (wind[1] - mean[1]) * upwind[0] - (wind[0] - mean[0]) * upwind[1];
    const float shares[BW_SCENT_ROWS] = {
        1.0f - resistance,
        (SETTLED_HIGH - settled) * SETTLED_SCALE,
        (north * upwind[0] - east * upwind[1]) * SPEED_SCALE + 0.5f,
        (east * upwind[0] + north * upwind[1]) * SPEED_SCALE + 0.5f,
        gust * GUST_SCALE + 0.5f,
        mean_speed * WIND_SCALE,
    };
    scent->resistance = resistance;
    scent->position[0] = position[0];
    scent->position[1] = position[1];
    for (int row = 0; row < BW_SCENT_ROWS; row++) {
        uint8_t *cells = picture + row * columns;
        const float share = bw_clamp(shares[row], 0.0f, 1.0f);
        const uint8_t cell = (uint8_t)(int32_t)(share * 255.0f + 0.5f);
        for (int32_t k = 0; k + 1 < columns; k++) {
            cells[k] = scent->started ? cells[k + 1] : cell;
        }
        cells[columns - 1] = cell;
    }
}

void bw_scent_update(bw_scent_t *scent, const bw_senses_t *senses, uint8_t *picture,
                     int32_t columns) {
    float wind[2], position[3], upwind[2];
    float resistance = bw_read_gas_resistance(senses);
    bw_read_wind(senses, wind);
    bw_read_position(senses, position);
    const float mean_speed = bw_mean_wind_update(&scent->mean_wind, senses, upwind);
    if (!scent->started) {
        scent->resistance = resistance;
        scent->position[0] = position[0];
        scent->position[1] = position[1];
        add_column(scent, resistance, wind, position, upwind, mean_speed, picture, columns);
        scent->started = 1;
        return;
    }
    scent->sum[0] = scent->sum[0] + resistance;
    scent->sum[1] = scent->sum[1] + wind[0];
    scent->sum[2] = scent->sum[2] + wind[1];
    if (++scent->readings < BW_SCENT_COLUMN_STEPS) {
        return;
    }
    const float share = 1.0f / (float)BW_SCENT_COLUMN_STEPS;
    resistance = scent->sum[0] * share;
    wind[0] = scent->sum[1] * share;
    wind[1] = scent->sum[2] * share;
    add_column(scent, resistance, wind, position, upwind, mean_speed, picture, columns);
    scent->readings = 0;
    for (int i = 0; i < 3; i++) {
        scent->sum[i] = 0.0f;
    }
}
