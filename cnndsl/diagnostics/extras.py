"""How an extra that is missing is installed, where this package itself comes from no registry."""

from __future__ import annotations

from pathlib import Path


def how_to_install(extra: str) -> str:
    """The command that installs an extra such as `train`, as help for a `MissingPart`.

    In a clone it installs the clone. Elsewhere cnndsl was installed from a wheel, and pip and uv take the extras of what is
    installed: they ask no registry for cnndsl itself.
    """
    import shlex

    clone = Path(__file__).resolve().parents[2]
    if (clone / "pyproject.toml").is_file():
        return f"run `pip install -e {shlex.quote(f'{clone}[{extra}]')}`"
    return f"run `pip install 'cnndsl[{extra}]'`"
