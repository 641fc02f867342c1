"""Guards `lsp/`. `cnndsl lsp` as an editor meets it: over standard input and output, with pygls' own client."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.service.texts import saved

pytest.importorskip("pygls", reason="the language server needs pygls")
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.client import Client, at

TEXT = "# 😀 → ×\ninput 3×8×8\nConv3x3(8) → ReLU\n→ Conv3x3(4)\n"


def speak(talk: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """A talk with a server of its own."""

    async def whole() -> None:
        client = Client()
        await client.begin(**options)
        await talk(client)
        await client.end()

    asyncio.run(asyncio.wait_for(whole(), 120))


def identified(uri: str) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri=uri)


def test_a_text_gets_hints_diagnostics_and_a_mend_while_it_is_typed() -> None:
    async def talk(client: Client) -> None:
        uri = "untitled:net.cnn"
        client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(settings={"cnndsl": {"hints": ["shape"]}})
        )
        client.open(uri, TEXT)
        assert await client.heard(uri, 1) == []
        hints = [(1, "3×8×8"), (2, "8×8×8"), (3, "4×8×8")]
        assert await client.hints(uri) == hints
        client.change(uri, 2, TEXT.replace("Conv3x3(4)", "Cov3x3(4)"))
        (told,) = await client.heard(uri, 2)
        assert (told.code, told.severity, told.source) == ("unknown-layer", types.DiagnosticSeverity.Error, "cnndsl")
        assert (told.range.start, told.range.end) == (
            types.Position(line=3, character=2),
            types.Position(line=3, character=8),
        )
        assert await client.hints(uri) == [*hints[:2], (3, "~ 4×8×8")]
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(
                text_document=identified(uri), range=told.range, context=types.CodeActionContext(diagnostics=[told])
            )
        )
        (action,) = [a for a in actions or [] if isinstance(a, types.CodeAction)]
        assert action.edit is not None
        assert [edit.new_text for edit in (action.edit.changes or {})[uri] if isinstance(edit, types.TextEdit)] == [
            "Conv3x3"
        ]
        assert told.code_description is not None
        assert told.code_description.href.endswith("docs/errors/unknown-layer.md")
        client.change(uri, 3, TEXT.replace("Conv3x3(4)", "Conv3x3(5)"))
        assert await client.heard(uri, 3) == []
        assert await client.hints(uri) == [*hints[:2], (3, "5×8×8")]
        client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(settings={"cnndsl": {"hints": ["rf", "params", "macs"]}})
        )
        assert await client.hints(uri) == [(2, "rf 3 /1  224 params  13.8K MACs"), (3, "rf 5 /1  365 params  23K MACs")]

        client.change(uri, 4, "input 3×9×9\nConv3x3(8) → ReLU → add{ MaxPool → Upsample | id }\n")
        (told,) = await client.heard(uri, 4)
        assert told.code == "shape-mismatch"
        asked = await client.text_document_code_action_async(
            types.CodeActionParams(
                text_document=identified(uri), range=told.range, context=types.CodeActionContext(diagnostics=[told])
            )
        )
        (search,) = [a for a in asked or [] if isinstance(a, types.Command)]
        said = await client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=search.command, arguments=search.arguments)
        )
        assert said == "sizes of `input` that can be built: a multiple of 2, from 2; near 9: 8 and 10"

    speak(talk, options={"hints": ["macs"]})


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", pytest.param("utf-16", marks=pytest.mark.slow), pytest.param("utf-32", marks=pytest.mark.slow)],
)
def test_columns_are_counted_as_the_client_counts_them(encoding: str) -> None:
    async def talk(client: Client) -> None:
        uri = "untitled:net.cnn"
        client.open(uri, 'input 3×8×8 # "😀"\nlet k = 2 # 😀\nReLU → Conv3x3(k)\n'.replace("ReLU →", "[id] → "))
        await client.heard(uri, 1)
        line = "[id] →  Conv3x3("
        start = len(line.encode("utf-8")) if encoding == "utf-8" else len(line)
        found = await client.text_document_references_async(
            types.ReferenceParams(**at(uri, 2, start), context=types.ReferenceContext(include_declaration=True))
        )
        assert [(f.range.start.line, f.range.start.character) for f in found or []] == [(1, 4), (2, start)]
        tokens = await client.text_document_semantic_tokens_full_async(
            types.SemanticTokensParams(text_document=identified(uri))
        )
        assert tokens is not None
        comment = tokens.data[5 * 2 : 5 * 3] if len(tokens.data) else []
        assert comment
        # `# "😀"` is eight bytes, six pairs of bytes, five characters long.
        assert {"utf-8": 8, "utf-16": 6, "utf-32": 5}[encoding] in tokens.data[2::5]

    speak(talk, encoding=encoding)


def test_what_an_editor_asks_is_answered(tmp_path: Path) -> None:
    paths = saved(
        tmp_path,
        parts="# A part.\nblock Part(c) { Conv3x3(c) }\n",
        net='use Part from "parts.cnn"\ninput 3×8×8\nPart(8) as e → ReLU->Part(4)\n',
    )

    async def talk(client: Client) -> None:
        uri, parts = paths["net"].as_uri(), paths["parts"].resolve().as_uri()
        client.open(uri, paths["net"].read_text("utf-8"))
        client.open(parts, paths["parts"].read_text("utf-8"))
        told = await client.heard(uri, 1)
        assert [d.code for d in told] == ["unused-name"]
        assert list(told[0].tags or ()) == [types.DiagnosticTag.Unnecessary]
        place = await client.text_document_definition_async(types.DefinitionParams(**at(uri, 2, 1)))
        assert isinstance(place, types.Location)
        assert (place.uri, place.range.start) == (parts, types.Position(line=1, character=6))
        page = await client.text_document_hover_async(types.HoverParams(**at(uri, 2, 17)))
        assert page is not None
        assert isinstance(page.contents, types.MarkupContent)
        assert "`8×8×8` → `8×8×8`" in page.contents.value
        items = await client.text_document_completion_async(types.CompletionParams(**at(uri, 2, 21)))
        assert isinstance(items, list)
        assert {"Part", "Conv"} <= {item.label for item in items}
        help = await client.text_document_signature_help_async(types.SignatureHelpParams(**at(uri, 2, 5)))
        assert help is None or help.signatures
        edits = await client.text_document_formatting_async(
            types.DocumentFormattingParams(
                text_document=identified(uri), options=types.FormattingOptions(tab_size=2, insert_spaces=True)
            )
        )
        assert [edit.new_text for edit in edits or []] == ["Part(8) as e → ReLU → Part(4)\n"]
        typed = await client.text_document_on_type_formatting_async(
            types.DocumentOnTypeFormattingParams(
                **at(uri, 2, 21), ch=">", options=types.FormattingOptions(tab_size=2, insert_spaces=True)
            )
        )
        assert [edit.new_text for edit in typed or []] == ["→"]
        symbols = await client.text_document_document_symbol_async(
            types.DocumentSymbolParams(text_document=identified(parts))
        )
        assert [symbol.name for symbol in symbols or []] == ["Part"]
        all_symbols = await client.workspace_symbol_async(types.WorkspaceSymbolParams(query="par"))
        assert [symbol.name for symbol in all_symbols or []] == ["Part"]
        links = await client.text_document_document_link_async(types.DocumentLinkParams(text_document=identified(uri)))
        assert [link.target for link in links or []] == [parts]
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=identified(uri)))
        assert any("parameters" in lens.command.title for lens in lenses or [] if lens.command)
        renamed = await client.text_document_rename_async(types.RenameParams(**at(parts, 1, 7), new_name="Piece"))
        assert renamed is not None
        assert {u: len(e) for u, e in (renamed.changes or {}).items()} == {parts: 1, uri: 3}
        with pytest.raises(JsonRpcException, match="is a layer"):
            await client.text_document_rename_async(types.RenameParams(**at(parts, 1, 7), new_name="ReLU"))
        calls = await client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(**at(parts, 1, 7))
        )
        assert [call.name for call in calls or []] == ["Part"]
        folds = await client.text_document_folding_range_async(types.FoldingRangeParams(text_document=identified(uri)))
        assert list(folds or ()) == []
        marks = await client.text_document_document_highlight_async(types.DocumentHighlightParams(**at(uri, 2, 1)))
        assert len(marks or []) == 3
        assert client.registered == ["workspace/didChangeWatchedFiles"]

    speak(talk, folders=[tmp_path, tmp_path.parent])


def test_files_that_change_on_disk_or_in_another_window_count(tmp_path: Path) -> None:
    paths = saved(tmp_path, parts="block Part { Conv3x3(8) }\n", net='use Part from "parts.cnn"\ninput 3×8×8\nPart\n')

    async def talk(client: Client) -> None:
        uri, parts = paths["net"].as_uri(), paths["parts"].as_uri()
        client.open(uri, paths["net"].read_text("utf-8"))
        await client.heard(uri, 1)
        assert await client.hints(uri) == [(1, "3×8×8"), (2, "8×8×8")]
        paths["parts"].write_text("block Part { Conv3x3(9) }\n", "utf-8")
        client.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(changes=[types.FileEvent(uri=parts, type=types.FileChangeType.Changed)])
        )
        while (await client.hints(uri))[1:] != [(2, "9×8×8")]:
            await asyncio.sleep(0.01)
        client.open(parts, "block Part { Conv3x3(10) }\n")
        client.change(parts, 2, "block Part { Conv3x3(11) }\n")
        while (await client.hints(uri))[1:] != [(2, "11×8×8")]:
            await asyncio.sleep(0.01)
        client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identified(parts)))
        while (await client.hints(uri))[1:] != [(2, "9×8×8")]:
            await asyncio.sleep(0.01)

    speak(talk)


def test_without_its_library_the_server_says_how_to_install_it() -> None:
    code = "import sys; sys.modules['pygls'] = None; from cnndsl.cli import run; sys.exit(run(['lsp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the language server needs pygls" in done.stderr
    assert "pip install" in done.stderr


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def garbage(count: int, seed: int) -> list[bytes]:
    """Messages that nobody meant: wrong types, positions beyond all texts, unknown methods, no JSON at all."""
    draw = random.Random(seed)
    methods = [
        "textDocument/hover", "textDocument/completion", "textDocument/didChange", "textDocument/inlayHint", "textDocument/rename",
        "textDocument/didOpen", "textDocument/definition", "textDocument/codeAction", "nonsense/at/all", "workspace/symbol",
        "textDocument/onTypeFormatting", "textDocument/semanticTokens/full", "callHierarchy/incomingCalls", "$/cancelRequest",
    ]  # fmt: skip
    values: list[Any] = [
        None,
        -1,
        10**9,
        "x",
        [],
        {},
        [[]],
        "untitled:a",
        "file:///no/such",
        "file://%00",
        True,
        1.5,
        "\udc80".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ]
    messages = []
    for number in range(count):
        position = {"line": draw.choice([0, 1, 10**6]), "character": draw.choice([0, 3, 10**6])}
        params: Any = {
            "textDocument": {"uri": draw.choice(["untitled:a", "untitled:none", "file:///x"]), "version": 1},
            "position": draw.choice([position, *values]),
            "range": {"start": position, "end": position},
            "contentChanges": draw.choice([[{"text": "input 3×8×8\nRe"}], [{"range": {"start": position, "end": position}, "text": "é"}], values]),
            "context": {"diagnostics": [], "includeDeclaration": True},
            "newName": "x", "query": "", "ch": ">", "options": {"tabSize": 2, "insertSpaces": True},
        }  # fmt: skip
        if draw.random() < 0.3:
            params[draw.choice(list(params))] = draw.choice(values)
        message = {
            "jsonrpc": "2.0",
            "method": draw.choice(methods),
            "params": draw.choice([params, params, params, *values]),
        }
        if draw.random() < 0.7:
            message["id"] = number + 100
        body = json.dumps(message).encode()
        messages.append(framed(draw.choice([body, body, body, body, b"{", b"[1, 2]", b"\xff\xfe"])))
    return messages


@pytest.mark.parametrize("count", [pytest.param(60, id="some"), pytest.param(3000, id="many", marks=pytest.mark.slow)])
def test_messages_that_nobody_meant_do_not_end_the_server(count: int) -> None:
    def sent(**message: Any) -> bytes:
        return framed(json.dumps({"jsonrpc": "2.0", **message}).encode())

    head = [
        sent(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}}),
        sent(method="initialized", params={}),
        sent(method="textDocument/didOpen", params={"textDocument": {"uri": "untitled:a", "languageId": "cnn", "version": 1, "text": TEXT}}),
    ]  # fmt: skip
    tail = [
        sent(method="textDocument/didOpen", params={"textDocument": {"uri": "untitled:b", "languageId": "cnn", "version": 1, "text": TEXT}}),
        sent(id=2, method="textDocument/documentSymbol", params={"textDocument": {"uri": "untitled:b"}}),
        sent(id=3, method="shutdown", params=None),
        sent(method="exit", params=None),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "cnndsl", "lsp"],
        input=b"".join([*head, *garbage(count, 7), *tail]), capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answers = [json.loads(part.partition(b"Content-Length")[0]) for part in done.stdout.split(b"\r\n\r\n")[1:]]
    assert [a["result"][0]["name"] for a in answers if a.get("id") == 2] == ["input"]


def test_stray_lines_and_surrogates_keep_their_places() -> None:
    from cnndsl.lsp.positions import Lines

    text = "a\u2028b\r\nc\rd\n\x0ce😀f"
    lines = Lines(text, "utf-16")
    assert [lines.position(text.index(c)) for c in "bcdef"] == [
        types.Position(line=0, character=2), types.Position(line=1, character=0), types.Position(line=2, character=0),
        types.Position(line=3, character=1), types.Position(line=3, character=4),
    ]  # fmt: skip
    for encoding in ("utf-8", "utf-16", "utf-32"):
        lines = Lines(text, encoding)
        for offset in range(len(text) + 1):
            if text[offset - 1 : offset + 1] != "\r\n":
                assert lines.offset(lines.position(offset)) == offset
        assert lines.offset(types.Position(line=0, character=999)) == 3
        assert lines.offset(types.Position(line=99, character=0)) == len(text)


@pytest.mark.slow
def test_ten_thousand_edits_take_no_memory() -> None:
    import resource

    from cnndsl.diagnostics.source import Source
    from cnndsl.service.analysis import Analysis
    from cnndsl.service.facts import facts, kept
    from cnndsl.service.problems import problems

    def edit(number: int) -> None:
        text = TEXT.replace("(4)", f"({number % 50 + 1}" + (")" if number % 3 else ""))
        analysis = Analysis(Source("net.cnn", text))
        found = facts(analysis, analysis.models)
        problems(analysis, analysis.models)
        kept(found, TEXT, text, found, whole=False)

    def most() -> int:
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for number in range(1500):
        edit(number)
    before = most()
    for number in range(10_000):
        edit(number)
    assert most() - before < 12_000


@pytest.mark.slow
def test_ten_thousand_changes_over_the_wire_take_no_memory() -> None:
    async def talk(client: Client) -> None:
        uri, status = "untitled:net.cnn", Path(f"/proc/{client._server.pid}/status")  # type: ignore[union-attr]
        if not status.exists():
            pytest.skip("memory of another process is read from /proc")

        def memory() -> int:
            return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS")))

        client.open(uri, TEXT)
        for number in range(2, 3_000):
            client.change(uri, number, TEXT.replace("(4)", f"({number % 50 + 1})"))
            if number % 20 == 0:
                await client.hints(uri)
        before = memory()
        for number in range(3_000, 13_000):
            client.change(uri, number, TEXT.replace("(4)", f"({number % 50 + 1})"))
            if number % 20 == 0:
                await client.hints(uri)
        await client.heard(uri, 12_999)
        assert memory() - before < 16_000

    speak(talk)
