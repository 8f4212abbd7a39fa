"""Every kind of course there is, told apart by the key ``kind`` of a ``[course]`` table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from bytewing.sim.courses.gas_field import generate_gas_field
from bytewing.sim.courses.gas_field_config import GasFieldConfig
from bytewing.sim.courses.gas_site import generate_gas_site
from bytewing.sim.courses.gas_site_config import GasSiteConfig
from bytewing.sim.courses.road import generate_road
from bytewing.sim.courses.road_config import RoadCourseConfig
from bytewing.sim.flight import Course


def _kind(table: Any) -> Any:  # noqa: ANN401 (whatever the TOML file holds)
    """Return which kind of course a table is of: a road where it does not say."""
    return table.get("kind", "road") if isinstance(table, dict) else getattr(table, "kind", "road")


CourseConfig = Annotated[
    Annotated[RoadCourseConfig, Tag("road")]
    | Annotated[GasSiteConfig, Tag("gas_site")]
    | Annotated[GasFieldConfig, Tag("gas_field")],
    Discriminator(_kind),
]
"""What a ``[course]`` table holds."""

_GENERATORS: dict[str, Callable[[Any, int], Course]] = {
    "road": generate_road,
    "gas_site": generate_gas_site,
    "gas_field": generate_gas_field,
}


def generate_course(config: CourseConfig, seed: int) -> Course:
    """Return the course that ``seed`` draws from ``config``."""
    return _GENERATORS[config.kind](config, seed)
