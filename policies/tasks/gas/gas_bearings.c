#include "gas_bearings.h"

#include "bw_float32.h"

/* How far from the anchor the estimate can be. */
#define REACH_M 30.0f
/* Least determinant of the matrix, in cubed traces: one ray alone gives an eighth of its distance's
   weight. */
#define DETERMINANT_MIN 1e-4f
/* Least cosine of the angle between a ray and the view of the estimate. */
#define COSINE_MIN 0.2f

void bw_gas_bearings_start(bw_gas_bearings_t *bearings, const float anchor[3],
                           const float estimate[3]) {
    for (int i = 0; i < 3; i++) {
        bearings->anchor[i] = anchor[i];
        bearings->estimate[i] = estimate[i];
        bearings->right[i] = 0.0f;
    }
    for (int i = 0; i < 6; i++) {
        bearings->normal[i] = 0.0f;
    }
}

/* Put the estimate where the rays agree best; leave it where they do not determine a point. */
static void solve(bw_gas_bearings_t *bearings) {
    const float *a = bearings->normal;
    const float *b = bearings->right;
    const float *anchor = bearings->anchor;
    const float c00 = a[3] * a[5] - a[4] * a[4];
    const float c01 = a[2] * a[4] - a[1] * a[5];
    const float c02 = a[1] * a[4] - a[2] * a[3];
    const float c11 = a[0] * a[5] - a[2] * a[2];
    const float c12 = a[1] * a[2] - a[0] * a[4];
    const float c22 = a[0] * a[3] - a[1] * a[1];
    const float determinant = a[0] * c00 + a[1] * c01 + a[2] * c02;
    const float trace = a[0] + a[3] + a[5];
    if (!(determinant > DETERMINANT_MIN * trace * trace * trace)) {
        return;
    }
    const float x = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / determinant;
    const float y = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / determinant;
    const float z = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / determinant;
    const float height = anchor[2] + bw_clamp(z, -REACH_M, REACH_M);
    bearings->estimate[0] = anchor[0] + bw_clamp(x, -REACH_M, REACH_M);
    bearings->estimate[1] = anchor[1] + bw_clamp(y, -REACH_M, REACH_M);
    bearings->estimate[2] = height > 0.0f ? height : 0.0f; /* nothing leaks below the ground */
}

/* The camera's place, relative to the anchor, and the unit vector to where it sees the leak. */
static void cast_ray(const bw_gas_bearings_t *bearings, const bw_gas_config_t *config,
                     const float position[3], const float attitude[4], float left, float up,
                     float origin[3], float ray[3]) {
    const float across = left * config->tan_half_fov_left;
    const float above = up * config->tan_half_fov_up;
    const float scale = bw_inverse_root(1.0f + across * across + above * above);
    const float ray_body[3] = {(config->pitch_cos + config->pitch_sin * above) * scale,
                               across * scale,
                               (config->pitch_cos * above - config->pitch_sin) * scale};
    const float mount_body[3] = {config->mount_forward_m, config->mount_left_m, config->mount_up_m};
    float mount[3];
    bw_rotate(attitude, ray_body, ray);
    bw_rotate(attitude, mount_body, mount);
    for (int i = 0; i < 3; i++) {
        origin[i] = position[i] + mount[i] - bearings->anchor[i];
    }
}

void bw_gas_bearings_add(bw_gas_bearings_t *bearings, const bw_gas_config_t *config,
                         const float position[3], const float attitude[4], float left, float up,
                         float distance, float trust) {
    float *a = bearings->normal;
    float *b = bearings->right;
    float origin[3], ray[3];
    cast_ray(bearings, config, position, attitude, left, up, origin, ray);
    const float distance_m = distance * config->distance_full_m;
    /* Seen from here the leak is at `reach` along `view`: where the estimate is, which the ray
       corrects across that, or on the ray itself for the first one. */
    float view[3] = {ray[0], ray[1], ray[2]}, reach = distance_m;
    if (bw_gas_bearings_any(bearings)) {
        float to[3];
        for (int i = 0; i < 3; i++) {
            to[i] = bearings->estimate[i] - bearings->anchor[i] - origin[i];
        }
        reach = bw_norm(bw_norm(to[0], to[1]), to[2]);
        if (reach > BW_LENGTH_MIN) {
            for (int i = 0; i < 3; i++) {
                view[i] = to[i] / reach;
            }
        }
    }
    const float cosine = ray[0] * view[0] + ray[1] * view[1] + ray[2] * view[2];
    /* Where the ray meets the plane through the estimate across the view, if it does. */
    reach = reach / (cosine > COSINE_MIN ? cosine : COSINE_MIN);
    float met[3];
    for (int i = 0; i < 3; i++) {
        met[i] = origin[i] + reach * ray[i];
    }
    const float weight = trust / (config->range_floor_m * config->range_floor_m + reach * reach);
    const float weight_along = weight * config->distance_weight;
    const float less = weight_along - weight;
    const float along = weight_along * (view[0] * origin[0] + view[1] * origin[1] +
                                        view[2] * origin[2] + distance_m) -
                        weight * (view[0] * met[0] + view[1] * met[1] + view[2] * met[2]);
    const float forgetting = config->forgetting;
    a[0] = forgetting * a[0] + (weight + less * view[0] * view[0]);
    a[1] = forgetting * a[1] + less * view[0] * view[1];
    a[2] = forgetting * a[2] + less * view[0] * view[2];
    a[3] = forgetting * a[3] + (weight + less * view[1] * view[1]);
    a[4] = forgetting * a[4] + less * view[1] * view[2];
    a[5] = forgetting * a[5] + (weight + less * view[2] * view[2]);
    for (int i = 0; i < 3; i++) {
        b[i] = forgetting * b[i] + (weight * met[i] + along * view[i]);
    }
    solve(bearings);
}
