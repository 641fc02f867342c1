"""Guards `editors/` and `cnndsl/pygments_lexer.py`. Word lists are those of the language, and editors take what is written for them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pygments.token import Error, Keyword, Name, Number, Text, Token

from cnndsl.disk import shelf
from cnndsl.ir.op import registry
from cnndsl.pygments_lexer import CnnLexer
from cnndsl.syntax.vocabulary import RESERVED

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "editors"


def script(path: Path) -> ModuleType:
    """A program of the folder, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_word_lists_are_as_the_grammar_and_the_registry_say() -> None:
    for name, write in script(EDITORS / "make.py").WRITTEN.items():
        assert (EDITORS / name).read_text("utf-8") == write(), f"{name}: python -m editors.make"


def test_pygments_knows_every_sign_of_every_program() -> None:
    for source in shelf.sources():
        for token, text in CnnLexer().get_tokens(source.text):
            assert token is not Error, (source.name, text)
            assert token is not Text, (source.name, text)


def test_pygments_tells_layers_keywords_labels_and_numbers_apart() -> None:
    text = "param n: int = 3\nconv1: Conv3x3(64, stride=2) → add{ id | ReLU6 } → Unit(max(1, n)) # →\n"
    found = {(text, token) for token, text in CnnLexer().get_tokens(text)}
    assert {
        ("param", Keyword.Declaration), ("int", Keyword.Type), ("conv1", Name.Label), ("Conv3x3", Name.Builtin),
        ("64", Number), ("stride", Name.Variable), ("add", Name.Function.Magic), ("id", Keyword.Constant),
        ("ReLU6", Name.Builtin), ("Unit", Name), ("max", Name.Function), ("# →", Token.Comment.Single),
    } <= found  # fmt: skip


def patterns() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EDITORS / "vscode/syntaxes/cnn.tmLanguage.json").read_text("utf-8"))[
        "patterns"
    ]
    return found


def scope(word: str, behind: str = "") -> str:
    """The scope of a word that begins a line, by the first pattern that takes all of it."""
    for pattern in patterns():
        match = re.match(pattern["match"], word + behind) if "match" in pattern else None
        if match and match[0] == word and "name" in pattern:
            return str(pattern["name"])
    return ""


def test_the_grammar_of_vs_code_gives_every_word_its_scope() -> None:
    assert {scope(word).split(".")[0] for word in RESERVED} == {"keyword", "constant"}
    for word, op in registry().items():
        expected = "support.function.merge.cnn" if op.merges else "support.function.layer.cnn"
        assert scope(word, "{" if op.merges else "(") == expected, word
    assert [scope("Conv3x3", "(8)"), scope("Unit"), scope("stem", ": Conv"), scope("3x224x224")] == [
        "support.function.layer.cnn", "entity.name.type.cnn", "entity.name.tag.label.cnn", "constant.numeric.cnn",
    ]  # fmt: skip


def test_vs_code_does_not_box_times_signs() -> None:
    package = json.loads((EDITORS / "vscode/package.json").read_text("utf-8"))
    assert (
        package["contributes"]["configurationDefaults"]["[cnn]"]["editor.unicodeHighlight.ambiguousCharacters"] is False
    )
    configuration = json.loads((EDITORS / "vscode/language-configuration.json").read_text("utf-8"))
    assert configuration["comments"] == {"lineComment": "#"}


@pytest.mark.skipif(not (EDITORS / "vscode/node_modules").is_dir(), reason="npm ci was not run in editors/vscode")
def test_one_command_builds_the_same_extension_each_time(tmp_path: Path) -> None:
    package = script(EDITORS / "vscode/package.py")
    first, second = package.build(tmp_path / "a.vsix"), package.build(tmp_path / "b.vsix")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        described = json.loads(archive.read("extension/package.json"))
        names = set(archive.namelist())
        assert b"vscode" in archive.read("extension/out/extension.js")
    contributed = described["contributes"]
    assert {f"extension/{contributed['grammars'][0]['path'][2:]}", f"extension/{described['main'][2:]}"} <= names


TALK = """
local out = {}
vim.lsp.config("cnndsl", { cmd = vim.json.decode(os.getenv("CNNDSL_SERVER")) })
vim.cmd.edit(os.getenv("CNNDSL_FILE"))
local buffer = vim.api.nvim_get_current_buf()
local function hints()
  return vim.tbl_map(function(one) return { one.inlay_hint.position.line, one.inlay_hint.label } end,
    vim.lsp.inlay_hint.get({ bufnr = buffer }))
end
out.filetype = vim.bo.filetype
out.came = vim.wait(60000, function() return #hints() == 3 end, 20)
out.hints = hints()
vim.api.nvim_buf_set_text(buffer, 1, 0, 1, 4, { "Cov" })
vim.wait(60000, function() return #vim.diagnostic.get(buffer) == 1 end, 20)
out.told = vim.tbl_map(function(one) return { one.lnum, one.col, one.end_col, one.code } end, vim.diagnostic.get(buffer))
local client = vim.lsp.get_clients({ bufnr = buffer })[1]
out.encoding = client.offset_encoding
vim.lsp.stop_client(client.id)
io.stdout:write(vim.json.encode(out))
vim.cmd("qall!")
"""


def neovim() -> str | None:
    """A Neovim from 0.11 on the PATH or beside this Python."""
    found = shutil.which("nvim", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    return found if version and (int(version[1]), int(version[2])) >= (0, 11) else None


@pytest.mark.skipif(neovim() is None, reason="there is no Neovim from 0.11 here")
def test_neovim_shows_shapes_and_mistakes(tmp_path: Path) -> None:
    file, talk = tmp_path / "net.cnn", tmp_path / "talk.lua"
    file.write_text("input 3×8×8\nConv3x3(8)\n→ ReLU\n", "utf-8")
    talk.write_text(TALK, "utf-8")
    server = json.dumps([sys.executable, "-m", "cnndsl", "lsp"])
    paths = f"set runtimepath^={EDITORS / 'neovim'},{EDITORS / 'vim'}"
    done = subprocess.run(
        [str(neovim()), "--headless", "-i", "NONE", "--clean", "--cmd", paths, "-c", f"luafile {talk}"],
        env={**os.environ, "CNNDSL_SERVER": server, "CNNDSL_FILE": str(file), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout[done.stdout.index("{") :]) == {
        "filetype": "cnn",
        "came": True,
        "hints": [[0, "3×8×8"], [1, "8×8×8"], [2, "8×8×8"]],
        "told": [[1, 0, 6, "unknown-layer"]],
        "encoding": "utf-8",
    }
