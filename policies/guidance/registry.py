"""List the kinds of guidance by the key ``kind`` of a bundle's ``[guidance]`` table."""

from __future__ import annotations

from typing import Any

from bytewing.foundation.config import Config, tagged
from bytewing.foundation.registry import Registry
from bytewing.policies.guidance.guide import Guide
from bytewing.policies.guidance.kind import GuidanceKind

GUIDANCES = Registry("guidance", GuidanceKind, "guidance kind")

Guidance = tagged(lambda: {name: kind.constants for name, kind in GUIDANCES.parts.items()})
"""Content of a ``[guidance]`` table: the constants of its kind."""


def kind_of(constants: Config) -> GuidanceKind:
    """Return the kind of guidance that has these constants."""
    table: Any = constants
    return GUIDANCES.find(table.kind)


def make_guide(constants: Any) -> Guide:  # noqa: ANN401 (the table of any kind)
    """Return a guide with these constants, at take-off and without a route."""
    return Guide(kind_of(constants), constants)
