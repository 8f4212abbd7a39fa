#include "gas_obstacles.h"

#include "bw_float32.h"

/* Two readings this near each other, to the east and to the north, are of one thing. */
#define SAME_M 0.2f
/* Where a place is that nothing was seen at yet: farther than any position. */
#define NOWHERE_M 1e5f

void bw_gas_obstacles_reset(bw_gas_obstacles_t *obstacles) {
    obstacles->oldest = 0;
    for (int i = 0; i < BW_GAS_PLACES; i++) {
        obstacles->places_m[i][0] = NOWHERE_M;
        obstacles->places_m[i][1] = NOWHERE_M;
    }
}

static int is_within(float value, float bound) {
    return value <= bound && value >= -bound;
}

/* Remember a place: instead of one that is as good as the same, or of the oldest. */
static void remember(bw_gas_obstacles_t *obstacles, float east, float north) {
    int32_t index = 0;
    while (index < BW_GAS_PLACES) {
        const float *place = obstacles->places_m[index];
        if (is_within(place[0] - east, SAME_M) && is_within(place[1] - north, SAME_M)) {
            break;
        }
        index++;
    }
    if (index == BW_GAS_PLACES) {
        index = obstacles->oldest;
        obstacles->oldest = (index + 1) % BW_GAS_PLACES;
    }
    obstacles->places_m[index][0] = east;
    obstacles->places_m[index][1] = north;
}

void bw_gas_obstacles_update(bw_gas_obstacles_t *obstacles, const bw_gas_config_t *config,
                             const float position[3], const float heading[2],
                             const float ranges[4]) {
    float east = heading[0], north = heading[1];
    for (int i = 0; i < 4; i++) { /* to the front, left, back and right */
        if (ranges[i] < config->remember_m) {
            remember(obstacles, position[0] + ranges[i] * east, position[1] + ranges[i] * north);
        }
        const float turned = -north;
        north = east;
        east = turned;
    }
}

void bw_gas_obstacles_limit(const bw_gas_obstacles_t *obstacles, const bw_gas_config_t *config,
                            const float position[3], const float heading[2], float velocity[2]) {
    const float fastest = config->fastest_m_s;
    float forward = velocity[0], left = velocity[1];
    for (int i = 0; i < BW_GAS_PLACES; i++) {
        const float east = obstacles->places_m[i][0] - position[0];
        if (!is_within(east, config->obstacle_reach_m)) {
            continue;
        }
        const float north = obstacles->places_m[i][1] - position[1];
        if (!is_within(north, config->obstacle_reach_m)) {
            continue;
        }
        const float distance = bw_norm(east, north);
        if (distance < BW_LENGTH_MIN) {
            continue;
        }
        const float ahead = (east * heading[0] + north * heading[1]) / distance;
        const float aside = (north * heading[0] - east * heading[1]) / distance;
        const float allowed = config->margin_gain * (distance - config->margin_m);
        const float surplus = forward * ahead + left * aside - allowed;
        if (surplus > 0.0f) {
            forward = forward - surplus * ahead;
            left = left - surplus * aside;
        }
    }
    velocity[0] = bw_clamp(forward, -fastest, fastest);
    velocity[1] = bw_clamp(left, -fastest, fastest);
}
