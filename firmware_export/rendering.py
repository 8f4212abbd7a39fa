"""Render C files and the README from the templates in ``templates/``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bytewing.firmware_export.c_text import TEMPLATES, comment, literal, nested_rows, rows

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    """Return the one environment of all templates."""
    # Imported here: it takes 30 ms, and only what makes firmware needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {
        "comment": comment,
        "literal": literal,
        "rows": rows,
        "nested_rows": nested_rows,
    }
    return environment


def render(template: str, **values: object) -> str:
    """Return a template with its values; a name without a value is an error.

    Args:
        template: file name in ``templates/``.
        values: what the template names.

    Raises:
        jinja2.UndefinedError: the template names something that is not given.
    """
    return _environment().get_template(template).render(values)
