"""Draw docs/img/thermal.png: one leak through two cameras, by its rate and by how warm the wall is.

Run from the repository's root: ``python docs/thermal_pictures.py``.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.camera.config import ThermalConfig, load_camera
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.thermal import ThermalCamera
from bytewing.sim.courses.gas.config import GasSiteConfig
from bytewing.sim.courses.gas.course import GasSite, generate_gas_site
from bytewing.sim.fields.plume import PLUME_LEAD_S, Plume
from bytewing.sim.fields.wind import Wind, WindConfig
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.randomise import uniform

OUTPUT = Path(__file__).parent / "img" / "thermal.png"
CAMERAS = (("cooled_mid_wave", "methane"), ("uncooled_long_wave", "ammonia"))
RATES_G_H = (0.0, 100.0, 500.0, 2000.0)
EXCESS_K = (5.0, 1.0, 0.0, -3.0)
"""How much warmer than air and gas the surfaces are."""

SEED, AWAY_M, FLIGHT_S = 12, 3.2, 2.0
WIND = WindConfig(mean_m_s=1.0, direction_deg=20.0, turbulence=1.0)
ENLARGED, GAP_PX, LABEL_PX, FONT_SCALE = 3, 6, 18, 0.42

Frame = NDArray[np.uint8]


def pose(site: GasSite) -> NDArray[np.float64]:
    """Return where the leak is seen from: south of it, beside and above its middle."""
    assert site.leak is not None
    x, y, z = site.leak.position_world_m
    turned = quaternion_from_euler(0.0, 0.0, math.pi / 2)
    return np.array([x + 0.6, y - AWAY_M, max(z, 1.2), *turned])


def view(config: ThermalConfig, gas: str, rate_g_h: float, excess_k: float) -> tuple[Frame, float]:
    """Return what the camera sees after FLIGHT_S seconds of hovering, and the gas's contrast."""
    drawn = GasSiteConfig(
        leak_probability=1.0,
        obstacle_count=uniform(0, 0),
        hot_pipe_count=uniform(1, 1),
        air_c=uniform(20.0, 20.0),
        background_excess_k=uniform(excess_k, excess_k),
    )
    site = generate_gas_site(drawn, SEED)
    assert site.leak is not None
    wind = Wind(WIND, SEED, FLIGHT_S, PLUME_LEAD_S)
    plumes = []
    if rate_g_h:
        release = dataclasses.replace(site.leak, gas=gas, rate_g_h=rate_g_h)
        plumes = [Plume(release, wind, site.air_c, SEED)]
    camera = ThermalCamera(site.scene, config, SEED, plumes)
    at = pose(site)
    for tick in range(round(FLIGHT_S * config.rate_hz)):
        frame = camera.take_frame(Capture(at, at, tick / config.rate_hz, tick / config.rate_hz))
    return frame, camera.gas_contrast


def cell(label: str, frame: Frame) -> Frame:
    """Return a labelled frame, enlarged."""
    large = frame.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    caption = np.full((LABEL_PX, large.shape[1]), 255, np.uint8)
    cv2.putText(caption, label, (1, 13), cv2.FONT_HERSHEY_SIMPLEX, FONT_SCALE, 0, 1, cv2.LINE_AA)
    return np.pad(np.vstack([caption, large]), GAP_PX // 2, constant_values=255)


def main() -> None:
    """Draw the sheet."""
    rows = []
    for excess_k in EXCESS_K:
        cells = []
        for name, gas in CAMERAS:
            config = load_camera(name)
            assert isinstance(config, ThermalConfig)
            for rate_g_h in RATES_G_H:
                frame, contrast = view(config, gas, rate_g_h, excess_k)
                leak = f"{rate_g_h:g} g/h, {contrast:.1f} NETD" if rate_g_h else f"no {gas}"
                cells.append(cell(f"{excess_k:+g} K: {leak}", frame))
        rows.append(np.hstack(cells))
    written, png = cv2.imencode(".png", np.vstack(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    write_atomic(OUTPUT, png.tobytes())


if __name__ == "__main__":
    main()
