"""From a pose to the bytes a camera would deliver."""
