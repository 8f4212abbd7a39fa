"""Write what follows from the declared tables: structs in C headers, tables in the documentation.

    python -m bytewing.policies.guidance.config_text

rewrites, between marker comments, ``bw_NAME_config_t`` of every kind of guidance, ``bw_senses_t``,
and the tables of ``docs/guidance.md``. Tests hold the files equal to what this would write.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from bytewing.foundation.files import write_atomic
from bytewing.policies.guidance.constants import ConfigField
from bytewing.policies.guidance.kind import C_FOLDER, GuidanceKind
from bytewing.policies.guidance.registry import GUIDANCES
from bytewing.sim.senses import CHANNELS

COMMAND = "python -m bytewing.policies.guidance.config_text"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "guidance.md"


def config_struct_text(kind: GuidanceKind) -> str:
    """Return the C struct of a kind's constants."""
    fields = (_c_field(field) for field in kind.config_fields)
    return "typedef struct {\n" + "\n".join(fields) + f"\n}} bw_{kind.name}_config_t;"


def senses_text() -> str:
    """Return the C struct of the senses and their bounds."""
    lines = []
    for channel in CHANNELS:
        upper = channel.name.upper()
        lines.append(f"#define BW_{upper}_LOW {_c_float(channel.low)}")
        lines.append(f"#define BW_{upper}_HIGH {_c_float(channel.high)}")
    lines.append("\ntypedef struct {")
    for channel in CHANNELS:
        about = ", ".join(part for part in (channel.unit, channel.frame) if part not in ("", "1"))
        lines += _c_comment(f"{_sentence(channel.meaning)}{f' ({about})' if about else ''}.")
        size = f"[{channel.size}]" if channel.size > 1 else ""
        lines.append(f"    float {channel.name}{size};")
    return "\n".join([*lines, "} bw_senses_t;"])


def constants_table(kind: GuidanceKind) -> str:
    """Return the Markdown table of a kind's constants, then that of its derived numbers."""
    rows = ["| key | unit | default | allowed | meaning |", "|---|---|---|---|---|"]
    for name, info in kind.constants.model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict):
            continue  # the tag
        default = "" if info.is_required() else f"{info.default:g}"
        allowed = _allowed(info.metadata)
        rows.append(f"| `{name}` | {extra['unit']} | {default} | {allowed} | {info.description} |")
    rows += ["", "| derived | unit | meaning |", "|---|---|---|"]
    rows += [f"| `{d.name}` | {d.unit} | {d.description} |" for d in kind.derived]
    return "\n".join(rows)


def senses_table() -> str:
    """Return the Markdown table of the channels and of who reads them."""
    rows = ["| channel | numbers | unit | frame | bounds | read by | meaning |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    for c in CHANNELS:
        readers = ", ".join(n for n, kind in GUIDANCES.parts.items() if c.name in kind.senses)
        rows.append(
            f"| `{c.name}` | {c.size} | {c.unit} | {c.frame} | {c.low:g} to {c.high:g} | "
            f"{readers} | {c.meaning} |"
        )
    return "\n".join(rows)


def expected_files() -> dict[Path, str]:
    """Return what every file with markers should hold, by its path."""
    headers = {C_FOLDER / "bw_senses.h": {"senses": senses_text()}}
    tables = {"senses": senses_table()}
    for kind in GUIDANCES.parts.values():
        for path in kind.sources:
            if _c_begin("constants") in path.read_text():
                headers[path] = {"constants": config_struct_text(kind)}
        tables[kind.name] = constants_table(kind)
    files = {}
    for path, texts in headers.items():
        files[path] = path.read_text()
        for part, text in texts.items():
            files[path] = _between(files[path], _c_begin(part), f"/* end {part} */", f"\n{text}\n")
    if DOCUMENT.is_file():
        files[DOCUMENT] = DOCUMENT.read_text()
        for part, text in tables.items():
            begin, end = f"<!-- begin {part}: written by {COMMAND} -->", f"<!-- end {part} -->"
            if begin in files[DOCUMENT]:
                files[DOCUMENT] = _between(files[DOCUMENT], begin, end, f"\n{text}\n")
    return files


def main() -> None:
    """Rewrite the files that differ, and name them."""
    for path, text in expected_files().items():
        if path.read_text() != text:
            write_atomic(path, text.encode())
            sys.stdout.write(f"{path}\n")


def _c_begin(part: str) -> str:
    return f"/* begin {part}: written by {COMMAND} */"


def _between(text: str, begin: str, end: str, replacement: str) -> str:
    pattern = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{replacement.lstrip()}{found[2]}", text, count=1)


def _c_field(field: ConfigField) -> str:
    unit = "" if field.unit == "1" else f" ({field.unit})"
    text = f"{_sentence(field.description)}{unit}.".replace("`", "")
    kind = "int32_t" if field.integer else "float"
    return "\n".join([*_c_comment(text), f"    {kind} {field.name};"])


def _c_comment(text: str) -> list[str]:
    lines = textwrap.wrap(text, 90)
    lines[1:] = [f"       {line}" for line in lines[1:]]
    lines[0] = f"    /* {lines[0]}"
    lines[-1] += " */"
    return lines


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _c_float(value: float) -> str:
    return f"{value:.1f}f"


def _allowed(bounds: Iterable[object]) -> str:
    words = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}
    limits = [
        f"{word} {getattr(bound, key):g}"
        for key, word in words.items()
        for bound in bounds
        if hasattr(bound, key)
    ]
    return ", ".join(limits)


if __name__ == "__main__":
    main()
