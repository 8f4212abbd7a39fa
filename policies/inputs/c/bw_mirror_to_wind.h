/* The input transform mirror_to_wind: where the wind blows to the left of where the drone faces,
   the network is given the picture's mirror image, so that all plumes drift to its right. */
#ifndef BW_MIRROR_TO_WIND_H
#define BW_MIRROR_TO_WIND_H

#include "bw_senses.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the picture is to be mirrored, 0 or 1. */
int bw_mirror_to_wind(const bw_senses_t *senses);

#ifdef __cplusplus
}
#endif

#endif
