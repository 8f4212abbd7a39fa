"""Task packages that cannot be used are named in one line; a lookup names the nearest."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from bytewing.foundation import registry
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.registry import Registry
from bytewing.policies.guidance.registry import GUIDANCES
from bytewing.policies.tasks.registry import LEARNED_TASKS
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.courses.registry import COURSES


@dataclass(frozen=True)
class Thing:
    name: str


ONE = SimpleNamespace(part=Thing("one"))
TWO = SimpleNamespace(part=Thing("two"))
SAME = SimpleNamespace(part=Thing("one"))
WRONG = SimpleNamespace(part="no thing")
NO_TASK = Thing("one")
BROKEN = "raises when it is imported"


@pytest.fixture
def installed(monkeypatch):
    """Pretend that these tasks, and no others, are installed; values are names of this module."""

    def install(*tasks):
        points = [EntryPoint(name, f"{__name__}:{value}", registry.GROUP) for name, value in tasks]
        monkeypatch.setattr(registry, "entry_points", lambda group: points)
        monkeypatch.setattr(EntryPoint, "load", lambda point: loaded(point.attr))
        registry._tasks.cache_clear()
        return Registry("part", Thing, "thing")

    def loaded(name):
        if name not in globals():
            raise ImportError(f"no {name}")
        if name == "BROKEN":
            raise TypeError("FlownTask() got an unexpected argument")
        return globals()[name]

    yield install
    registry._tasks.cache_clear()


def test_a_part_is_found_by_name_and_a_wrong_name_gets_the_nearest(installed):
    things = installed(("a", "ONE"))
    assert things.find("one") is ONE.part
    with pytest.raises(BadInputError, match="thing 'onne' is not known; did you mean 'one'"):
        things.find("onne")


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([("a", "ONE"), ("b", "WRONG")], "task 'b' of .*'part' must be a Thing, not str"),
        ([("b", "NO_TASK")], r"task 'b' of .*must be a bytewing\.task\.Task, not Thing"),
        ([("a", "ONE"), ("b", "SAME")], "task 'b' of .*thing 'one' is also in task 'a' of"),
        ([("a", "ONE"), ("a", "TWO")], "task 'a' of .*:TWO.*: task 'a' of .*:ONE.* the same name"),
        (
            [("a", "GONE")],
            "task 'a' of .* cannot be loaded: ImportError: no GONE; repair or uninst",
        ),
        ([("a", "BROKEN")], "task 'a' of .* cannot be loaded: TypeError: FlownTask.* repair or un"),
        ([], "no installed package has a task"),
    ],
)
def test_a_package_that_cannot_be_used_is_one_line(installed, tasks, message):
    things = installed(*tasks)
    with pytest.raises(BadInputError, match=message) as error:
        things.find("one")
    assert "\n" not in str(error.value)


def test_one_task_that_two_folders_of_packages_hold_is_found_once(installed):
    things = installed(("a", "ONE"), ("a", "ONE"))
    assert list(things.parts) == ["one"]


def test_every_room_knows_the_same_tasks():
    names = set(FLOWN_TASKS.parts)
    assert names == set(LEARNED_TASKS.parts) >= {"road", "gas", "mox"}
    assert {task.course_kind for task in FLOWN_TASKS.parts.values()} == set(COURSES.parts)
    assert len(GUIDANCES.parts) == len(names)
