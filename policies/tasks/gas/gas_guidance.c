#include "gas_guidance.h"

#include "bw_mirror_to_wind.h"
#include "gas_motion.h"

static void copy3(const float from[3], float to[3]) {
    for (int i = 0; i < 3; i++) {
        to[i] = from[i];
    }
}

static void enter(bw_gas_state_t *state, int32_t phase) {
    state->phase = phase;
    state->timer = 0;
    state->streak = 0;
    state->detour = 0;
}

/* ---- Evidence ------------------------------------------------------------------------------ */

static void reset_sums(bw_gas_state_t *state) {
    state->gas_sum = 0.0f;
    state->distance_sum = 0.0f;
    state->frames = 0;
}

static void update_evidence(bw_gas_state_t *state, const bw_gas_config_t *config, float gas,
                            float distance) {
    if (state->returning || state->ignore_steps > 0 || state->alarms >= config->alarms_max) {
        /* A look from off the route would end in a way back that nobody has checked. */
        if (state->ignore_steps > 0 && !state->returning) {
            state->ignore_steps--;
        }
        state->evidence = 0.0f;
        return;
    }
    const float smoothing =
        state->phase == BW_GAS_PATROL ? config->patrol_smoothing : config->confirm_smoothing;
    state->evidence = state->evidence + smoothing * (gas - state->evidence);
    if (state->phase == BW_GAS_APPROACH || state->phase == BW_GAS_HOVER) {
        state->gas_sum = state->gas_sum + gas;
        state->distance_sum = state->distance_sum + distance;
        state->frames++;
    }
}

/* ---- Phases -------------------------------------------------------------------------------- */

static void give_up(bw_gas_state_t *state, const bw_gas_config_t *config) {
    state->evidence = 0.0f;
    state->ignore_steps = config->ignore_steps;
    state->returning = 1;
    enter(state, BW_GAS_PATROL);
}

static void raise_false_alarm(bw_gas_state_t *state, const bw_gas_config_t *config) {
    if (state->alarms < BW_GAS_ALARMS_LIMIT) {
        float *place = state->alarm_places[state->alarms++];
        place[0] = state->bearings.estimate[0];
        place[1] = state->bearings.estimate[1];
    }
    give_up(state, config);
}

/* Whether two approaches in vain have been to where the estimate is. */
static int was_there_twice(const bw_gas_state_t *state, const bw_gas_config_t *config) {
    const float *estimate = state->bearings.estimate;
    int times = 0;
    for (int32_t i = 0; i < state->alarms; i++) {
        const float *place = state->alarm_places[i];
        if (bw_norm(estimate[0] - place[0], estimate[1] - place[1]) <= config->same_place_m) {
            times++;
        }
    }
    return times >= 2;
}

static int is_near(const bw_gas_config_t *config, const float target[3], const float position[3]) {
    return bw_norm(target[0] - position[0], target[1] - position[1]) <= config->reached_m;
}

static void begin_to_look(bw_gas_state_t *state, const bw_gas_config_t *config,
                          const bw_gas_pose_t *pose) {
    /* Ahead, until the first bearing says more. */
    const float ahead[3] = {pose->position[0] + pose->heading[0] * config->standoff_m,
                            pose->position[1] + pose->heading[1] * config->standoff_m,
                            pose->position[2]};
    copy3(pose->position, state->hold);
    bw_gas_bearings_start(&state->bearings, pose->position, ahead);
    enter(state, BW_GAS_CONFIRM);
}

static void patrol(bw_gas_state_t *state, const bw_gas_config_t *config,
                   const bw_gas_pose_t *pose) {
    const int over = state->next >= state->waypoints;
    /* Where the route ends there is nothing else to miss. */
    const int last = !state->returning && over;
    if (state->evidence > (last ? config->last_at : config->confirm_at)) {
        begin_to_look(state, config, pose);
        return;
    }
    const int late = state->timer >= config->waypoint_limit_steps;
    if (state->returning) {
        if (late || is_near(config, state->bearings.anchor, pose->position)) {
            state->returning = 0;
            state->timer = 0;
        }
    } else if (!over) {
        const float *waypoint = state->route[state->next];
        const float cosine = pose->heading[0] * waypoint[3] + pose->heading[1] * waypoint[4];
        if (late || (is_near(config, waypoint, pose->position) && cosine >= config->facing_cos)) {
            state->next++;
            state->timer = 0;
        }
    } else if (state->timer >= config->last_look_steps) {
        copy3(pose->position, state->hold);
        enter(state, BW_GAS_NOTHING);
    }
}

static void confirm(bw_gas_state_t *state, const bw_gas_config_t *config) {
    /* A look without a single bearing would have nowhere to go. */
    const int sure = state->evidence > config->approach_at && bw_gas_bearings_any(&state->bearings);
    state->streak = sure ? state->streak + 1 : 0;
    if (state->streak >= config->approach_frames) {
        if (was_there_twice(state, config)) {
            give_up(state, config);
        } else {
            state->doubts = 0;
            reset_sums(state);
            enter(state, BW_GAS_APPROACH);
        }
    } else if (state->timer >= config->confirm_limit_steps) {
        give_up(state, config);
    }
}

