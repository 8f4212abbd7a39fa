"""Network inputs from camera frames or from the senses."""
