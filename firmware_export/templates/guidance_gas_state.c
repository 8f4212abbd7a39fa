    float route[@ROUTE_MAX@][5];
    int32_t waypoints, next;
    int32_t phase, timer, streak, deaf, alarms, returning, slide;
    float evidence;
    float approaching; /* mean of what was seen on the approach */
    float seen;        /* what the frames of an approach or a hover add up to, */
    float far;         /* the distances of the same frames, */
    int32_t looks;     /* and their number */
    int32_t doubts;    /* hovers of this approach whose estimate was too near to believe */
    float hold[3];
    float vain[@ALARMS_MAX@][2]; /* where approaches in vain have ended */
    float anchor[3], normal[6], right[3], estimate[3]; /* bearings: equations, solution */
    float places_m[@PLACES@][2]; /* where something stands */
    int32_t oldest_place;        /* of them: which the next overwrites */
