"""Files that only tools outside the tests read: they parse, and name what exists."""

import re
import subprocess
import tomllib

import pytest
import yaml

from support.wheel import REPOSITORY

WORKFLOW = REPOSITORY / ".github" / "workflows" / "ci.yml"
DOCUMENTS = (
    WORKFLOW,
    REPOSITORY / ".pre-commit-config.yaml",
    *(REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"),
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_yaml_parses(path):
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_workflow_tests_every_python_that_the_project_names():
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    assert any(step.get("run") == ".ci/run" for step in jobs["full"]["steps"])
    assert jobs["newer"]["continue-on-error"] is True
    assert jobs["newer"]["strategy"]["matrix"]["python"] == ["3.12", "3.13"]


def test_the_hooks_run_tools_that_the_dev_extra_installs():
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0][
        "hooks"
    ]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    assert tools == {"ruff", "clang-format", "mypy"}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extra = {re.split("[>=]", line)[0] for line in project["optional-dependencies"]["dev"]}
    assert tools <= extra


@pytest.mark.parametrize("template", DOCUMENTS[2:], ids=lambda path: path.name)
def test_a_required_question_has_a_label_of_its_own(template):
    body = yaml.safe_load(template.read_text())["body"]
    labels = [part["attributes"]["label"] for part in body]
    assert len(labels) == len(set(labels)) >= 4
    assert all(part["validations"]["required"] for part in body)


def test_the_lock_pins_every_direct_dependency_and_names_no_host():
    lines = (REPOSITORY / "requirements-dev.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+", pin) for pin in pins)
    locked = {pin.split("==")[0] for pin in pins}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    assert {re.split("[>=]", line)[0] for line in wanted} <= locked
    assert "torch==2.13.0" in pins
    assert not {name for name in locked if name.startswith(("nvidia-", "cuda-"))}


def test_links_of_the_rooms_pass_the_check_of_make_lint():
    command = ["make", "--no-print-directory", "links"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
