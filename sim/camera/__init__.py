"""Camera models: from the drone's pose to the pixels that a pilot receives."""
