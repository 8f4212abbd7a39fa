"""Distributions: TOML files from which courses and conditions are drawn.

Training names one and draws from it; scenarios name one, begin where it leaves off and narrow it or
leave it. As both are data, what training has and has not seen can be listed (``outside``).

    base = "road"                 # another distribution, whose keys hold unless said otherwise here
    [course]
    contrast = [0.15, 0.45]
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from bytewing.foundation.config import parse, read_toml
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.sim.conditions import Conditions
from bytewing.sim.courses.registry import COURSES, CourseConfig
from bytewing.sim.randomise import Range

BASES_MAX = 8
"""Longest chain of distributions that build on each other; a longer one goes in a circle."""


class Distribution(Conditions):
    """What flights are drawn from.

    Attributes:
        name: for logs and bundles.
        description: one line: what it is for.
        airframe: preset name or path of an airframe TOML.
        camera: preset name or path of a camera TOML.
        course: a road's or another kind's table, see ``bytewing.sim.courses.registry``.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    description: str = Field(min_length=10, max_length=200)
    airframe: str = "crazyflie21"
    camera: str = "hm01b0"
    course: CourseConfig

    @property
    def sha256(self) -> str:
        """SHA-256 of everything declared, whatever files it was put together from."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def distributions() -> dict[str, Path]:
    """Return the distributions of all installed tasks, by name."""
    folders = [kind.distributions for kind in COURSES.parts.values()]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def load_distribution(name_or_path: str, relative_to: Path = Path()) -> Distribution:
    """Return a distribution by its name or the path of a TOML file.

    Raises BadInputError with file and key where it declares what cannot be.
    """
    return parse(
        Distribution, read_distribution(name_or_path, relative_to), find(name_or_path, relative_to)
    )


def read_distribution(name_or_path: str, relative_to: Path = Path()) -> dict[str, Any]:
    """Return a distribution's raw table, laid over its bases'; paths in it are made absolute."""
    layers: list[dict[str, Any]] = []
    name: str | None = name_or_path
    while name is not None:
        path = find(name, relative_to)
        table = read_toml(path)
        resolve_paths(table, path.parent)
        layers.append(table)
        if len(layers) > BASES_MAX:
            raise BadInputError(f"{path}: key 'base' = {name!r}: goes round in a circle; break it")
        relative_to, name = path.parent, table.pop("base", None)
    merged: dict[str, Any] = {}
    for table in reversed(layers):
        merged = laid_over(table, merged)
    return merged


def find(name_or_path: str, relative_to: Path = Path()) -> Path:
    """Return the file of a distribution that ships, or that a path ending in .toml names."""
    if name_or_path.endswith(".toml"):
        return relative_to / Path(name_or_path).expanduser()
    known = distributions()
    if name_or_path not in known:
        raise BadInputError(
            f"distribution {name_or_path!r} is not known{did_you_mean(name_or_path, known)}; "
            "or give the path of a .toml file"
        )
    return known[name_or_path]


def laid_over(top: dict[str, Any], bottom: dict[str, Any]) -> dict[str, Any]:
    """Return ``bottom`` with the keys of ``top`` in place of its own, table by table.

    >>> laid_over({"wind": {"a": 1}}, {"wind": {"a": 0, "b": 2}, "c": 3})
    {'wind': {'a': 1, 'b': 2}, 'c': 3}
    """
    merged = dict(bottom)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = laid_over(value, below)
        else:
            merged[key] = value
    return merged


def resolve_paths(table: dict[str, Any], folder: Path) -> None:
    """Make the paths of a user's own files absolute, as seen from ``folder``, in place."""

    def resolved(value: Any) -> Any:  # noqa: ANN401 (whatever the TOML file holds)
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if isinstance(value, str) and is_path(value):
            return str((folder / Path(value).expanduser()).resolve())
        return value

    for key in ("airframe", "camera", "policy", "distribution"):
        if key in table:
            table[key] = resolved(table[key])
    course = table.get("course")
    if isinstance(course, dict):
        course.update({key: resolved(value) for key, value in course.items()})


def is_path(text: str) -> bool:
    """Whether a key's text is meant as a path and not as the name of something that ships."""
    return text.endswith((".toml", ".png", ".jpg")) or "/" in text or text.startswith(".")


def outside(inner: BaseModel, outer: BaseModel, where: str = "") -> list[str]:
    """Return a line for each key by which ``inner`` leaves what ``outer`` declares.

    Ranges leave it where they reach beyond, choices where they offer more, probabilities where they
    are not 0 and were, other values where they differ. Keys that only one has are not compared.
    """
    lines: list[str] = []
    for key in type(inner).model_fields:
        if key not in type(outer).model_fields or key in _LABELS:
            continue
        mine, theirs = getattr(inner, key), getattr(outer, key)
        name = f"{where}{key}"
        if isinstance(mine, Range) and isinstance(theirs, Range):
            if mine.low < theirs.low or mine.high > theirs.high:
                lines.append(f"{name} = {_shown(mine)} reaches beyond {_shown(theirs)}")
        elif isinstance(mine, BaseModel) and isinstance(theirs, BaseModel):
            lines += outside(mine, theirs, f"{name}.")
        elif isinstance(mine, tuple) and isinstance(theirs, tuple):
            more = [item for item in dict.fromkeys(mine) if item not in theirs]
            if more:
                lines.append(f"{name} offers {more}, which was not in {list(theirs)}")
        elif key.endswith("_probability"):
            if mine > 0 and theirs == 0:
                lines.append(f"{name} = {mine:g}, which never happened")
        elif mine != theirs:
            lines.append(f"{name} = {mine!r} instead of {theirs!r}")
    return lines


_LABELS = frozenset({"name", "description"})


def _shown(value: Range) -> str:
    return f"{value.low:g}" if value.low == value.high else f"[{value.low:g}, {value.high:g}]"
