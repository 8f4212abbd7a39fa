"""The tasks that ship with Bytewing; ``pyproject.toml`` lists them as entry points."""
