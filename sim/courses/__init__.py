"""Courses: a kind of world to fly through, each with its geometry, scene and referee."""
