/* The input source scent: the last seconds of gas and wind as a picture.

   A column is made every BW_SCENT_COLUMN_STEPS steps from the mean of the readings since the one
   before, the newest on the right; its rows, each a byte:

       0  how far the resistance has fallen below that of clean air
       1  where it will settle: the resistance plus its rate of change times the sensor's time
          constant, which undoes the sensor's lag (and amplifies its noise)
       2  the drone's own speed across the wind, left positive
       3  and upwind
       4  how much more the wind blows to the left now than on average
       5  the mean wind's speed */
#ifndef BW_SCENT_H
#define BW_SCENT_H

#include <stdint.h>

#include "bw_mean_wind.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BW_SCENT_ROWS 6
#define BW_SCENT_COLUMN_STEPS 5 /* 0.2 s at 25 Hz */

typedef struct {
    bw_mean_wind_t mean_wind;
    int32_t started;
    int32_t readings;  /* since the last column */
    float sum[3];      /* of these: resistance, wind to the east and to the north */
    float resistance;  /* at the last column */
    float position[2]; /* likewise */
} bw_scent_t;

void bw_scent_reset(bw_scent_t *scent);

/* Take in what was sensed and bring the picture up to date: BW_SCENT_ROWS rows of `columns` bytes.
   The first column of a flight stands in for what is before it. */
void bw_scent_update(bw_scent_t *scent, const bw_senses_t *senses, uint8_t *picture,
                     int32_t columns);

#ifdef __cplusplus
}
#endif

#endif
