"""List the scenario keys that lie outside the training distribution of a policy."""

from __future__ import annotations

from collections.abc import Iterable

from bytewing.policies.bundle import PolicySpec
from bytewing.scenarios.schema import Scenario
from bytewing.sim.distribution import distributions, load_distribution, outside

NAMED_MAX = 3
"""Maximum number of scenarios that a line names; for more it gives their number."""


def unseen(scenarios: Iterable[Scenario], spec: PolicySpec) -> list[str]:
    """Return one line for each scenario key outside the training distribution of the policy.

    If the distribution of the policy is unknown to this version or has changed since training, the
    result is one line that reports this.
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
