@SENSES@
/* A velocity command in the drone's heading frame. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
} @NAME@_command_t;

/* Forget everything, as before take-off, and take the corners of the area to search, in the first
   three numbers of two rows: south-west, whose height is kept, and north-east; world, m. With fewer
   rows the drone stays where it is. Call before the first step of a flight. */
void @NAME@_reset(const float (*route)[5], int32_t waypoints);

/* Take what was sensed, run network and guidance, and give the command that they ask for. What the
   network sees of the senses is remembered here. Call it @STEPS_PER_S@ times a second. */
void @NAME@_step(const @NAME@_senses_t *senses, @NAME@_command_t *out);

/* The raw outputs of the last step. */
const int8_t *@NAME@_outputs(void);
