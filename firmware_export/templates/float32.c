/* NaN becomes the lowest. */
BW_INLINE float @NAME@_clamp(float value, float lowest, float highest)
{
    value = value > lowest ? value : lowest;
    return value < highest ? value : highest;
}

/* 1 / sqrt(square) for a square in 1..9, by Newton's method. */
BW_INLINE float @NAME@_inverse_root(float square)
{
    float root = 1.0f / (0.5f + 0.5f * square);
    for (int i = 0; i < @ROOT_STEPS@; i++) {
        root = root * (1.5f - 0.5f * square * root * root);
    }
    return root;
}

/* The length of a plane vector; 0 where it has no direction. */
BW_NOINLINE float @NAME@_norm(float x, float y)
{
    const float across = x < 0.0f ? -x : x;
    const float along = y < 0.0f ? -y : y;
    const float scale = across > along ? across : along;
    if (scale < @TINY@) {
        return 0.0f;
    }
    x = x / scale;
    y = y / scale;
    const float square = x * x + y * y;
    return scale * (square * @NAME@_inverse_root(square));
}

/* The level unit vector to the front, east for a drone on its side. */
BW_NOINLINE void @NAME@_heading(const float q[4], float heading[2])
{
    const float x = 1.0f - 2.0f * (q[1] * q[1] + q[2] * q[2]);
    const float y = 2.0f * (q[0] * q[1] + q[2] * q[3]);
    const float length = @NAME@_norm(x, y);
    heading[0] = length < @TINY@ ? 1.0f : x / length;
    heading[1] = length < @TINY@ ? 0.0f : y / length;
}
