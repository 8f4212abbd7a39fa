"""Fly road_standard under each effect of the simulation alone and write docs/cost-of-effects.md.

Run from the repository's root: ``python docs/cost_of_effects.py [POLICY]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bytewing
from bytewing.foundation.files import write_atomic
from bytewing.foundation.fleet import default_jobs
from bytewing.foundation.progress import progress_bar
from bytewing.studies.bench import machine
from bytewing.studies.effects import EFFECTS, cost_of_effects, effect_jobs

SUITE = "road_standard"
HEAD = """\
# What each effect of the simulation costs the policy

The road policy that ships was trained with all effects on. Here it flies the {flights} flights of
`{suite}` as exported C: without any effect, with each effect alone, and with all of them. The
effects are as strong as `sim/distributions/road/road.toml` and `sim/camera/presets/hm01b0.toml`
declare. The roads are the same in every row. The figures are medians over flights.

One or two completed flights more or fewer of sixty are chance. The network was trained with the
distorting lens, so a world without distortion is unfamiliar to it, and the row "lens distortion"
is better than the row without effects. A sagging battery costs nothing until the motors saturate,
because the firmware compensates for the voltage.

Made by `python docs/cost_of_effects.py` on {machine}.

| effect | completed | RMSE m | p95 m | speed m/s | collisions |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Fly, and write the table."""
    bundle = bytewing.load_policy(sys.argv[1] if len(sys.argv) > 1 else "road")
    planned = effect_jobs(bundle, SUITE)
    with progress_bar("flights", len(planned)) as advance:
        found = cost_of_effects(bundle, SUITE, jobs=default_jobs(), advance=advance)
    rows = [row.as_json() for row in found]
    flights = len(planned) // len(EFFECTS)
    text = HEAD.format(flights=flights, suite=SUITE, machine=machine())
    for row in rows:
        text += (
            f"| {row['effect']} | {row['completed']} of {row['flights']} "
            f"| {row['cross_track_rmse_m']:.4f} | {row['cross_track_p95_m']:.4f} "
            f"| {row['mean_speed_m_s']:.3f} | {row['collisions']} |\n"
        )
    write_atomic(Path(__file__).parent / "cost-of-effects.md", text.encode())
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
