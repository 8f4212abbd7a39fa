@SENSES@
/* A velocity command in the drone's heading frame, and what the search has found. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
    float phase; /* 0 patrol, 1 confirm, 2 approach, 3 hover, 4 leak reported, 5 nothing found */
    float leak_m[3]; /* where the leak seems to be, world; the result in phase 4 */
    float evidence;  /* of gas, 0 to 1 */
} @NAME@_command_t;

#define @UPPER@_ROUTE_MAX @ROUTE_MAX@

/* Forget everything, as before take-off, and take the route to patrol: rows of x, y, z in the
   world, m, and the cosine and sine of the yaw there. It is copied, up to @UPPER@_ROUTE_MAX
   waypoints. Call before the first step of a flight. */
void @NAME@_reset(const float (*route)[5], int32_t waypoints);

/* Take one camera frame and what was sensed with it, run network and guidance, and give the command
   that they ask for. Earlier frames are remembered here. */
void @NAME@_step(const uint8_t frame[@UPPER@_FRAME_BYTES], const @NAME@_senses_t *senses,
                 @NAME@_command_t *out);

/* The raw outputs of the last step. */
const int8_t *@NAME@_outputs(void);
