#include "gas_leak_map.h"

#include "bw_float32.h"

/* Almost at the outermost cells' centres, 0.875. */
#define EDGE 0.85f

void bw_gas_leak_map_read(const float cells[BW_GAS_MAP_CELLS], bw_gas_sighting_t *sighting) {
    float value[BW_GAS_MAP_CELLS], gas = 0.0f;
    int32_t row = 0, column = 0;
    bw_clamp_each(cells, BW_GAS_MAP_CELLS, 0.0f, 1.0f, value);
    for (int32_t i = 0; i < BW_GAS_MAP_ROWS - 1; i++) {
        for (int32_t j = 0; j < BW_GAS_MAP_COLUMNS - 1; j++) {
            const float *upper = value + i * BW_GAS_MAP_COLUMNS + j;
            const float *lower = upper + BW_GAS_MAP_COLUMNS;
            const float total = (upper[0] + upper[1]) + (lower[0] + lower[1]);
            if (total > gas) {
                gas = total;
                row = i;
                column = j;
            }
        }
    }
    sighting->gas = 0.0f;
    sighting->left = 0.0f;
    sighting->up = 0.0f;
    sighting->at_edge = 0;
    if (gas < BW_LENGTH_MIN) {
        return;
    }
    const float *upper = value + row * BW_GAS_MAP_COLUMNS + column;
    const float *lower = upper + BW_GAS_MAP_COLUMNS;
    const float down = (lower[0] + lower[1]) / gas;
    const float across = (upper[1] + lower[1]) / gas;
    sighting->gas = bw_clamp(gas, 0.0f, 1.0f);
    sighting->left = 1.0f - ((float)column + 0.5f + across) * (2.0f / (float)BW_GAS_MAP_COLUMNS);
    sighting->up = 1.0f - ((float)row + 0.5f + down) * (2.0f / (float)BW_GAS_MAP_ROWS);
    sighting->at_edge =
        bw_absolute(sighting->left) > EDGE || bw_absolute(sighting->up) > EDGE ? 1 : 0;
}
