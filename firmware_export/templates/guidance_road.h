
/* A velocity command in the drone's heading frame. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
} @NAME@_command_t;

/* Forget everything, as before take-off. Call before the first step of a flight. */
void @NAME@_reset(void);

/* Take one frame, run network and guidance, and give the command that it asks for. */
void @NAME@_step(const uint8_t frame[@UPPER@_FRAME_BYTES], @NAME@_command_t *out);

/* The raw outputs of the last step. */
const int8_t *@NAME@_outputs(void);
