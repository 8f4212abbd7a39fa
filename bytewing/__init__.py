"""Bytewing: fly, shrink, export and verify tiny drone networks.

The Python interface, version ``API_VERSION``; names and meanings change only with that number:

    import bytewing

    flights = bytewing.fly("s_bends", runtime="c", seeds=range(2_000_000, 2_000_003))
    report = bytewing.verify("road", suite="road_smoke")
    firmware = bytewing.export("road", target="stm32f405", out="out/firmware")

See ``bytewing.api`` for every function. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any

__version__ = version("bytewing")
API_VERSION = 1
__all__ = [
    "API_VERSION",
    "__version__",
    "export",
    "fly",
    "load_policy",
    "quantize",
    "train",
    "verify",
]

ROOMS = ("sim", "policies", "firmware_export", "scenarios")


def hidden_room() -> str | None:
    """Return a line about another package that hides one of ours, None where all is well.

    Our rooms are installed under plain names; a ``sim`` folder beside the user's script is found
    before ours.
    """
    home = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        origin = spec.origin if spec else None
        if origin is None or Path(origin).resolve().parent.parent != home:
            found = origin or (list(spec.submodule_search_locations or []) if spec else "nothing")
            return (
                f"the package {room!r} found at {found} hides Bytewing's own; "
                "rename it, or run from another folder"
            )
    return None


def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module's attribute can be anything)
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module 'bytewing' has no attribute {name!r}")
    problem = hidden_room()
    if problem:
        raise ImportError(problem)
    from bytewing import api

    return getattr(api, name)
