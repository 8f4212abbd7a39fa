"""Report on a verification, as ``verify`` prints it and ``verify --json`` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bytewing.policies.splits import Split
from bytewing.scenarios.checks import Check
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.results import (
    Figures,
    FlightResult,
    Flights,
    FlightsByRuntime,
    Metrics,
    completed,
    same_flights,
    total_comparison,
)
from bytewing.scenarios.stats import compare_paired
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


@dataclass(frozen=True)
class RuntimeRow:
    """The flights of one runtime and the figures over them.

    Attributes:
        runtime: name of the runtime or baseline.
        flights: its flights.
        figures: counts, and medians over flights. ``only_reference_completed``,
            ``only_this_completed`` and ``paired_p_value`` compare with the float policy on the
            flights of both; they are None for float itself and if float was not flown.
    """

    runtime: str
    flights: tuple[FlightResult[Metrics], ...]
    figures: Figures

    def as_json(self) -> dict[str, Any]:
        """Return the row of ``verify --json``."""
        return {"runtime": self.runtime, **self.figures}


def rows_of(flown: FlightsByRuntime[Metrics], task: str) -> tuple[RuntimeRow, ...]:
    """Return a row for each runtime, in the order of ``flown``."""
    judging = FLOWN_TASKS.find(task)
    rows = []
    for runtime, flights in flown.items():
        reference = flown.get("float", ()) if runtime != "float" else ()
        figures = {
            **judging.summary([flight.metrics for flight in flights]),
            **judging.row_figures(flights, flown),
            **_compared_frames(flights),
            **_paired(flights, reference),
        }
        rows.append(RuntimeRow(runtime, tuple(flights), figures))
    return tuple(rows)


def _compared_frames(flights: Flights[Metrics]) -> Figures:
    found = total_comparison(flights)
    return {
        "frames_compared": found.frames_compared if found else 0,
        "frames_different": found.frames_different if found else 0,
        "distinct_outputs": len(found.distinct_outputs) if found else 0,
    }


def _paired(flights: Flights[Metrics], reference: Flights[Metrics]) -> Figures:
    """Return the paired comparison with the reference; None without a reference."""
    if not reference:
        keys = ("only_reference_completed", "only_this_completed", "paired_p_value")
        return dict.fromkeys(keys)
    ours, theirs = same_flights(flights, reference)
    pairs = compare_paired(
        [flight.metrics.completed for flight in theirs],
        [flight.metrics.completed for flight in ours],
    )
    return {
        "only_reference_completed": pairs.only_first,
        "only_this_completed": pairs.only_second,
        "paired_p_value": pairs.p_value,
    }


@dataclass(frozen=True)
class VerifyReport:
    """The verdict on a policy.

    Attributes:
        policy: name of the policy.
        policy_sha256: hash of its int8 network, input, outputs and guidance
            (``PolicyBundle.sha256``).
        suite: name of the suite.
        task: task of the suite.
        target: microcontroller of runtime ``mcu``.
        rows: a row for each runtime: first the ladder, then the baselines.
        checks: every criterion that was applied.
        unseen: one line per key of the suite outside the training distribution of the policy
            (``bytewing.scenarios.seen``).
    """

    policy: str
    policy_sha256: str
    suite: str
    task: str
    target: str
    rows: tuple[RuntimeRow, ...]
    checks: tuple[Check, ...]
    unseen: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there are checks and all of them passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def row(self, runtime: str) -> RuntimeRow | None:
        """Return the row of a runtime; None where it was not flown."""
        return next((row for row in self.rows if row.runtime == runtime), None)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``verify --json``."""
        return {
            "policy": self.policy,
            "policy_sha256": self.policy_sha256,
            "suite": self.suite,
            "target": self.target,
            "passed": self.passed,
            "runtimes": [row.as_json() for row in self.rows],
            "checks": [check.as_json() for check in self.checks],
            "unseen": list(self.unseen),
            "statement": self.statement,
        }

    @property
    def statement(self) -> str:
        """Summary of what the run proved, measured and did not test."""
        missing = [runtime for runtime in LADDER if self.row(runtime) is None]
        sentences = [*self._equality(), self._measured()]
        if missing:
            sentences.append(f"Not flown: {_and(missing)}.")
        sentences.append(
            "Not proved: how a real camera, airframe or board behaves; latency and cycles are a "
            "model's estimates."
        )
        return " ".join(sentences)

    def _equality(self) -> list[str]:
        equal: list[str] = []
        unequal: list[str] = []
        frames = 0
        for row in self.rows:
            found = total_comparison(row.flights)
            if found is not None:
                (unequal if found.frames_different else equal).append(row.runtime)
                frames += 0 if found.frames_different else found.frames_compared
        sentences = []
        if equal:
            sentences.append(
                f"Proved: {_and(equal)} answered each of the {frames:,} frames they flew by with "
                "the int8 reference's outputs and commands, byte for byte."
            )
        if unequal:
            sentences.append(f"Disproved: {_and(unequal)} did not equal the int8 reference.")
        return sentences

    def _measured(self) -> str:
        counts = [
            f"{row.runtime} {completed(row.flights)}/{len(row.flights)}"
            for row in self.rows
            if row.runtime in LADDER
        ]
        kept = all(f.seed in Split.TEST for row in self.rows for f in row.flights)
        courses = "kept from training" if kept else "that training may have seen"
        return f"Measured, in simulation, on courses {courses}: completed {', '.join(counts)}."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
