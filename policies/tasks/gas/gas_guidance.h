/* Gas guidance: patrol a route, look where gas seems to be, go there, say where it comes out.

       PATROL    along the route's waypoints; enough evidence -> CONFIRM
       CONFIRM   stand and look; evidence that lasts -> APPROACH, none in time -> PATROL
       APPROACH  up to a stand-off, weaving for parallax -> HOVER; evidence lost -> PATROL
       HOVER     bearings from there for a while -> REPORTED; too little seen -> PATROL; the network
                 says that it is farther -> APPROACH
       REPORTED  the leak is where the estimate says
       NOTHING   the route is over, and a last look taken

   Evidence is what the strongest cells of the network's map add up to, low-passed. The estimate is
   the point on which the bearings since CONFIRM agree best (gas_bearings.h). Every velocity is
   limited by what the four ranges say is free and by what they saw lately (gas_obstacles.h).

   Time is counted in steps: senses carry no clock, and a caller that misses frames because it is
   still computing has timers and low-passes that are slower by that. */
#ifndef BW_GAS_GUIDANCE_H
#define BW_GAS_GUIDANCE_H

#include <stdint.h>

#include "bw_guidance.h"
#include "gas_bearings.h"
#include "gas_config.h"
#include "gas_leak_map.h"
#include "gas_obstacles.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the drone is doing; also the number in the answer. */
enum {
    BW_GAS_PATROL = 0,
    BW_GAS_CONFIRM = 1,
    BW_GAS_APPROACH = 2,
    BW_GAS_HOVER = 3,
    BW_GAS_REPORTED = 4,
    BW_GAS_NOTHING = 5
};

/* The highest value of the constant alarms_max. */
#define BW_GAS_ALARMS_LIMIT 16

/* Everything that it remembers. */
typedef struct {
    float route[BW_ROUTE_MAX][5];
    int32_t waypoints; /* of the route */
    int32_t next;      /* waypoint to reach */
    int32_t phase;
    int32_t timer;        /* steps in this phase, on patrol towards this waypoint */
    int32_t streak;       /* steps in a row that speak for the next phase, or against this one */
    int32_t ignore_steps; /* for how many steps evidence still does not count */
    int32_t returning;    /* to where it left the route: the bearings' anchor */
    int32_t detour;       /* past what is in the way: 1 counter-clockwise of it, -1 clockwise */
    float evidence;       /* of gas, 0 to 1 */
    float gas_sum;        /* of the frames of this approach or hover, */
    float distance_sum;   /* their distances, */
    int32_t frames;       /* and their number */
    float approach_gas;   /* mean gas of the approach */
    int32_t doubts;       /* hovers of this approach whose estimate was too near to believe */
    int32_t alarms;       /* approaches in vain, */
    float alarm_places[BW_GAS_ALARMS_LIMIT][2]; /* and where they ended, east and north, m */
    float hold[3];                              /* place to stay at, m */
    bw_gas_bearings_t bearings;
    bw_gas_obstacles_t obstacles;
} bw_gas_state_t;

/* A velocity command in the drone's heading frame, and what the search has found. */
typedef struct {
    float forward_m_s;
    float left_m_s;
    float climb_m_s;
    float yaw_rate_rad_s;
    float phase;     /* 0 patrol, 1 confirm, 2 approach, 3 hover, 4 reported, 5 nothing found */
    float leak_m[3]; /* where the leak seems to be, world; the result in phase 4 */
    float evidence;  /* of gas, 0 to 1 */
} bw_gas_answer_t;

/* What the network answers, in this order. */
enum {
    BW_GAS_OUTPUT_LEAK = 0, /* a map, see gas_leak_map.h */
    BW_GAS_OUTPUT_DISTANCE = BW_GAS_MAP_CELLS,
    BW_GAS_OUTPUTS = BW_GAS_MAP_CELLS + 1
};

/* Go back to the state at take-off, with the route to patrol. It is copied, up to BW_ROUTE_MAX
   waypoints. */
void bw_gas_reset(bw_gas_state_t *state, const bw_gas_config_t *config, const float (*route)[5],
                  int32_t waypoints);

/* Answer one frame's outputs and what was sensed with it. The leak's map is that of the picture
   which bw_mirror_to_wind asks for; the distance is over distance_full_m, clamped to [0, 1].
   Returns BW_FLYING, BW_FOUND in phase 4 or BW_NOTHING_FOUND in phase 5. */
int bw_gas_step(bw_gas_state_t *state, const bw_gas_config_t *config,
                const float outputs[BW_GAS_OUTPUTS], const bw_senses_t *senses,
                bw_gas_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
