"""Draw docs/img/gas_sites.png: six sites from above, and what there is to see on two of them.

Run from the repository's root: ``python docs/gas_site_pictures.py``.
"""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import patches, transforms
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.camera.config import CameraConfig, load_camera
from bytewing.sim.camera.distortion import Distortion
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.courses.gas.course import GasSite, GasSiteConfig, generate_gas_site
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from bytewing.sim.randomise import uniform
from bytewing.sim.scene import Box, SceneObject

OUTPUT = Path(__file__).parent / "img" / "gas_sites.png"
CROWDED = GasSiteConfig(
    leak_probability=0.8,
    obstacle_count=uniform(1, 5),
    hot_pipe_count=uniform(0, 2),
    steam_count=uniform(0, 2),
    walker_count=uniform(1, 2),
    cloud_shadow_probability=0.5,
)
SEEDS = (4, 5, 7, 8, 12, 14)
DRAWN = (4, 12)
COLOURS = {
    "tank": "0.75",
    "pipe": "0.45",
    "flange": "0.15",
    "support": "0.6",
    "obstacle": "tab:brown",
    "vent": "tab:cyan",
    "walker": "tab:orange",
}


def from_above(axes: Axes, site: GasSite, seed: int) -> None:
    """Draw a plan: solids, flanges, route with where to look, leak and distractors."""
    for item in site.scene.objects:
        colour = COLOURS.get(item.name.split()[0], "0.3")
        if item.name in site.parameters["hot_pipes"]:
            colour = "tab:red"
        _outline(axes, item, colour)
    x, y, _, cosine, sine = site.route.T
    axes.plot(x, y, ".-", color="tab:blue", linewidth=1)
    axes.plot(x[0], y[0], "o", color="tab:blue")
    axes.quiver(
        x, y, cosine, sine, color="tab:blue", angles="xy", scale=1.6, scale_units="xy", width=0.003
    )
    axes.plot(*site.flanges_world_m[:, :2].T, ".", color="black", markersize=3)
    for release in site.releases:
        look = "c^" if release.gas == "steam" else "r*"
        axes.plot(*release.position_world_m[:2], look, markersize=9)
    leak = f"{site.leak.rate_g_h:.0f} g/h" if site.leak else "no leak"
    west, south, east, north = site.bounds_m
    axes.set(xlim=(west - 2, east + 2), ylim=(south - 0.3, north + 0.5), aspect="equal")
    axes.set_title(f"seed {seed}: {leak}", fontsize=8)
    axes.tick_params(labelsize=6)


def _outline(axes: Axes, item: SceneObject, colour: str) -> None:
    x, y, _ = item.position_world_m
    if item.motion is not None:
        ends = np.array([item.position_world_m, item.motion.end_world_m])
        axes.plot(*ends[:, :2].T, ":", color=colour, linewidth=1)
    if item.collision is None:
        axes.add_patch(patches.Circle((x, y), 0.4, fill=False, color=colour, linestyle=":"))
    elif isinstance(item.collision, Box):
        length_m, width_m, _ = item.collision.size_m
        turned = transforms.Affine2D().rotate_around(x, y, item.yaw_rad) + axes.transData
        corner = (x - length_m / 2, y - width_m / 2)
        axes.add_patch(
            patches.Rectangle(corner, length_m, width_m, color=colour, transform=turned, zorder=2)
        )
    else:
        axes.add_patch(patches.Circle((x, y), item.collision.radius_m, color=colour, zorder=2))


def seen_from(
    site: GasSite, position_m: NDArray[np.float64], pitch_rad: float, yaw_rad: float, deg: float
) -> NDArray[np.float32]:
    """Return a wide grey picture (H, W) without noise."""
    camera: CameraConfig = load_camera("hm01b0").model_copy(
        update={
            "width_px": 480,
            "height_px": 300,
            "field_of_view_deg": deg,
            "pitch_down_deg": 0.0,
            "distortion": Distortion(),
        }
    )
    quaternion = quaternion_from_euler(0.0, pitch_rad, yaw_rad)
    state = DroneState(position_m, quaternion, np.zeros(3), np.zeros(3))
    return Raster(site.scene, camera).render(Capture.still(state, 3.0))


def main() -> None:
    """Draw the sheet."""
    figure, axes = plt.subplots(4, 3, figsize=(13, 13), layout="constrained")
    plans = axes[:2].ravel()
    for plan, seed in zip(plans, SEEDS, strict=True):
        from_above(plan, generate_gas_site(CROWDED, seed), seed)
    for row, seed in zip(axes[2:], DRAWN, strict=True):
        site = generate_gas_site(CROWDED, seed)
        overview = np.array([0.0, site.bounds_m[1] - 4.0, 5.5])
        pictures = [("from the south", seen_from(site, overview, 0.45, np.pi / 2, 75.0))]
        for place in (len(site.route) // 3, 2 * len(site.route) // 3):
            at, yaw_rad = site.patrol.places_world_m[place], site.patrol.yaw_rad[place]
            pictures.append(
                (f"from place {place} of the route", seen_from(site, at, 0, yaw_rad, 70))
            )
        for panel, (title, picture) in zip(row, pictures, strict=True):
            panel.imshow(picture, cmap="gray", vmin=0, vmax=1)
            panel.set_title(f"seed {seed}, {title}", fontsize=8)
            panel.axis("off")
    png = io.BytesIO()
    figure.savefig(png, dpi=80, metadata={"Software": ""})
    write_atomic(OUTPUT, png.getvalue())


if __name__ == "__main__":
    main()
