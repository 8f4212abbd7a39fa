/* Put the estimate where the rays agree best (Cramer's rule); leave it where they do not say. */
BW_NOINLINE void @NAME@_solve(void)
{
    const float *a = @NAME@_context.normal;
    const float *b = @NAME@_context.right;
    const float *anchor = @NAME@_context.anchor;
    const float c00 = a[3] * a[5] - a[4] * a[4];
    const float c01 = a[2] * a[4] - a[1] * a[5];
    const float c02 = a[1] * a[4] - a[2] * a[3];
    const float c11 = a[0] * a[5] - a[2] * a[2];
    const float c12 = a[1] * a[2] - a[0] * a[4];
    const float c22 = a[0] * a[3] - a[1] * a[1];
    const float determinant = a[0] * c00 + a[1] * c01 + a[2] * c02;
    const float trace = a[0] + a[3] + a[5];
    if (!(determinant > @DETERMINANT_MIN@ * trace * trace * trace)) {
        return;
    }
    const float x = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / determinant;
    const float y = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / determinant;
    const float z = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / determinant;
    const float height = anchor[2] + @NAME@_clamp(z, -@REACH_M@, @REACH_M@);
    @NAME@_context.estimate[0] = anchor[0] + @NAME@_clamp(x, -@REACH_M@, @REACH_M@);
    @NAME@_context.estimate[1] = anchor[1] + @NAME@_clamp(y, -@REACH_M@, @REACH_M@);
    @NAME@_context.estimate[2] = height > 0.0f ? height : 0.0f;
}

/* Add a frame's ray to the normal equations and solve them: where it meets the plane through the
   estimate across the view of it says where the leak is across that view, and the network's
   distance, more weakly, where along it. */
BW_NOINLINE void @NAME@_take_bearing(const float position[3], const float attitude[4], float left,
                                     float up, float far, float trust)
{
    const float *anchor = @NAME@_context.anchor;
    const float *estimate = @NAME@_context.estimate;
    float *a = @NAME@_context.normal;
    float *b = @NAME@_context.right;
    float ray[3], mount[3], origin[3];

    const float across = left * @TAN_HALF_FOV_LEFT@;
    const float above = up * @TAN_HALF_FOV_UP@;
    const float scale = @NAME@_inverse_root(1.0f + across * across + above * above);
    @NAME@_rotate(attitude, (@PITCH_COS@ + @PITCH_SIN@ * above) * scale, across * scale,
                  (@PITCH_COS@ * above - @PITCH_SIN@) * scale, ray);
    @NAME@_rotate(attitude, @MOUNT_FORWARD_M@, @MOUNT_LEFT_M@, @MOUNT_UP_M@, mount);
    for (int i = 0; i < 3; i++) {
        origin[i] = position[i] + mount[i] - anchor[i];
    }
    const float far_m = far * @DISTANCE_FULL_M@;
    float view[3] = {ray[0], ray[1], ray[2]}, reach = far_m;
    if (a[0] > 0.0f) {
        float to[3];
        for (int i = 0; i < 3; i++) {
            to[i] = estimate[i] - anchor[i] - origin[i];
        }
        reach = @NAME@_norm(@NAME@_norm(to[0], to[1]), to[2]);
        if (reach > @TINY@) {
            for (int i = 0; i < 3; i++) {
                view[i] = to[i] / reach;
            }
        }
    }
    const float cosine = ray[0] * view[0] + ray[1] * view[1] + ray[2] * view[2];
    reach = reach / (cosine > @COSINE_MIN@ ? cosine : @COSINE_MIN@);
    float met[3];
    for (int i = 0; i < 3; i++) {
        met[i] = origin[i] + reach * ray[i];
    }
    const float weight = trust / (@RANGE_FLOOR_M@ * @RANGE_FLOOR_M@ + reach * reach);
    const float weight_along = weight * @DISTANCE_WEIGHT@;
    const float less = weight_along - weight;
    const float along =
        weight_along * (view[0] * origin[0] + view[1] * origin[1] + view[2] * origin[2] + far_m) -
        weight * (view[0] * met[0] + view[1] * met[1] + view[2] * met[2]);
    a[0] = @FORGETTING@ * a[0] + (weight + less * view[0] * view[0]);
    a[1] = @FORGETTING@ * a[1] + less * view[0] * view[1];
    a[2] = @FORGETTING@ * a[2] + less * view[0] * view[2];
    a[3] = @FORGETTING@ * a[3] + (weight + less * view[1] * view[1]);
    a[4] = @FORGETTING@ * a[4] + less * view[1] * view[2];
    a[5] = @FORGETTING@ * a[5] + (weight + less * view[2] * view[2]);
    for (int i = 0; i < 3; i++) {
        b[i] = @FORGETTING@ * b[i] + (weight * met[i] + along * view[i]);
    }
    @NAME@_solve();
}
