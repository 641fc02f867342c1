"""Pages that are run: `python -m tests.pages` writes beneath each program and command what it gets.

The blocks of a page are taken in order, in a folder of the page's own:

    cnn                   a program that loads, as the file `mine.cnn`
    cnn gates.cnn         a file beside it, of which `check` has nothing to say; it may hold blocks alone
    cnn fragment 3×8×8    a part of one; that input, or 3×32×32, is put before it
    cnn error             a program that does not load; the `text` block behind it is what it gets
    cnn warning           a program that loads, and what `check` says of it in the `text` block behind
    console               `$ command` lines and what each of them says; a line `…` stands for any number of lines
    python, sh            is run; what it prints is in the `text` block behind, if there is one
    sh install            is not run: it changes the machine
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cnndsl.cli import run
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.render import render_all
from cnndsl.latency.kernels import outdated_words
from cnndsl.pipeline import check, load

ROOT = Path(__file__).resolve().parent.parent
ERRORS = ROOT / "docs" / "errors"
README = ROOT / "README.md"
PAGES = (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ERRORS.glob("*.md")))
_BLOCK = re.compile(r"^```(?P<language>[a-z]+)(?P<about>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_OUTDATED = re.compile(rf"^{re.escape(outdated_words('@')).replace('@', '.+')}\n", re.MULTILINE)
_SHELL = re.compile(r"[|<>;&*$`]")
# The `python` of a page is this one, which may be in an environment that nobody has activated.
_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
_CNNDSL = f'cnndsl() {{ {shlex.quote(sys.executable)} -m cnndsl "$@"; }}\n'


class PageError(Exception):
    """A block of a page that does not do what the page says it does."""


def refreshed(page: str) -> str:
    """The page with what each program and command gets. Raises PageError."""
    with _project() as folder:
        running = _Run(folder)
        text = _BLOCK.sub(running.block, page)
        running.end()
        return text


@contextmanager
def _project() -> Iterator[Path]:
    """The folder of a page, as the working directory; `docs` lies in it, as in the repository."""
    with TemporaryDirectory() as outer:
        folder = Path(outer, "project").resolve()
        folder.mkdir()
        (folder / "pyproject.toml").touch()
        (folder / "docs").symlink_to(ROOT / "docs")
        with chdir(folder):
            yield folder


@dataclass
class _Run:
    """One page being run. `said` is what the last block got, and the next `text` block shows; None where nothing is due."""

    folder: Path
    said: str | None = None
    due: bool = field(default=False)
    """Whether a `text` block must follow."""

    def block(self, block: re.Match[str]) -> str:
        language, about, body = block["language"], block["about"].split(), block["body"]
        if language == "text":
            body, self.said, self.due = body if self.said is None else _ended(self.said), None, False
            return f"```text\n{body}```"
        self.end()
        if language == "cnn":
            self._program(about, body)
        elif language == "console":
            body = self._console(body)
        elif language == "python":
            self.said = self._inside(lambda: self._python(body))
        elif language == "sh" and about != ["install"]:
            self.said = self._script(body)
        return f"```{language}{block['about']}\n{body}```"

    def end(self) -> None:
        """Raises PageError if what the last block gets is not shown."""
        if self.due:
            raise PageError(f"a ```text block must show what the program gets:\n{self.said}")
        self.said = None

    def _program(self, about: list[str], text: str) -> None:
        name = next((word for word in about if word.endswith(".cnn")), "mine.cnn")
        if "fragment" in about:
            shape = next((word for word in about if "×" in word), "3×32×32")
            text = f"input {shape}\n{text}"
        Path(name).write_text(text, encoding="utf-8")
        found = said_of(name, lints="warning" in about or name != "mine.cnn")
        if "error" in about or "warning" in about:
            severity = "error" if "error" in about else "warning"
            if f"{severity}[" not in found or (severity == "warning" and "error[" in found):
                raise PageError(f"expected {severity}s of\n{text}\nfound\n{found}")
            self.said, self.due = self._plain(found), True
        elif found:
            raise PageError(f"{text}\ngets\n{found}")

    def _console(self, body: str) -> str:
        parts = re.split(r"^(?=\$ )", body, flags=re.MULTILINE)
        if parts[0]:
            raise PageError(f"a console block begins with `$ command`:\n{body}")
        return "".join(self._command(part) for part in parts[1:])

    def _command(self, part: str) -> str:
        first, _, shown = part.partition("\n")
        command = first.removeprefix("$ ")
        words = shlex.split(command)
        if words[0] == "cnndsl" and not _SHELL.search(command):
            real = self._inside(lambda: run(words[1:]))
        else:
            real = self._shell(command)
        real = _ended(real)
        return part if _agrees(shown, real) else f"{first}\n{real}"

    def _inside(self, work: Callable[[], object]) -> str:
        """What a call prints, in this process."""
        stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with redirect_stdout(stream), redirect_stderr(stream):
            work()
        stream.seek(0)
        return self._plain(stream.read())

    def _script(self, body: str) -> str:
        """What the commands of an `sh` block print; those that are all ours run in this process. Each must go well."""
        lines = [shlex.split(line, comments=True) for line in body.splitlines()]
        if not all(words[:1] == ["cnndsl"] and not _SHELL.search(" ".join(words)) for words in lines):
            return self._shell(f"set -e\n{body}", fails=False)
        return "".join(self._inside(partial(self._well, words)) for words in lines)

    def _well(self, words: list[str]) -> None:
        code = run(words[1:])
        if code:
            raise PageError(f"{shlex.join(words)}\nends with {code}")

    def _python(self, body: str) -> None:
        """Runs a block as a script in the folder: modules that lie there can be imported."""
        sys.path.insert(0, str(self.folder))
        present = set(sys.modules)
        try:
            exec(compile(body, "page", "exec"), {"__name__": "page"})
        finally:
            sys.path.remove(str(self.folder))
            for name in set(sys.modules) - present:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(self.folder)):
                    del sys.modules[name]

    def _shell(self, command: str, *, fails: bool = True) -> str:
        result = subprocess.run(
            ["bash", "-c", _CNNDSL + command],
            env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": _PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if result.returncode and not fails:
            raise PageError(f"{command}\nends with {result.returncode}\n{result.stdout}")
        return self._plain(result.stdout)

    def _plain(self, text: str) -> str:
        # The folder of a page is another one in every run.
        text = text.replace(f"{self.folder}/", "")
        # Whether the stored machine was measured with these very kernels changes with every kernel: `docs/latency.md` says it in words.
        return _OUTDATED.sub("", text)


def said_of(file: str, *, lints: bool = False) -> str:
    """Every diagnostic that a program gets, as people see it."""
    try:
        return render_all(check(file) if lints else load(file).warnings)
    except CnnError as error:
        return render_all(error.diagnostics)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _agrees(shown: str, real: str) -> bool:
    """Whether a page shows what is real, lines that stand for any number of lines apart."""
    lines = (r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line) for line in shown.splitlines(keepends=True))
    return re.fullmatch("".join(lines), real) is not None


if __name__ == "__main__":
    from cnndsl.disk.files import write_atomically

    for path in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        write_atomically(path, refreshed(path.read_text("utf-8")))
