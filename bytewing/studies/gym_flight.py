"""A flight in gym-pybullet-drones, timed: run by a Python that can import it, never imported here.

    PYTHON gym_flight.py CHECKOUT SECONDS {0|1}

One Crazyflie hovers at 240 Hz control with a 64 x 64 camera at 30 Hz, over an empty plane (0) or
with that project's own obstacles (1). Prints one line of JSON with its simulated and wall-clock
seconds; the first simulated second warms up and is not counted.
"""

import json
import sys
import time

RATE_HZ, CAMERA_PERIOD = 240, 8
SIZE_PX = 64
HOVER_M = (0.0, 0.0, 0.5)


def main(checkout: str, seconds: float, obstacles: bool) -> None:
    """Fly and print the figures."""
    sys.path.insert(0, checkout)
    import numpy as np
    from gym_pybullet_drones.control.DSLPIDControl import DSLPIDControl
    from gym_pybullet_drones.envs.CtrlAviary import CtrlAviary
    from gym_pybullet_drones.utils.enums import DroneModel

    env = CtrlAviary(
        initial_xyzs=np.array([HOVER_M]),
        pyb_freq=RATE_HZ,
        ctrl_freq=RATE_HZ,
        obstacles=obstacles,
        user_debug_gui=False,
    )
    env.IMG_RES = np.array([SIZE_PX, SIZE_PX])
    control = DSLPIDControl(drone_model=DroneModel.CF2X)
    env.reset()
    action = np.zeros((1, 4))

    def fly(steps: int) -> None:
        for step in range(steps):
            observation, *_ = env.step(action)
            if step % CAMERA_PERIOD == 0:
                env._getDroneImages(0, segmentation=False)
            action[0], _, _ = control.computeControlFromState(
                1 / RATE_HZ, state=observation[0], target_pos=np.array(HOVER_M)
            )

    fly(RATE_HZ)
    steps = round(seconds * RATE_HZ)
    start = time.perf_counter()
    fly(steps)
    wall_s = time.perf_counter() - start
    env.close()
    sys.stdout.write(json.dumps({"simulated_s": steps / RATE_HZ, "wall_s": wall_s}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3] == "1")
