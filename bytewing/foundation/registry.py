"""Register the parts of tasks by name, from the entry points of installed packages.

Each entry point of the group ``bytewing.tasks`` loads one ``bytewing.task.Task``; its attributes
are the parts. Bytewing's own tasks are found in the same way. Entry points are read at the first
lookup in a process, so a worker process knows the same tasks as its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from bytewing.foundation.errors import BadInputError, did_you_mean

GROUP = "bytewing.tasks"


class Part(Protocol):
    """A part of a task."""

    @property
    def name(self) -> str:
        """Name of the part in files and commands."""
        ...


PartT = TypeVar("PartT", bound=Part)


class Registry(Generic[PartT]):
    """The parts of one type, by name.

    Args:
        attribute: name of a task's attribute that holds the part.
        part_type: type that the attribute must have.
        noun: word for such a part in messages.
    """

    def __init__(self, attribute: str, part_type: type[PartT], noun: str) -> None:
        self._attribute, self._part_type, self._noun = attribute, part_type, noun

    @cached_property
    def parts(self) -> Mapping[str, PartT]:
        """All parts by name; raises BadInputError where a package cannot be used."""
        found: dict[str, PartT] = {}
        owner: dict[str, EntryPoint] = {}
        for entry, task in _tasks().values():
            if not hasattr(task, self._attribute):
                raise BadInputError(
                    f"{_described(entry)}: must be a bytewing.task.Task, not {type(task).__name__}"
                )
            part = getattr(task, self._attribute)
            if not isinstance(part, self._part_type):
                raise BadInputError(
                    f"{_described(entry)}: its {self._attribute!r} must be a "
                    f"{self._part_type.__name__}, not {type(part).__name__}"
                )
            if part.name in found:
                raise BadInputError(
                    f"{_described(entry)}: {self._noun} {part.name!r} is also in "
                    f"{_described(owner[part.name])}; uninstall one of them"
                )
            found[part.name], owner[part.name] = part, entry
        return found

    def find(self, name: str) -> PartT:
        """Return a part by name; raises BadInputError, with the nearest name, for no such part."""
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
                    f"{_described(entry)}: {_described(found[entry.name][0])} has the same name; "
                    "uninstall one of them"
                )
            continue
        try:
            found[entry.name] = entry, entry.load()
        except Exception as error:  # whatever the package does when it is imported
            raise BadInputError(
                f"{_described(entry)} cannot be loaded: {type(error).__name__}: {error}; "
                "repair or uninstall the package"
            ) from error
    if not found:
        raise BadInputError(
            f"no installed package has a task (entry points {GROUP!r}); "
            "install Bytewing again with pip install"
        )
    return found


def _described(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "an unknown package"
    return f"task {entry.name!r} of {package} ({entry.value})"
