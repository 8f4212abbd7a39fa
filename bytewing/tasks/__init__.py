"""The tasks that ship with Bytewing; ``pyproject.toml`` lists them as entry points."""

DEMO_TASK = "road"
"""The default task of ``bytewing demo``, which trains fastest."""
