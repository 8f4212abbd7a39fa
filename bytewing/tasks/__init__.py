"""The tasks that ship with Bytewing; ``pyproject.toml`` lists them as entry points."""

DEMO_TASK = "road"
"""The task that ``bytewing demo`` trains where the user names none: the quickest to learn."""
