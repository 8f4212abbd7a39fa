"""The guidance's C as C: compiled strictly, for every core, and held together with its tables."""

import ctypes
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from bytewing.foundation.host_compiler import ZIG
from bytewing.policies.guidance.config_text import COMMAND, expected_files
from bytewing.policies.guidance.constants import config_struct
from bytewing.policies.guidance.guide import Guide, Status, load_guidance
from bytewing.policies.guidance.kind import ROUTE_MAX
from bytewing.policies.guidance.mean_wind import MeanWindStruct
from bytewing.policies.guidance.registry import GUIDANCES
from bytewing.policies.inputs import scent
from bytewing.policies.inputs.mirror_to_wind import blows_left
from bytewing.policies.inputs.transforms import MIRROR_TO_WIND, TRANSFORMS
from bytewing.policies.tasks.gas import leak_map
from bytewing.policies.tasks.gas.constants import ALARMS_LIMIT
from bytewing.policies.tasks.gas.phase import Phase
from bytewing.sim.senses import CHANNELS, SENSES_SIZE
from support.c_struct import struct_type
from support.guidance_flights import CONSTANTS, ODD, answers_to, guide_of, random_flight

KINDS = sorted(CONSTANTS)
WARNINGS = (
    "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Werror",
    "-ffp-contract=off",
)  # fmt: skip
DRIVER = Path(__file__).parents[1] / "support" / "guidance_driver.c"
# What a core without floating point needs of its compiler's library: single precision only.
SOFT_FLOAT = re.compile(r"__aeabi_(f\w+|i2f|ui2f|cf\w+|idiv\w*|mem\w+)$|memcpy$|memset$|memmove$")


def sources_of(kind: str) -> tuple[Path, ...]:
    own = GUIDANCES.find(kind).sources
    return (*own, *(path for path in scent.SOURCES if path not in own))


def copied(kind: str, folder: Path) -> list[str]:
    """Copy a kind's C into one flat folder, as an export does; return the units."""
    for path in sources_of(kind):
        shutil.copy(path, folder)
    return sorted(path.name for path in sources_of(kind) if path.suffix == ".c")


def run(command, **kwargs) -> bytes:
    result = subprocess.run(command, capture_output=True, check=False, **kwargs)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def defines(kind: str) -> dict[str, int]:
    """Return the whole numbers that a kind's headers define, enumerators included."""
    text = "\n".join(path.read_text() for path in sources_of(kind) if path.suffix == ".h")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = re.findall(r"#define (BW_\w+) (\d+)\b", text) + re.findall(r"(BW_\w+) = (\d+)\b", text)
    return {name: int(value) for name, value in found}


# Tables and text


def test_what_follows_from_the_tables_is_written():
    stale = [str(path) for path, text in expected_files().items() if path.read_text() != text]
    assert not stale, f"{stale} do not follow from the declared tables: run {COMMAND}"
    assert len(expected_files()) == 5


