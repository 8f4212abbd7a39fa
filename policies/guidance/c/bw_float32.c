#include "bw_float32.h"

float bw_inverse_root(float square) {
    /* Newton's method: five steps reach float32 for any square in 1..9. */
    float root = 1.0f / (0.5f + 0.5f * square);
    for (int i = 0; i < 5; i++) {
        root = root * (1.5f - 0.5f * square * root * root);
    }
    return root;
}

float bw_norm(float x, float y) {
    const float across = bw_absolute(x);
    const float along = bw_absolute(y);
    const float scale = across > along ? across : along;
    if (scale < BW_LENGTH_MIN) {
        return 0.0f;
    }
    x = x / scale;
    y = y / scale;
    const float square = x * x + y * y;
    return scale * (square * bw_inverse_root(square));
}

void bw_rotate(const float q[4], const float body[3], float world[3]) {
    const float qx = q[0], qy = q[1], qz = q[2], qw = q[3];
    const float x = body[0], y = body[1], z = body[2];
    world[0] = (1.0f - 2.0f * (qy * qy + qz * qz)) * x + 2.0f * (qx * qy - qz * qw) * y +
               2.0f * (qx * qz + qy * qw) * z;
    world[1] = 2.0f * (qx * qy + qz * qw) * x + (1.0f - 2.0f * (qx * qx + qz * qz)) * y +
               2.0f * (qy * qz - qx * qw) * z;
    world[2] = 2.0f * (qx * qz - qy * qw) * x + 2.0f * (qy * qz + qx * qw) * y +
               (1.0f - 2.0f * (qx * qx + qy * qy)) * z;
}

void bw_heading(const float q[4], float heading[2]) {
    const float x = 1.0f - 2.0f * (q[1] * q[1] + q[2] * q[2]);
    const float y = 2.0f * (q[0] * q[1] + q[2] * q[3]);
    const float length = bw_norm(x, y);
    heading[0] = length < BW_LENGTH_MIN ? 1.0f : x / length;
    heading[1] = length < BW_LENGTH_MIN ? 0.0f : y / length;
}
