/* Constants of the gas guidance. */
#ifndef BW_GAS_CONFIG_H
#define BW_GAS_CONFIG_H

#include <stdint.h>

/* begin constants: written by python -m bytewing.policies.guidance.config_text */
typedef struct {
    /* Tangent of half the camera's horizontal field of view. */
    float tan_half_fov_left;
    /* Tangent of half the camera's vertical field of view. */
    float tan_half_fov_up;
    /* Cosine of the angle by which the camera looks down. */
    float pitch_cos;
    /* Its sine. */
    float pitch_sin;
    /* Camera, body frame: forward (m). */
    float mount_forward_m;
    /* Camera, body frame: left (m). */
    float mount_left_m;
    /* Camera, body frame: up (m). */
    float mount_up_m;
    /* Distance that a distance output of 1 means (m). */
    float distance_full_m;
    /* Speed on patrol (m/s). */
    float speed_m_s;
    /* Speed towards a leak (m/s). */
    float approach_speed_m_s;
    /* Speed up or down at the most (m/s). */
    float climb_max_m_s;
    /* Fastest turn (rad/s). */
    float yaw_rate_max_rad_s;
    /* Speed per distance to go (1/s). */
    float position_gain;
    /* Yaw rate per sine of the angle to turn (rad/s). */
    float yaw_gain;
    /* A waypoint counts as reached this near (m). */
    float reached_m;
    /* A waypoint counts as reached with its yaw this near: cosine of the angle. */
    float facing_cos;
    /* Low-pass factor a of the evidence on patrol, y += a (x - y). */
    float patrol_smoothing;
    /* The same in later phases. */
    float confirm_smoothing;
    /* Evidence from which a patrol stops to look. */
    float confirm_at;
    /* Evidence from which it stops to look where the route ends. */
    float last_at;
    /* Evidence from which it approaches what it looks at. */
    float approach_at;
    /* Frames in a row for which that evidence must last (frames). */
    int32_t approach_frames;
    /* Approaches in vain after which evidence does not count any more. */
    int32_t alarms_max;
    /* This near, level, to where two approaches in vain have ended, there is no third (m). */
    float same_place_m;
    /* Evidence below which an approach is in doubt. */
    float lost_at;
    /* How much the gas seen on the approach counts, beside that of the hover: from close by a
       plume may fill the picture, and what misleads looks its best. */
    float approach_share;
    /* Mean gas of both from which a hover ends in a report. */
    float report_at;
    /* Gas in a frame from which its bearing counts. */
    float ray_at;
    /* Weight of a bearing to the picture's edge, beside others: the leak may be beyond it. */
    float edge_weight;
    /* Factor by which earlier bearings weigh less at each new one. */
    float forgetting;
    /* A bearing weighs as 1 / (range_floor_m^2 + distance^2) (m). */
    float range_floor_m;
    /* Weight of the distance beside that of the bearing: the square of their errors' ratio. */
    float distance_weight;
    /* Horizontal distance to the leak at which it hovers (m). */
    float standoff_m;
    /* If the network's mean distance in a hover is greater than the estimate's by more than
       this, a further approach takes more bearings (m). */
    float doubt_m;
    /* How many further approaches it takes at the most. */
    int32_t doubts_max;
    /* Speed across the line of sight, for parallax, by turns with going ahead (m/s). */
    float weave_m_s;
    /* Free distance kept on every side (m). */
    float margin_m;
    /* Speed towards a side per distance beyond the margin (1/s). */
    float margin_gain;
    /* What is seen nearer than this is kept away from when it is out of view, too (m). */
    float remember_m;
    /* Sideways speed where the way ahead is blocked (m/s). */
    float slide_m_s;
    /* Free distance ahead below which the way is blocked (m). */
    float blocked_m;
    /* And above which it is free again (m). */
    float clear_m;
    /* Lowest height of an approach (m). */
    float height_low_m;
    /* Highest height of an approach (m). */
    float height_high_m;
    /* Height above the leak, within these bounds (m). */
    float height_above_m;
    /* waypoint_limit_s in steps, at least 1 (steps). */
    int32_t waypoint_limit_steps;
    /* last_look_s in steps, at least 1 (steps). */
    int32_t last_look_steps;
    /* confirm_limit_s in steps, at least 1 (steps). */
    int32_t confirm_limit_steps;
    /* ignore_s in steps, at least 1 (steps). */
    int32_t ignore_steps;
    /* lost_s in steps, at least 1 (steps). */
    int32_t lost_steps;
    /* approach_min_s in steps, at least 1 (steps). */
    int32_t approach_min_steps;
    /* approach_limit_s in steps, at least 1 (steps). */
    int32_t approach_limit_steps;
    /* hover_s in steps, at least 1 (steps). */
    int32_t hover_steps;
    /* weave_s in steps, at least 1 (steps). */
    int32_t weave_steps;
    /* The greater of both speeds (m/s). */
    float fastest_m_s;
    /* Distance from which on an obstacle limits no speed (m). */
    float obstacle_reach_m;
} bw_gas_config_t;
/* end constants */

#endif