/* End a hover at away_m from the estimate: report, come nearer, or go back. */
static void judge(bw_gas_state_t *state, const bw_gas_config_t *config, float away_m) {
    const float frames = (float)state->frames;
    const float gas = config->approach_share * state->approach_gas +
                      (1.0f - config->approach_share) * (state->gas_sum / frames);
    if (!(gas > config->report_at)) {
        raise_false_alarm(state, config);
    } else if (state->distance_sum / frames * config->distance_full_m > away_m + config->doubt_m &&
               state->doubts < config->doubts_max) {
        state->doubts++;
        reset_sums(state);
        enter(state, BW_GAS_APPROACH);
    } else {
        enter(state, BW_GAS_REPORTED);
    }
}

/* Approach or hover: go on, or end it. */
static void pursue(bw_gas_state_t *state, const bw_gas_config_t *config,
                   const bw_gas_pose_t *pose) {
    const float *estimate = state->bearings.estimate;
    const float away_m = bw_norm(estimate[0] - pose->position[0], estimate[1] - pose->position[1]);
    const int32_t timer = state->timer;
    state->streak = state->evidence < config->lost_at ? state->streak + 1 : 0;
    if (state->streak >= config->lost_steps) {
        raise_false_alarm(state, config);
    } else if (state->phase == BW_GAS_HOVER) {
        if (timer >= config->hover_steps) {
            judge(state, config, away_m);
        }
    } else if (timer >= config->approach_limit_steps ||
               (timer >= config->approach_min_steps &&
                away_m <= config->standoff_m + config->reached_m)) {
        copy3(pose->position, state->hold);
        state->approach_gas = state->gas_sum / (float)state->frames;
        reset_sums(state);
        enter(state, BW_GAS_HOVER);
    }
}

static void change_phase(bw_gas_state_t *state, const bw_gas_config_t *config,
                         const bw_gas_pose_t *pose) {
    state->timer++;
    if (state->phase == BW_GAS_PATROL) {
        patrol(state, config, pose);
    } else if (state->phase == BW_GAS_CONFIRM) {
        confirm(state, config);
    } else if (state->phase == BW_GAS_APPROACH || state->phase == BW_GAS_HOVER) {
        pursue(state, config, pose);
    }
}

/* ---- Interface ----------------------------------------------------------------------------- */

void bw_gas_reset(bw_gas_state_t *state, const bw_gas_config_t *config, const float (*route)[5],
                  int32_t waypoints) {
    const float zero[3] = {0.0f, 0.0f, 0.0f};
    (void)config;
    state->waypoints = waypoints < BW_ROUTE_MAX ? waypoints : BW_ROUTE_MAX;
    for (int32_t i = 0; i < state->waypoints; i++) {
        for (int k = 0; k < 5; k++) {
            state->route[i][k] = route[i][k];
        }
    }
    state->next = 0;
    state->ignore_steps = 0;
    state->returning = 0;
    state->evidence = 0.0f;
    state->approach_gas = 0.0f;
    state->doubts = 0;
    state->alarms = 0;
    copy3(zero, state->hold);
    reset_sums(state);
    bw_gas_bearings_start(&state->bearings, zero, zero);
    bw_gas_obstacles_reset(&state->obstacles);
    enter(state, BW_GAS_PATROL);
}

int bw_gas_step(bw_gas_state_t *state, const bw_gas_config_t *config,
                const float outputs[BW_GAS_OUTPUTS], const bw_senses_t *senses,
                bw_gas_answer_t *answer) {
    bw_gas_sighting_t sighting;
    bw_gas_pose_t pose;
    bw_gas_leak_map_read(outputs + BW_GAS_OUTPUT_LEAK, &sighting);
    if (bw_mirror_to_wind(senses)) {
        sighting.left = -sighting.left;
    }
    const float distance = bw_clamp(outputs[BW_GAS_OUTPUT_DISTANCE], 0.0f, 1.0f);
    bw_read_position(senses, pose.position);
    bw_read_attitude(senses, pose.attitude);
    bw_read_ranges(senses, pose.ranges);
    bw_heading(pose.attitude, pose.heading);

    update_evidence(state, config, sighting.gas, distance);
    if (state->phase >= BW_GAS_CONFIRM && state->phase <= BW_GAS_HOVER &&
        sighting.gas >= config->ray_at) {
        bw_gas_bearings_add(&state->bearings, config, pose.position, pose.attitude, sighting.left,
                            sighting.up, distance, sighting.at_edge ? config->edge_weight : 1.0f);
    }
    change_phase(state, config, &pose);
    bw_gas_move(state, config, &pose, answer);
    answer->phase = (float)state->phase;
    copy3(state->bearings.estimate, answer->leak_m);
    answer->evidence = state->evidence;
    if (state->phase == BW_GAS_REPORTED) {
        return BW_FOUND;
    }
    return state->phase == BW_GAS_NOTHING ? BW_NOTHING_FOUND : BW_FLYING;
}
