"""``python -m bytewing`` is the ``bytewing`` command."""

from bytewing.cli import main

if __name__ == "__main__":
    main()
