"""No module imports itself through others, whether at its top, in a function or for annotations."""

import grimp
import pytest


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("bytewing", cache_dir=None)


def circles(graph):
    """Return the modules that lie on import circles: those that can be reached from themselves."""
    return {
        module
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(importer=imported, imported=module)
    }


def test_there_is_no_import_circle(graph):
    assert len(graph.modules) > 200, "the rooms are links, which must have been followed"
    assert circles(graph) == set()


def test_a_circle_is_found(graph):
    low, high = "bytewing.scenarios.checks", "bytewing.scenarios.verify"
    assert graph.chain_exists(importer=high, imported=low)
    graph.add_import(importer=low, imported=high)
    try:
        assert {low, high} <= circles(graph)
    finally:
        graph.remove_import(importer=low, imported=high)
