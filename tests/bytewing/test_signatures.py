"""Limits on the source text of the packages: arguments of a function, lines of a file."""

import ast
from pathlib import Path

import pytest

import bytewing

PACKAGES = ("sim", "policies", "firmware_export", "scenarios", "bytewing")
POSITIONAL_MAX = 8
LINES_MAX = 400

ROOT = Path(bytewing.__file__).resolve().parents[1]
# bytewing/sim and its neighbours are links to the folders beside bytewing/: each file counts once.
FILES = sorted(
    {
        path.resolve()
        for package in PACKAGES
        for suffix in ("py", "c", "h", "jinja")
        for path in (ROOT / package).rglob(f"*.{suffix}")
    }
)
MODULES = [path for path in FILES if path.suffix == ".py"]
# The guidance templates give way to the tasks' own C files.
TEXTS = [path for path in FILES if path.parent != ROOT / "firmware_export" / "templates"]


def too_long(source):
    """Return (name, line, number of positional arguments) of the functions that have too many."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            count = len(node.args.posonlyargs) + len(node.args.args)
            if count > POSITIONAL_MAX:
                found.append((getattr(node, "name", "lambda"), node.lineno, count))
    return found


def test_the_packages_are_found():
    folders = {path.relative_to(ROOT).parts[0] for path in MODULES}
    assert folders == set(PACKAGES)
    assert ROOT / "sim" / "plant.py" in MODULES
    assert {path.suffix for path in TEXTS} >= {".py", ".c", ".h"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a, b, c, d, e, f, g, h): pass", []),
        ("def f(a, b, c, d, e, f, g, h, i): pass", [("f", 1, 9)]),
        ("def f(a, b, /, c, d, e, f, g, h, i): pass", [("f", 1, 9)]),
        ("def f(a, b, c, d, e, f, g, h, *, i): pass", []),
        ("lambda a, b, c, d, e, f, g, h, i: 0", [("lambda", 1, 9)]),
        ("class C:\n  async def f(self, b, c, d, e, f, g, h, i): pass", [("f", 2, 9)]),
    ],
)
def test_positional_arguments_are_counted(source, found):
    assert too_long(source) == found


def test_no_function_takes_more_than_eight_positional_arguments():
    found = {
        f"{path.relative_to(ROOT)}:{line} {name}": count
        for path in MODULES
        for name, line, count in too_long(path.read_text(encoding="utf-8"))
    }
    assert found == {}, "group arguments that belong together into a NamedTuple"


def test_no_file_is_longer_than_400_lines():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in TEXTS}
    found = {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > LINES_MAX}
    assert found == {}, "split the file into modules of one idea each"
