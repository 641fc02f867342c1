"""Files as they were: read out of a git repository, by the program `git` itself.

Nothing is checked out and nothing is written; what a repository's configuration would have run (filters, hooks, fetching)
is not. Paths inside a repository are written with slashes.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from cnndsl.diagnostics.errors import MissingPart, fault
from cnndsl.diagnostics.source import COMMAND_LINE, Source, Span

_SECONDS = 60
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
_PLAIN_FILES = ("100644", "100755")


@dataclass(frozen=True)
class Revision:
    """A commit of a repository."""

    root: Path
    """The repository's working folder."""
    name: str
    """The revision as it was asked for: `HEAD~3`."""
    commit: str

    def read(self, path: PurePosixPath, most: int) -> bytes | None:
        """A file's first `most` bytes as they were then; None where the commit has no plain file of this name, but perhaps a
        link or a folder. Raises `MissingPart`."""
        listed = _git(self.root, "ls-tree", "-z", "--full-tree", self.commit, "--", str(path))
        about, _, name = listed.partition(b"\t")
        if name.rstrip(b"\0") != os.fsencode(str(path)):
            return None
        mode, _, blob = about.decode("ascii").split(" ")
        if mode not in _PLAIN_FILES:
            return None
        return _git(self.root, "cat-file", "blob", blob, most=most)

    def path(self, file: Path) -> PurePosixPath:
        """A file's path inside the repository. Raises `CnnError` (file-not-found) for one that lies elsewhere."""
        absolute = Path(os.path.realpath(file.parent)) / file.name
        if not absolute.is_relative_to(self._real_root):
            raise fault(
                "file-not-found",
                f"`{file}` lies outside the repository `{self.root.name}`",
                help="give a file of the repository",
            )
        return PurePosixPath(absolute.relative_to(self._real_root).as_posix())

    @cached_property
    def _real_root(self) -> Path:
        return Path(os.path.realpath(self.root))


def find_revision(name: str, file: Path) -> Revision:
    """The commit that a name such as `HEAD~3`, `main` or `v1.0` means in the repository that `file` is or was in.

    Raises `CnnError` (no-repository, unknown-revision) and `MissingPart` where there is no git.
    """
    folder = next((p for p in (file.parent, *file.parent.absolute().parents) if p.is_dir()), Path())
    top = _try(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise fault(
            "no-repository",
            f"`{file}` lies in no git repository, so there is no revision `{name}` of it",
            help="give two files, or go to a clone",
        )
    root = Path(os.fsdecode(top.removesuffix(b"\n")))
    # A name that begins with a dash would be an option.
    found = (
        None
        if name.startswith("-") or not name
        else _try(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    )
    if found is None:
        raise fault(
            "unknown-revision",
            f"`{name}` is no revision of the repository `{root.name}`",
            Span(Source(COMMAND_LINE, name), 0, len(name)),
            help="`git log --oneline` lists revisions; a shallow clone lacks old ones",
        )
    return Revision(root, name, found.decode("ascii").strip())


def _try(folder: Path, *arguments: str) -> bytes | None:
    """What git says; None where it refuses."""
    try:
        return _git(folder, *arguments)
    except _Refused:
        return None


class _Refused(MissingPart):
    """Git ended with an error."""


def _git(folder: Path, *arguments: str, most: int = 1 << 20) -> bytes:
    """The first `most` bytes of what a git command prints. Raises `MissingPart`."""
    command = ["git", "--no-replace-objects", "-C", str(folder), *arguments]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_QUIET},
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = process.stdout.read(most)
            if len(said) == most:
                process.kill()
                return said
            complaint = process.stderr.read(4096).decode(errors="replace").strip()
            code = process.wait(_SECONDS)
    except FileNotFoundError:
        raise MissingPart("there is no program `git` on this machine", "install git, or give two files") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"git cannot be asked: {error}", "give two files") from None
    if code:
        raise _Refused(f"git {arguments[0]} failed: {complaint.partition(chr(10))[0]}", "run it by hand to see why")
    return said
