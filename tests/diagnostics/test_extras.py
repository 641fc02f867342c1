"""Guards `diagnostics/extras.py`. What a missing extra's message says works where it is read: in a clone, and beside a wheel."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnndsl.diagnostics import extras
from cnndsl.diagnostics.extras import how_to_install

ROOT = Path(__file__).resolve().parents[2]


def test_in_a_clone_the_clone_is_installed() -> None:
    command = how_to_install("train").removeprefix("run `").removesuffix("`")
    assert shlex.split(command) == ["pip", "install", "-e", f"{ROOT}[train]"]


def test_beside_a_wheel_the_extra_of_what_is_installed_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "site-packages" / "cnndsl" / "diagnostics" / "extras.py"))
    assert how_to_install("train") == "run `pip install 'cnndsl[train]'`"
