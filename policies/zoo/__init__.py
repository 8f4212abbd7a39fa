"""The trained policies that ship, one bundle a folder."""

from __future__ import annotations

from pathlib import Path

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.policies.bundle import PolicyBundle, load_bundle

ZOO = Path(__file__).resolve().parent


def zoo_names() -> list[str]:
    """Return the names of the policies that ship."""
    return sorted(path.parent.name for path in ZOO.glob("*/policy.toml"))


def find_policy(name_or_path: str | Path) -> PolicyBundle:
    """Return a policy by zoo name or by the path of a bundle folder.

    A plain name is a zoo name; anything with a separator, or an existing folder, is a path.
    """
    text = str(name_or_path)
    if text in zoo_names():
        return load_bundle(ZOO / text)
    path = Path(name_or_path)
    if path.is_dir() or len(path.parts) > 1:
        return load_bundle(path)
    raise BadInputError(
        f"policy {text!r}: neither a policy that ships nor a folder"
        f"{did_you_mean(text, zoo_names())}"
    )
