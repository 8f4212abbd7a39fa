"""Draw docs/img/navigation.png and docs/img/wind.png: how the estimate errs, how the wind gusts.

Run from the repository's root: ``python docs/navigation_and_wind.py``.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.clock import Clock
from bytewing.sim.fields.wind import RATE_HZ, Wind, WindConfig, intensities_m_s, scale_lengths_m
from bytewing.sim.frames import euler_from_quaternion
from bytewing.sim.navigation import Navigation, NavigationConfig, observe
from bytewing.sim.randomise import uniform

IMAGES = Path(__file__).parent / "img"
HOVER_S, HEIGHT_M, SEEDS = 60.0, 0.5, 12
BLUE, ORANGE, GREEN, INK = "#0072b2", "#d55e00", "#009e73", "#333333"


def hover_estimates(seed: int, clock: Clock) -> NDArray[np.float64]:
    """Return (N, 13) what a drone believes that hangs still at ``HEIGHT_M``, every 10 ms."""
    navigation = Navigation(NavigationConfig(), clock, seed)
    state = np.array([0, 0, HEIGHT_M, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    force = np.array([0.0, 0.0, GRAVITY_M_S2])
    estimate = navigation.start(state[:3], 0.0)
    rows = []
    for tick in range(clock.ticks(HOVER_S)):
        observe(tick, navigation.rng, state, force, navigation.params, navigation.memory, estimate)
        if tick % 10 == 0:
            rows.append(estimate.copy())
    return np.array(rows)


def draw_navigation() -> Figure:
    """Return the errors of speed, yaw and place over a minute of hovering."""
    figure = Figure(figsize=(10, 3), dpi=110, layout="constrained")
    speed, yaw, place = figure.subplots(1, 3)
    times = np.arange(0, HOVER_S, 0.01)
    for seed in range(SEEDS):
        rows = hover_estimates(seed, Clock())
        yaws = [math.degrees(euler_from_quaternion(row[3:7])[2]) for row in rows]
        if seed < 2:
            speed.plot(times, rows[:, 7], lw=0.6, color=(BLUE, ORANGE)[seed])
        yaw.plot(times, yaws, lw=0.8, color=BLUE, alpha=0.6)
        place.plot(rows[:, 0], rows[:, 1], lw=0.8, color=BLUE, alpha=0.6)
    speed.set(title="believed speed, two seeds", xlabel="s", ylabel="m/s to the east", xlim=(0, 20))
    yaw.set(title=f"believed yaw, {SEEDS} seeds", xlabel="s", ylabel="degrees")
    place.set(title="believed place, 60 s", xlabel="m", ylabel="m", aspect="equal")
    return figure


def draw_wind() -> Figure:
    """Return one wind over time, and the spectra of a long one with those of the specification."""
    figure = Figure(figsize=(10, 3.2), dpi=110, layout="constrained")
    series, spectra = figure.subplots(1, 2)
    mean_m_s = 2.0
    east = {"mean_m_s": uniform(mean_m_s, mean_m_s), "direction_deg": uniform(0, 0)}
    turbulent = WindConfig(**east, turbulence=uniform(1, 1))
    gusty = turbulent.model_copy(
        update={"step_m_s": uniform(1.5, 1.5), "step_at_s": uniform(20, 20)}
    )
    times = np.arange(0, 40, 0.01)
    one = Wind(gusty, 3, 40.0)
    values = np.array([one.sample(np.zeros(3), t) for t in times])
    names = ("east (along)", "north (left)", "up")
    for axis, colour in enumerate((BLUE, ORANGE, GREEN)):
        series.plot(times, values[:, axis], lw=0.8, color=colour, label=names[axis])
    series.set(title="2 m/s to the east, turbulence 1, step of 1.5 m/s at 20 s", xlabel="s")
    series.set_ylabel("m/s")
    series.legend(frameon=False, fontsize=8, ncols=3)

    long_s, segment = 4000.0, 8192
    long = Wind(turbulent, 1, long_s)
    gusts = np.array([long.sample(np.zeros(3), n / RATE_HZ) for n in range(int(long_s * RATE_HZ))])
    gusts -= long.mean_world_m_s
    omega = 2 * np.pi * np.fft.rfftfreq(segment, 1 / RATE_HZ)[1:]
    window = np.hanning(segment)
    for axis, colour in ((0, BLUE), (2, GREEN)):
        pieces = gusts[: len(gusts) // segment * segment, axis].reshape(-1, segment) * window
        power = (np.abs(np.fft.rfft(pieces, axis=1)) ** 2).mean(axis=0)[1:]
        density = power / np.sum(window**2) / RATE_HZ / np.pi
        spectra.loglog(omega, density, lw=0.7, color=colour, label=names[axis])
        sigma = intensities_m_s(mean_m_s)[axis // 2]
        lag = scale_lengths_m()[axis // 2] / mean_m_s
        shape = 1 / (1 + (lag * omega) ** 2)
        dryden = shape * 2 if axis == 0 else shape**2 * (1 + 3 * (lag * omega) ** 2)
        spectra.loglog(omega, sigma**2 * lag / np.pi * dryden, "--", lw=1, color=INK)
    spectra.set(title="spectra: drawn, and MIL-F-8785C (dashed)", xlabel="rad/s", xlim=(0.08, 100))
    spectra.set_ylabel("(m/s)² per rad/s")
    spectra.legend(frameon=False, fontsize=8)
    return figure


def main() -> None:
    """Draw both pictures."""
    for name, figure in (("navigation", draw_navigation()), ("wind", draw_wind())):
        buffer = io.BytesIO()
        FigureCanvasAgg(figure).print_png(buffer)
        write_atomic(IMAGES / f"{name}.png", buffer.getvalue())


if __name__ == "__main__":
    main()
