    uint8_t picture[@UPPER@_FRAME_BYTES]; /* of the senses so far */
    int32_t area, started, count, since;
    float wind[2];                   /* low-passed */
    float sum[3];                    /* resistance, wind east, north, since the last column */
    float last[3];                   /* resistance, position at the last column */
    float low[2], high[2], height;   /* the area */
    float side, leg, gone;           /* of the cast */
