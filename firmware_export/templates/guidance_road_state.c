    float steering, collision; /* low-passed */
