"""When a policy passes a suite: the task's own checks, and those of equality that all share.

What each criterion is for stands in ``docs/verify.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from bytewing.scenarios.checks import Check, Flights, check, total_comparison
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.schema import Suite
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


def judge(flown: Mapping[str, Flights], suite: Suite) -> list[Check]:
    """Hold what was flown to a suite's limits.

    Args:
        flown: flights by runtime; pilots without a network may be among them.
        suite: whose flights they are; the frames to be compared are for all of them and scale with
            what was flown.

    Returns:
        The checks, in the order of the ladder; no network among the flights gives none.
    """
    networks = [runtime for runtime in LADDER if runtime in flown]
    if not networks:
        return []
    limits = suite.limits
    checks = FLOWN_TASKS.find(suite.task).judge(networks, flown, limits)
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
