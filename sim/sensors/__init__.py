"""What the drone measures: inertial unit, optical flow, height."""
