"""Hashes: one value has one hash in every process, and one source tree wherever it lies."""

import dataclasses
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bytewing
from bytewing.foundation import sources
from bytewing.foundation.canonical import canonical_json, canonical_sha256

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def reordered(value):
    """Return an equal value whose keys have been inserted in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(value) == canonical_json(reordered(value))


def test_other_values_are_other_bytes():
    values = [None, "", "None", 0, "0", [], {}, [0], {"a": 0}, {"a": [0]}, {"b": 0}, 0.1, 0.2]
    assert len({canonical_sha256(value) for value in values}) == len(values)


@dataclasses.dataclass
class NotJson:
    """Its ``repr`` is text, which must not take its place."""

    number: int = 1


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (NotJson(), TypeError),
        ({"path": Path("a")}, TypeError),
        ([{1}], TypeError),
        (float("nan"), ValueError),
    ],
)
def test_what_is_not_json_is_refused(value, error):
    with pytest.raises(error):
        canonical_json(value)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A package that brings a task, on the path and beside Bytewing's own tasks."""
    package = tmp_path / "house" / "lamp_task"
    (package / "tasks" / "lamps").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "tasks" / "lamps" / "guidance.c").write_text("int step(void);\n")
    monkeypatch.syspath_prepend(str(package.parent))
    point = EntryPoint("lamps", "lamp_task.tasks.lamps:LAMPS", sources.GROUP)
    monkeypatch.setattr(sources, "entry_points", lambda group: [point])
    return package


def fresh():
    sources.sources_sha256.cache_clear()
    try:
        return sources.sources_sha256()
    finally:
        sources.sources_sha256.cache_clear()


def test_an_edited_source_is_another_hash_and_a_touched_one_is_not(tree):
    before, source = fresh(), tree / "tasks" / "lamps" / "guidance.c"
    source.touch()
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "x.py").write_text("bytecode of another time")
    (tree / "notes.txt").write_text("no source")
    assert fresh() == before
    source.write_text("int step(int);\n")
    assert fresh() != before, "a task of another package counts"
    source.write_text("int step(void);\n")
    assert fresh() == before
    source.rename(source.with_name("guide.c"))
    assert fresh() != before


def test_a_copy_of_the_sources_has_the_same_hash(tree, tmp_path, monkeypatch):
    before = fresh()
    other = tmp_path / "elsewhere"
    tree.parent.rename(other)
    monkeypatch.syspath_prepend(str(other))
    assert fresh() == before


def test_every_process_finds_the_same_hash():
    code = "from bytewing.foundation.sources import code_version; print(code_version())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == sources.code_version()
    assert bytewing.__version__ in sources.code_version()


def test_no_kind_of_source_is_forgotten():
    """A suffix that is new in the package must be a source or be known as none."""
    root = Path(bytewing.__file__).parent.resolve().parent
    tracked = subprocess.run(
        ["git", "ls-files", "bytewing", "sim", "policies", "firmware_export", "scenarios"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a checkout")
    suffixes = {Path(name).suffix for name in tracked.stdout.split()}
    assert {".py", ".c", ".toml"} <= suffixes
    others = {".onnx", ".npz", ".safetensors", ".typed", "", ".md"}
    assert suffixes - others <= sources.SOURCES
