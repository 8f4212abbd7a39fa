"""What every task must offer, tested the day it is added: figures, columns, limits, suites."""

import pytest

from bytewing.scenarios.report.trajectories import trajectories_png
from bytewing.scenarios.run import FlightJob, FlyReport, finish, fly_log
from bytewing.scenarios.schema import library, load_scenario, load_suite, suites
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.scenarios.verify import rows_of


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
    assert task.metrics(**metrics.as_json()) == metrics, "a campaign keeps them as JSON"
    assert (metrics.outcome, metrics.completed, metrics.duration_s) == ("timeout", False, 0.5)
    assert {column.key for column in task.flight_columns} <= set(metrics.as_json())
    row = rows_of({"float": [result]}, task.name)[0].as_json()
    assert {column.key for column in task.row_columns} <= set(row)
    summary = FlyReport(task.name, (result,)).as_json()["summary"]
    assert (summary["flights"], summary["completed"]) == (1, 0)
    assert set(summary) <= set(row)


def test_its_course_can_be_drawn(flown, tmp_path):
    trajectories_png([flown[0]], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5_000


def test_it_has_a_small_suite(task):
    assert f"{task.name}_smoke" in suites(), "what verify flies where no suite is named"
    assert isinstance(load_suite(f"{task.name}_smoke").limits, task.limits)
