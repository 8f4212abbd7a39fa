"""What every task must offer, tested the day it is added: figures, columns, limits, suites."""

import ast
import json
from pathlib import Path

import pytest

import bytewing
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.report.colours import runtime_colours
from bytewing.scenarios.report.flights import FlyReport
from bytewing.scenarios.report.trajectories import trajectories_png
from bytewing.scenarios.report.verdict import rows_of
from bytewing.scenarios.run import FlightJob, finish, fly_log
from bytewing.scenarios.schema import library, load_scenario, load_suite, suites
from bytewing.scenarios.tasks.expert import EXPERT
from bytewing.scenarios.tasks.registry import FLOWN_TASKS


@pytest.fixture(params=FLOWN_TASKS.parts)
def task(request):
    return FLOWN_TASKS.find(request.param)


@pytest.fixture
def flown(task):
    """Half a second of the task's first scenario by its first baseline."""
    names = (name for name in library() if load_scenario(name).task == task.name)
    scenario = load_scenario(next(names), ["time_limit_s=0.5"])
    job = FlightJob(scenario, 2_700_200, next(iter(task.baselines)))
    log = fly_log(job)
    return log, finish(job, log)


def test_a_flights_figures_fill_the_columns_and_read_back(task, flown):
    _, result = flown
    metrics = result.metrics
    kept = json.loads(json.dumps(metrics.as_json()))
    assert task.metrics.from_json(kept) == metrics, "a campaign keeps them as JSON"
    assert (metrics.outcome, metrics.completed, metrics.duration_s) == ("timeout", False, 0.5)
    assert {column.key for column in task.flight_columns} <= set(metrics.as_json())
    row = rows_of({"float": [result]}, task.name)[0].as_json()
    assert {column.key for column in task.row_columns} <= set(row)
    summary = FlyReport(task.name, (result,)).as_json()["summary"]
    assert (summary["flights"], summary["completed"]) == (1, 0)
    assert set(summary) <= set(row)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": 12.5}, "frames"),
        ({"completed": "no"}, "completed"),
        ({"no_such_metric": 1.0}, "no_such_metric"),
    ],
)
def test_metrics_of_another_version_are_refused(task, flown, change, said):
    _, result = flown
    table = result.metrics.as_json()
    with pytest.raises(ValueError, match=said):
        task.metrics.from_json({**table, **change})
    del table["outcome"]
    with pytest.raises(ValueError, match="outcome"):
        task.metrics.from_json(table)


def test_every_runtime_has_a_colour_of_its_own(task):
    colours = runtime_colours(task)
    assert {*LADDER, *task.baselines} == set(colours)
    assert len(set(colours.values())) == len(colours)


def test_its_course_can_be_drawn(flown, tmp_path):
    trajectories_png([flown[0]], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5_000


def test_it_has_a_small_suite(task):
    assert f"{task.name}_smoke" in suites(), "what verify flies where no suite is named"
    assert isinstance(load_suite(f"{task.name}_smoke").limits, task.limits)


def literals(path):
    """Return the strings of a module that are no docstrings."""
    tree = ast.parse(path.read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in texts
    }


def names_of_tasks():
    """Return the names of the tasks that ship and of their baselines, save the common one."""
    tasks = FLOWN_TASKS.parts
    baselines = {name for task in tasks.values() for name in task.baselines} - {EXPERT}
    return {*tasks, *baselines}


def modules_of_no_task():
    root = Path(bytewing.__file__).parent
    shared = [*(root / "scenarios").glob("*.py"), *(root / "scenarios" / "report").glob("*.py")]
    top = [*root.glob("*.py"), *(root / "foundation").glob("*.py")]
    studies = [root / "studies" / f"{name}.py" for name in ("demo", "effects")]
    return [*shared, *(root / "scenarios" / "tasks").glob("*.py"), *top, *studies]


@pytest.mark.parametrize(
    "path", modules_of_no_task(), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_nothing_outside_a_tasks_own_folders_names_a_task(path):
    found = [
        text
        for text in literals(path)
        for name in names_of_tasks()
        if text == name or text.startswith(f"{name}_")
    ]
    assert found == []


def test_a_module_of_a_task_names_it():
    path = Path(bytewing.__file__).parent / "scenarios" / "tasks" / "road" / "judging.py"
    assert {"road", "constant"} <= literals(path)
