"""Find policies by name among those that ship with the tasks, or by the folder of a bundle."""

from __future__ import annotations

from pathlib import Path

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.policies.bundle import PolicyBundle, load_bundle
from bytewing.policies.tasks.registry import LEARNED_TASKS


def zoo() -> dict[str, Path]:
    """Return the folders of the policies that come with the installed tasks, by name."""
    folders = dict.fromkeys(task.zoo for task in LEARNED_TASKS.parts.values() if task.zoo)
    found = (path.parent for folder in folders for path in folder.glob("*/policy.toml"))
    return {path.name: path for path in sorted(found)}


def find_policy(name_or_path: str | Path) -> PolicyBundle:
    """Return a policy by zoo name or by the path of a bundle folder.

    A plain name is a zoo name; anything with a separator, or an existing folder, is a path.
    """
    text, known = str(name_or_path), zoo()
    if text in known:
        return load_bundle(known[text])
    path = Path(name_or_path)
    if path.is_dir() or len(path.parts) > 1:
        return load_bundle(path)
    raise BadInputError(
        f"policy {text!r}: neither a policy that ships nor a folder{did_you_mean(text, known)}"
    )
