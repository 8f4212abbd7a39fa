"""Courses: worlds to fly through, each with geometry, scene and referee."""
