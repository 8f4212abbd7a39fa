"""Draw docs/img/plume.png: one plume from above and from the side, at three leak rates.

Run from the repository's root: ``python docs/plume_pictures.py``.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bytewing.foundation.files import write_atomic
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.fields.plume import PLUME_LEAD_S, Plume
from bytewing.sim.fields.wind import Wind, WindConfig
from bytewing.sim.randomise import uniform

OUTPUT = Path(__file__).parent / "img" / "plume.png"
RATES_G_H = (50.0, 500.0, 5000.0)
OPENING_M = (0.0, 0.0, 1.0)
SEED, AIR_C, T_S, STEP_M = 4, 20.0, 3.0, 0.02
WIND = WindConfig(mean_m_s=uniform(1.5, 1.5), direction_deg=uniform(0, 0), turbulence=uniform(1, 1))
ALONG_M, ACROSS_M, UP_M = (-0.5, 10.0), (-2.7, 0.9), (0.0, 3.6)


def columns(plume: Plume, from_above: bool) -> NDArray[np.float64]:
    """Return what parallel rays pass through, ppm m, (rows from the bottom, columns)."""
    along = np.arange(*ALONG_M, STEP_M)
    rows = np.arange(*(ACROSS_M if from_above else UP_M), STEP_M)
    starts = np.zeros((len(rows), len(along), 3))
    starts[..., 0] = along
    starts[..., 1] = rows[:, None] if from_above else -20.0
    starts[..., 2] = 20.0 if from_above else rows[:, None]
    direction = [0.0, 0.0, -1.0] if from_above else [0.0, 1.0, 0.0]
    return plume.column_ppm_m(starts, direction, np.inf, T_S)


def main() -> None:
    """Draw them."""
    figure = Figure(figsize=(10, 6.2), dpi=110, layout="constrained")
    axes = figure.subplots(len(RATES_G_H), 2, sharex=True)
    wind = Wind(WIND, SEED, 60.0, lead_s=PLUME_LEAD_S)
    for (above, side), rate_g_h in zip(axes, RATES_G_H, strict=True):
        plume = Plume(GasRelease("methane", rate_g_h, OPENING_M), wind, AIR_C, SEED)
        for axis, rows_m in ((above, ACROSS_M), (side, UP_M)):
            image = axis.imshow(
                np.maximum(columns(plume, axis is above), 1e-9),
                extent=(*ALONG_M, *rows_m),
                origin="lower",
                norm=LogNorm(1, 1e4),
                cmap="magma",
            )
        above.plot(*OPENING_M[:2], "+", color="white", ms=8)
        side.plot(OPENING_M[0], OPENING_M[2], "+", color="white", ms=8)
        above.set(title=f"{rate_g_h:g} g/h from above", ylabel="m north")
        side.set(title=f"{rate_g_h:g} g/h from the south", ylabel="m up")
    for axis in axes[-1]:
        axis.set(xlabel="m east")
    figure.colorbar(image, ax=axes, label="methane, ppm m", shrink=0.7)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_atomic(OUTPUT, buffer.getvalue())


if __name__ == "__main__":
    main()
