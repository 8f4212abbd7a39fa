"""Declared distributions: layers of TOML, and what one of them has that another has not."""

import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.sim.distribution import (
    Distribution,
    distributions,
    load_distribution,
    outside,
    read_distribution,
)

MINE = """
base = "road"
name = "mine"
description = "A distribution of the user's own."
[course]
width_m = [0.4, 0.5]
"""


@pytest.fixture
def mine(tmp_path):
    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", distributions())
def test_every_distribution_that_ships_is_valid_and_called_as_its_file(name):
    assert load_distribution(name).name == name


def test_a_distribution_keeps_what_it_does_not_say_from_its_base(mine):
    base, own = load_distribution("road"), load_distribution(mine(MINE))
    assert (own.course.width_m.low, own.course.width_m.high) == (0.4, 0.5)
    assert own.course.contrast == base.course.contrast
    assert own.wind == base.wind
    assert own.name == "mine"


def test_paths_in_a_distribution_are_seen_from_its_folder(mine, tmp_path):
    table = read_distribution(mine('airframe = "heavy.toml"\n' + MINE))
    assert table["airframe"] == str(tmp_path / "heavy.toml")


def test_its_hash_follows_what_is_declared_and_not_the_files_it_comes_from(mine):
    flat = mine(MINE)
    layered = mine('base = "mine.toml"\nname = "mine"\n', "layered.toml")
    other = mine(MINE.replace("0.5]", "0.55]"), "other.toml")
    hashes = [load_distribution(path).sha256 for path in (flat, layered, other)]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINE.replace("0.4, 0.5", "0.5, 0.4"), "course.width_m"),
        (MINE.replace('"road"', '"raod"'), "did you mean 'road'"),
        (MINE.replace('"road"', '"mine.toml"'), "circle"),
        (MINE.replace("width_m", "widht_m"), "width_m"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(mine, text, said):
    with pytest.raises(BadInputError) as caught:
        load_distribution(mine(text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_training_has_not_seen_is_listed():
    seen = load_distribution("road")

    def differing(**tables):
        data = seen.model_dump(mode="json")
        for table, keys in tables.items():
            data[table] |= keys
        return outside(Distribution.model_validate(data), seen)

    assert outside(load_distribution("road_everyday"), seen) == [
        "course.length_m = [8, 12] reaches beyond [5, 8]"
    ]
    assert differing(course={"contrast": [0.1, 0.2]}) == []
    assert differing(course={"obstacle_probability": 1.0}) == []
    [line] = differing(wind={"mean_m_s": [0.5, 5.0]})
    assert line.startswith("wind.mean_m_s = [0.5, 5] reaches beyond")
    narrow = seen.course.model_copy(update={"things": ("box",), "obstacle_probability": 0.0})
    only_boxes = seen.model_copy(update={"course": narrow})
    lines = outside(seen, only_boxes)
    assert lines[0].startswith("course.things offers ['pole', 'tree'")
    assert lines[1] == "course.obstacle_probability = 0.5, which never happened"
