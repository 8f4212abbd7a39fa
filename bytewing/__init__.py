"""Bytewing: fly, quantise, export and verify tiny drone networks.

This is the Python interface, version ``API_VERSION``. Names, arguments and meanings change only
with that number:

    import bytewing

    flights = bytewing.fly("s_bends", runtime="c", seeds=range(2_000_000, 2_000_003))
    report = bytewing.verify("road", suite="road_smoke")
    firmware = bytewing.export("road", target="stm32f405", out="out/firmware")

``bytewing.api`` documents every function. Heavy libraries are imported when a function needs them.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

if Path(__file__).with_name("sim").is_file():
    raise ImportError(
        "bytewing/sim is a file where the repository has a symbolic link, so this checkout cannot "
        "be imported; run: git config core.symlinks true && git checkout -- bytewing"
    )

__version__ = version("bytewing")
API_VERSION = 2
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


def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module's attribute can be anything)
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module 'bytewing' has no attribute {name!r}")
    from bytewing import api

    return getattr(api, name)
