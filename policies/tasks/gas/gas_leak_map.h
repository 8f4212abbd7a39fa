/* The network's picture as a grid of cells, row by row from the top left, that say where the leak
   is. */
#ifndef BW_GAS_LEAK_MAP_H
#define BW_GAS_LEAK_MAP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BW_GAS_MAP_ROWS 8
#define BW_GAS_MAP_COLUMNS 8
#define BW_GAS_MAP_CELLS 64

typedef struct {
    float gas;       /* 0 to 1 */
    float left;      /* the leak's place: 1 at the picture's left edge, -1 at its right */
    float up;        /* 1 at the upper edge, -1 at the lower */
    int32_t at_edge; /* the place is at the picture's edge: the leak may be beyond it */
} bw_gas_sighting_t;

/* Read the strongest four cells that touch: what they add up to, and their centre of mass. What a
   network puts elsewhere says that it does not know where, and counts as nothing. Cells are clamped
   to [0, 1]; NaN counts as 0. */
void bw_gas_leak_map_read(const float cells[BW_GAS_MAP_CELLS], bw_gas_sighting_t *sighting);

#ifdef __cplusplus
}
#endif

#endif
