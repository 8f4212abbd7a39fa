"""Apply the checks of a suite: those of its task, and the equality of the rungs.

``docs/verify.md`` gives the reason for each criterion.
"""

from __future__ import annotations

from bytewing.scenarios.checks import Check, check
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.results import FlightsByRuntime, Metrics, total_comparison
from bytewing.scenarios.schema import Suite
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


def judge(flown: FlightsByRuntime[Metrics], suite: Suite) -> list[Check]:
    """Check flights against a suite's limits.

    Args:
        flown: flights by runtime, baselines included.
        suite: the suite that was flown. Its limits on compared frames apply to all its flights; if
            only a part was flown, they are scaled by that share.

    Returns:
        The checks, in the order of the ladder; empty if no network was flown.
    """
    networks = [runtime for runtime in LADDER if runtime in flown]
    if not networks:
        return []
    limits = suite.limits
    checks: list[Check] = FLOWN_TASKS.find(suite.task).judge(networks, flown, limits)
    share = min(1.0, len(flown[networks[0]]) / suite.size)
    for runtime in networks:
        found = total_comparison(flown[runtime])
        if found is None:
            continue
        frames_min = limits.frames_compared_min.get(runtime, 1) * share
        distinct = len(found.distinct_outputs)
        checks += [
            check(f"frames_different.{runtime}", found.frames_different, "==", 0),
            check(f"frames_compared.{runtime}", found.frames_compared, ">=", frames_min),
            check(f"distinct_outputs.{runtime}", distinct, ">=", limits.distinct_outputs_min),
        ]
    return checks
