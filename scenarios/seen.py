"""What scenarios draw that a policy's training never did."""

from __future__ import annotations

from collections.abc import Iterable

from bytewing.policies.bundle import PolicySpec
from bytewing.scenarios.schema import Scenario
from bytewing.sim.distribution import distributions, load_distribution, outside

NAMED_MAX = 3
"""Most scenarios that a line names; of more it gives the number."""


def unseen(scenarios: Iterable[Scenario], spec: PolicySpec) -> list[str]:
    """Return a line for each key by which scenarios leave the policy's training distribution.

    A bundle whose distribution is unknown here, or has changed since, gets one line that says so,
    since then there is nothing to compare with.
    """
    name = spec.provenance.distribution
    if name not in distributions():
        return [f"unknown: the policy was trained on {name or 'no declared distribution'}"]
    declared = load_distribution(name)
    if declared.sha256 != spec.provenance.distribution_sha256:
        return [f"unknown: distribution {name!r} has changed since the policy was trained"]
    found: dict[str, list[str]] = {}
    for scenario in {scenario.name: scenario for scenario in scenarios}.values():
        for line in outside(scenario, declared):
            found.setdefault(line, []).append(scenario.name)
    return [f"{line} ({_listed(names)})" for line, names in found.items()]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= NAMED_MAX else f"{len(names)} scenarios"
