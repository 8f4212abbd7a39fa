"""Parts of tasks by name, from every installed package that brings a task.

A package names its tasks in the entry-point group ``bytewing.tasks``; each entry point loads one
``bytewing.task.Task``, whose attributes are the parts that the rooms use. Bytewing's own tasks are
found in the same way. Entry points are read once a process, at the first lookup, so that a worker
process knows the same tasks as its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from bytewing.foundation.errors import BadInputError, did_you_mean

GROUP = "bytewing.tasks"


class Part(Protocol):
    """What a registry holds: something with a name."""

    @property
    def name(self) -> str:
        """The name that files and commands use."""
        ...


PartT = TypeVar("PartT", bound=Part)


class Registry(Generic[PartT]):
    """The parts of one type, by name.

    Args:
        attribute: of a task, which holds the part.
        part_type: that the attribute must have.
        noun: what messages call such a part.
    """

    def __init__(self, attribute: str, part_type: type[PartT], noun: str) -> None:
        self._attribute, self._part_type, self._noun = attribute, part_type, noun

    @cached_property
    def parts(self) -> Mapping[str, PartT]:
        """Every part by its name; BadInputError where a package cannot be used."""
        found: dict[str, PartT] = {}
        owner: dict[str, EntryPoint] = {}
        for entry, task in _tasks().values():
            part = getattr(task, self._attribute, None)
            if not isinstance(part, self._part_type):
                raise BadInputError(
                    f"{_described(entry)}: its {self._attribute!r} must be a "
                    f"{self._part_type.__name__}, not {type(part).__name__}"
                )
            if part.name in found:
                raise BadInputError(
                    f"{_described(entry)}: {self._noun} {part.name!r} is also brought by "
                    f"{_described(owner[part.name])}; uninstall one of them"
                )
            found[part.name], owner[part.name] = part, entry
        return found

    def find(self, name: str) -> PartT:
        """Return a part by name; BadInputError, with the nearest name, where there is none."""
        if name not in self.parts:
            hint = did_you_mean(name, self.parts)
            raise BadInputError(f"{self._noun} {name!r} is not known{hint}")
        return self.parts[name]


@cache
def _tasks() -> dict[str, tuple[EntryPoint, Any]]:
    found: dict[str, tuple[EntryPoint, Any]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        if entry.name in found:
            if found[entry.name][0].value != entry.value:
                raise BadInputError(
                    f"{_described(entry)}: {_described(found[entry.name][0])} brings a task of "
                    "the same name; uninstall one of them"
                )
            continue
        try:
            found[entry.name] = entry, entry.load()
        except (ImportError, AttributeError) as error:
            raise BadInputError(
                f"{_described(entry)} cannot be loaded: {error}; repair or uninstall the package"
            ) from error
    if not found:
        raise BadInputError(
            f"no installed package names a task (entry points {GROUP!r}), not even Bytewing's own; "
            "install it again with pip install"
        )
    return found


def _described(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "an unknown package"
    return f"task {entry.name!r} of {package} ({entry.value})"
