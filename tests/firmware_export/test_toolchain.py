import ctypes
import multiprocessing
import os
import shutil

import pytest

from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.image import load_image
from bytewing.firmware_export.verify.toolchain import compile_firmware
from bytewing.foundation import host_compiler
from bytewing.foundation.errors import BadInputError, BytewingError, MissingToolError
from bytewing.foundation.host_compiler import compile_host_library

ADD = {"add.h": "int add(int a);", "add.c": '#include "add.h"\nint add(int a) { return a + 5; }\n'}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder, but zig's own (which holds compiler-rt) kept warm."""
    folder = tmp_path / "cache"
    folder.mkdir()
    warm = host_compiler.cache_folder() / "zig"
    warm.mkdir(parents=True, exist_ok=True)
    (folder / "zig").symlink_to(warm)
    monkeypatch.setenv("BYTEWING_CACHE", str(folder))
    return folder


def test_a_host_library_computes():
    assert ctypes.CDLL(str(compile_host_library(ADD))).add(3) == 8


def test_the_second_build_comes_from_the_cache(own_cache, monkeypatch):
    first = compile_host_library(ADD)
    monkeypatch.setattr(host_compiler, "_run", lambda *_: pytest.fail("compiled again"))
    assert compile_host_library(ADD) == first
    assert first.is_relative_to(own_cache)


def test_source_flags_and_entries_are_part_of_the_key(own_cache):
    target = load_target("stm32f405")
    other = {**ADD, "add.c": ADD["add.c"].replace("5", "6")}
    paths = {
        compile_host_library(ADD),
        compile_host_library(other),
        compile_host_library(ADD, cflags=["-DX"]),
        compile_firmware(ADD, target, ["add"]),
        compile_firmware(other, target, ["add"]),
    }
    assert len(paths) == 5


def test_processes_that_build_the_same_at_once_all_get_it(own_cache):
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        paths = pool.map(compile_host_library, [ADD] * 3)
    assert len(set(paths)) == 1
    assert ctypes.CDLL(str(paths[0])).add(1) == 6
    assert [p.name for p in (own_cache / "build").glob("unfinished-*")] == []


def test_a_failed_build_leaves_nothing_and_is_one_line(own_cache):
    broken = {
        "broken.c": "int f(void)\n{\n    return undeclared;\n}\nint g(void) { return wrong; }"
    }
    with pytest.raises(BytewingError) as caught:
        compile_host_library(broken)
    message = str(caught.value)
    assert "\n" not in message
    assert "broken.c:3" in message
    assert "undeclared" in message
    assert list((own_cache / "build").iterdir()) == []


def test_warnings_asked_for_as_errors_are_errors():
    narrowing = {"n.c": "float f(double x); float f(double x) { return x; }"}
    compile_host_library(narrowing)
    with pytest.raises(BytewingError, match="loses floating-point precision"):
        compile_host_library(narrowing, cflags=["-Wconversion", "-Werror"])


def test_a_compiler_that_is_not_installed_is_said_so(monkeypatch):
    with pytest.raises(MissingToolError, match=r"no-such-cc.*not installed"):
        compile_host_library(ADD, compiler="no-such-cc")
    monkeypatch.setenv("BYTEWING_CC", "no-such-cc --flag")
    with pytest.raises(MissingToolError, match="no-such-cc"):
        compile_host_library(ADD)


@pytest.mark.skipif(
    shutil.which("cc") is None and not os.environ.get("CI"), reason="no system compiler"
)
def test_the_system_compiler_can_be_chosen(monkeypatch):
    zig = compile_host_library(ADD)
    monkeypatch.setenv("BYTEWING_CC", "cc")
    system = compile_host_library(ADD)
    assert system != zig
    assert ctypes.CDLL(str(system)).add(-5) == 0


def test_an_unwritable_cache_names_the_remedy(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BYTEWING_CACHE", str(tmp_path / "file"))
    with pytest.raises(BadInputError, match="set BYTEWING_CACHE"):
        compile_host_library(ADD)


def test_only_what_the_entries_reach_is_linked():
    source = {
        "a.c": "int table[500]; int used(int x) { return x + 1; }\n"
        "float unused(float x) { table[0] = 1; return x / 3.0f; }"
    }
    image = load_image(compile_firmware(source, load_target("rp2040"), ["used"]))
    assert [f.name for f in image.functions] == ["used"]
    assert image.flash_bytes < 64
    assert image.static_ram_bytes == 0
    both = load_image(compile_firmware(source, load_target("rp2040"), ["used", "unused"]))
    assert both.static_ram_bytes == 2000
    assert "__aeabi_fdiv" in [f.name for f in both.functions]


def test_flash_counts_initial_values_and_ram_counts_all_variables():
    source = {
        "a.c": "int initialised[10] = {1, 2}; int zeroed[20];\n"
        "int *get(int i); int *get(int i) { return i ? initialised : zeroed; }"
    }
    image = load_image(compile_firmware(source, load_target("stm32f405"), ["get"]))
    assert image.static_ram_bytes == 4 * (10 + 20)
    assert 40 < image.flash_bytes < 100


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("char a[140000]; char *f(void) { return a; }", "RAM of 131,072 B overflows by 8,928 B"),
        ("const char a[1040000] = {1}; const char *f(void) { return a; }", "FLASH of 1,032,192 B"),
    ],
)
def test_what_does_not_fit_the_chip_is_refused_with_numbers(source, message):
    with pytest.raises(BadInputError, match=f"stm32f405: {message}"):
        compile_firmware({"a.c": source}, load_target("stm32f405"), ["f"])
