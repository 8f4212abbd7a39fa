/* What every kind of guidance shares. A kind KIND has, in KIND_guidance.h,

       void bw_KIND_reset(bw_KIND_state_t *, const bw_KIND_config_t *, route, waypoints);
       int bw_KIND_step(bw_KIND_state_t *, const bw_KIND_config_t *, outputs, senses, answer);

   Everything that it remembers is in its state, so that several instances run side by side. */
#ifndef BW_GUIDANCE_H
#define BW_GUIDANCE_H

#include <stdint.h>

#include "bw_senses.h"

/* A route has at most so many waypoints; each is x, y, z in the world, m, and the cosine and the
   sine of the yaw there. */
#define BW_ROUTE_MAX 24

/* What a step returns. */
enum {
    BW_FLYING = 0,       /* the search goes on, or there is none */
    BW_FOUND = 1,        /* something was found: its position is in the answer */
    BW_NOTHING_FOUND = 2 /* everything was searched, and nothing was found */
};

#endif
