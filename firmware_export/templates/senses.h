
/* What the drone senses besides the frame. Positions and the wind are in the world's frame: x east,
   y north, z up; the quaternion turns body (front, left, up) into world. */
typedef struct {
    float position_m[3];      /* estimated */
    float quaternion_xyzw[4]; /* estimated */
    float range_m[4];         /* free distance to the front, left, back and right */
    float gas_resistance;     /* of the metal-oxide sensor, 1 in clean air */
    float wind_m_s[2];        /* the air's velocity */
} @NAME@_senses_t;
