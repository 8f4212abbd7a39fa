"""The one exception tree: every error a user can cause is one clear line with an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BytewingError(Exception):
    """Root of all errors Bytewing raises on purpose; the message is one line for a person.

    ``exit_code`` is what the command line returns: 1 for a flight, check or comparison that failed.
    """

    exit_code = 1


class BadInputError(BytewingError):
    """The user's input cannot be used: says which file and key, what is wrong and what to do."""

    exit_code = 2


class MissingToolError(BytewingError):
    """A program, display or package that this command needs is not there (exit code 2)."""

    exit_code = 2


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint that ends an error line: the nearest valid name and the list of all.

    >>> did_you_mean("s_bend", ["s_bends", "gentle"])
    "; did you mean 's_bends'? (valid: gentle, s_bends)"
    >>> did_you_mean("zzz", ["gentle"])
    ' (valid: gentle)'
    """
    options = sorted(valid)
    nearest = difflib.get_close_matches(name, options, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"{hint} (valid: {', '.join(options)})"
