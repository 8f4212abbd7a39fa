"""Define the exceptions for errors that a user can cause: one line of text and an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BytewingError(Exception):
    """Base of all errors that Bytewing raises on purpose; the message is one line.

    ``exit_code`` is the command line's: 1 for a failed flight, check or comparison.
    """

    exit_code = 1


class BadInputError(BytewingError):
    """The user's input cannot be used; the message names file, key, problem and remedy."""

    exit_code = 2


class MissingToolError(BytewingError):
    """A program, display or package that a command needs is missing."""

    exit_code = 2


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint for the end of an error line: the nearest valid name and all valid names.

    >>> did_you_mean("s_bend", ["s_bends", "gentle"])
    "; did you mean 's_bends'? (valid: gentle, s_bends)"
    >>> did_you_mean("zzz", ["gentle"])
    ' (valid: gentle)'
    """
    options = sorted(valid)
    nearest = difflib.get_close_matches(name, options, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"{hint} (valid: {', '.join(options)})"
