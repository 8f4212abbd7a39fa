import dataclasses
import tomllib

import pytest

from bytewing.firmware_export.target import FOLDER, Quantity, load_target, target_names
from bytewing.firmware_export.verify.machine import CPU_MODELS
from bytewing.firmware_export.verify.timing import TIMINGS
from bytewing.foundation.errors import BadInputError


def test_the_five_targets_are_there():
    assert target_names() == ["nrf52840", "rp2040", "rp2350", "stm32f405", "stm32h743"]


@pytest.mark.parametrize("name", target_names())
def test_every_target_is_complete_and_consistent(name):
    target = load_target(name)
    assert target.name == name
    assert target.core.kind in CPU_MODELS
    assert target.core.kind in TIMINGS
    memory = target.memory
    assert memory.policy_flash_bytes.value <= memory.flash_bytes.value
    assert memory.policy_ram_bytes.value <= memory.ram_bytes.value
    # A frame's way takes less than a camera period (40 ms), or nothing could be flown with it.
    assert 0.001 < target.link_latency_s(64 * 64) < 0.02


@pytest.mark.parametrize("name", target_names())
def test_every_number_says_where_it_comes_from(name):
    raw = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    quantities = [
        value for table in raw.values() if isinstance(table, dict) for value in table.values()
        if isinstance(value, dict)
    ]  # fmt: skip
    assert len(quantities) >= 9
    for quantity in quantities:
        assert Quantity.model_validate(quantity).source.strip()


def test_the_crazyflie_has_the_budget_of_the_issue():
    memory = load_target("stm32f405").memory
    assert memory.policy_flash_bytes.value == 64 * 1024
    assert memory.policy_ram_bytes.value == 24 * 1024


def test_link_latency_grows_with_the_frame_by_the_rate_of_the_link():
    target = load_target("stm32f405")
    rate = target.link.transport_bytes_s.value
    longer = target.link_latency_s(8192) - target.link_latency_s(4096)
    assert longer == pytest.approx(4096 / rate)


def test_an_unknown_target_is_one_line_with_the_nearest_name():
    with pytest.raises(
        BadInputError, match=r"unknown target 'stm32f407'; did you mean 'stm32f405'"
    ):
        load_target("stm32f407")


def test_a_target_of_the_users_own_is_read_from_its_path(tmp_path):
    text = (FOLDER / "stm32f405.toml").read_text().replace('"stm32f405"', '"mine"')
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert load_target(str(path)).name == "mine"
    path.write_text(text.replace("prefetch", "prefech"))
    with pytest.raises(BadInputError, match=r"mine.toml: unknown key 'flash.prefech'.*prefetch"):
        load_target(str(path))


def test_targets_are_frozen():
    with pytest.raises((dataclasses.FrozenInstanceError, ValueError)):
        load_target("rp2040").name = "other"