def test_the_senses_struct_is_the_table():
    fields = struct_type(sources_of("mox"), "bw_senses_t")
    assert fields.names == tuple(channel.name for channel in CHANNELS)
    assert [fields[c.name].itemsize // 4 for c in CHANNELS] == [c.size for c in CHANNELS]
    assert fields.itemsize == 4 * SENSES_SIZE


@pytest.mark.parametrize("kind", KINDS)
def test_the_structs_are_those_that_python_fills(kind):
    declared = GUIDANCES.find(kind)
    config = struct_type(declared.sources, f"bw_{kind}_config_t")
    assert config == config_struct(CONSTANTS[kind], declared.derived).dtype
    answer = struct_type(declared.sources, f"bw_{kind}_answer_t")
    more = {name: int(np.prod(answer[name].shape)) for name in answer.names[4:]}
    assert answer.names[:4] == ("forward_m_s", "left_m_s", "climb_m_s", "yaw_rate_rad_s")
    assert more == declared.answer
    state = struct_type(declared.sources, f"bw_{kind}_state_t")
    assert state.itemsize == guide_of(kind).state.nbytes


def test_python_and_c_have_the_same_numbers():
    gas = defines("gas")
    assert gas["BW_ROUTE_MAX"] == ROUTE_MAX
    assert gas["BW_GAS_ALARMS_LIMIT"] == ALARMS_LIMIT
    map_size = [gas[f"BW_GAS_MAP_{name}"] for name in ("ROWS", "COLUMNS", "CELLS")]
    assert map_size == [leak_map.ROWS, leak_map.COLUMNS, leak_map.CELLS]
    assert {phase.name: gas[f"BW_GAS_{phase.name}"] for phase in Phase} == Phase.__members__
    assert {status.name: gas[f"BW_{status.name}"] for status in Status} == Status.__members__
    rows_steps = gas["BW_SCENT_ROWS"], gas["BW_SCENT_COLUMN_STEPS"]
    assert rows_steps == (scent.ROWS, scent.COLUMN_STEPS)
    for struct, name in ((MeanWindStruct, "bw_mean_wind_t"), (scent.ScentStruct, "bw_scent_t")):
        fields = struct_type(scent.SOURCES, name)
        assert tuple(field for field, _ in struct._fields_) == fields.names
        assert ctypes.sizeof(struct) == fields.itemsize


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_s_files_need_nothing_else(kind):
    sources = GUIDANCES.find(kind).sources
    names = [path.name for path in sources]
    assert len(set(names)) == len(names)
    for path in sources:
        included = set(re.findall(r"#include [<\"](.*)[>\"]", path.read_text()))
        assert included <= {"stdint.h", *names}, path.name
        assert path.name.startswith((f"{kind}_", "bw_"))


def test_structs_of_another_size_are_refused(monkeypatch):
    kind = GUIDANCES.find("road")
    load_guidance(kind)
    monkeypatch.setattr("bytewing.policies.guidance.guide.config_struct", lambda *_: np.zeros(99))
    with pytest.raises(ValueError, match="its C has structs of other sizes"):
        Guide(kind, CONSTANTS["road"])


# Compilers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["c99", "c++17"])
def test_it_compiles_without_a_warning(kind, language, tmp_path):
    units = copied(kind, tmp_path)
    is_cpp = language.startswith("c++")
    compiler = [*ZIG[:-1], "c++" if is_cpp else "cc", *(["-x", "c++"] if is_cpp else [])]
    flags = [f"-std={language}", "-pedantic", "-O2", *WARNINGS]
    for unit in units:
        run([*compiler, *flags, "-c", unit, "-o", "unit.o"], cwd=tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_core_without_floating_point_needs_single_precision_only(kind, tmp_path):
    """No double, no 64-bit integer, no heap, no library, nothing static that changes."""
    units = copied(kind, tmp_path)
    target = ["-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0plus"]
    missing, defined = set(), set()
    for unit in units:
        flags = ["-std=c99", "-O2", "-fno-unwind-tables", *WARNINGS]
        command = [*ZIG, *target, *flags, "-c", unit, "-o", "unit.o"]
        run(command, cwd=tmp_path)
        with open(tmp_path / "unit.o", "rb") as stream:
            elf = ELFFile(stream)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                undefined = symbol["st_shndx"] == "SHN_UNDEF"
                (missing if undefined else defined).add(symbol.name)
            for section in elf.iter_sections():
                if section.name.startswith((".data", ".bss")):
                    assert section.data_size == 0, f"{unit}: {section.name}"
    needed = {name for name in missing - defined if name}
    assert {name for name in needed if not SOFT_FLOAT.match(name)} == set()
    assert "__aeabi_fmul" in needed


def gcc() -> str:
    found = shutil.which("gcc")
    if not found:
        assert not os.environ.get("CI"), "gcc is missing; CI must run the sanitizers"
        pytest.skip("gcc is not installed")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_sanitizers_find_nothing_and_gcc_gives_the_same_bits(kind, tmp_path):
    units = [*copied(kind, tmp_path), shutil.copy(DRIVER, tmp_path)]
    binding = [f"-DBW_KIND={kind}", f'-DBW_HEADER="{GUIDANCES.find(kind).header}"']
    flags = ["-std=c99", "-O1", "-g", "-ffp-contract=off", "-fno-sanitize-recover=all"]
    sanitizers = "-fsanitize=address,undefined,float-cast-overflow"
    run([gcc(), *flags, sanitizers, *binding, *units, "-o", "fly"], cwd=tmp_path)
    config = config_struct(CONSTANTS[kind], GUIDANCES.find(kind).derived)
    for seed in range(20):
        flight = random_flight(kind, seed)
        counts = np.array([len(flight.route), *flight.outputs.shape], np.int32)
        rows = np.column_stack([flight.outputs, flight.senses])
        given = b"".join(part.tobytes() for part in (counts, config, flight.route, rows))
        answers = run(["./fly"], cwd=tmp_path, input=given)
        assert answers == answers_to(guide_of(kind), flight).tobytes()


# Inputs


def test_every_transform_has_its_c():
    assert set(TRANSFORMS) == {"mirror_to_wind"}
    for name, transform in TRANSFORMS.items():
        assert [path.name for path in transform.sources] == [f"bw_{name}.h", f"bw_{name}.c"]


def test_the_mirror_is_the_same_in_python_and_in_c():
    library = load_guidance(GUIDANCES.find("gas"))
    assert set(MIRROR_TO_WIND.sources) <= set(GUIDANCES.find("gas").sources)
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (4000, SENSES_SIZE)).astype(np.float32)
    odd = rng.random(rows.shape) < 0.15
    rows[odd] = rng.choice(ODD, odd.sum())
    with np.errstate(all="raise", under="ignore"):
        expected = blows_left(rows)
    found = [library.bw_mirror_to_wind(ctypes.c_void_p(row.ctypes.data)) for row in rows]
    assert found == expected.astype(int).tolist()
    assert 0.4 < expected.mean() < 0.6
