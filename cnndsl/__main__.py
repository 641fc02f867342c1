"""`python -m cnndsl`, and the `cnndsl` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line and leaves the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Nothing else is imported: editors and scripts ask this often.
        from cnndsl.version import __version__

        print(f"cnndsl {__version__}")
        return
    # pydantic looks through every installed package for plugins, which takes longer than reading a network.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from cnndsl.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
