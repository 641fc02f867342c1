"""A program as it was: its text and those it uses, all out of one revision of a git repository."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.source import COMMAND_LINE, Source, Span
from cnndsl.disk.git import Revision, find_revision
from cnndsl.passes.library.sources import UsedFile, not_beside, outside
from cnndsl.passes.read_program import Origin
from cnndsl.syntax.scan import MOST_BYTES, decode


def read_revision(name: str, file: str, *, from_root: bool = False) -> Origin:
    """The program `file`, or `file:MODEL`, as it was in the revision `name`; files that it uses are those of that revision, too.

    The path is seen from the working folder; with `from_root` from the top of the repository, as in git's own `REVISION:FILE`,
    unless it begins with a dot. Raises `CnnError` (no-repository, unknown-revision, file-not-found, not-utf8, source-too-long) and `MissingPart`.
    """
    written, model = split_model(file)
    above = from_root and not written.startswith(("./", "../", "/"))
    revision = find_revision(name, Path() / "*" if above else Path(written))
    path = revision.path(revision.root / written if above else Path(written))
    data = revision.read(path, MOST_BYTES + 1)
    if data is None:
        asked = f"{name}:{file}"
        raise fault(
            "file-not-found",
            f"there is no file `{path}` in the revision `{name}`",
            Span(Source(COMMAND_LINE, asked), len(name) + 1, len(asked)),
            help=f"`git log --oneline -- {path}` lists the revisions that changed it",
        )
    found = _Then(revision)
    return Origin(decode(f"{name}:{path}", data), Path(path), path.stem, model, found)


def split_model(file: str) -> tuple[str, str | None]:
    """`net.cnn:small` as the file and the model; a file alone has no model."""
    name, colon, model = file.rpartition(":")
    return (name, model) if colon and name.endswith(".cnn") else (file, None)


class _Then:
    """Finds used files in a revision; paths are those inside the repository."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision

    def __call__(self, written: str, user: str, path: Path | None, span: Span) -> UsedFile:
        assert path is not None
        here = PurePosixPath(path.as_posix()).parent
        root = self._project(here)
        file = _joined(here, written)
        if file is None or written.startswith("/") or not file.is_relative_to(root):
            raise outside(written, span, root.name or str(self._revision.root.name))
        data = self._revision.read(file, MOST_BYTES + 1)
        if data is None:
            raise not_beside(written, user, span)
        name = f"{self._revision.name}:{file}"
        return UsedFile(name, Path(file), decode(name, data))

    def _project(self, folder: PurePosixPath) -> PurePosixPath:
        """The nearest folder above that had a `pyproject.toml` then; without one, the repository."""
        for above in (folder, *folder.parents):
            if self._revision.read(above / "pyproject.toml", 1) is not None:
                return above
        return PurePosixPath()


def _joined(folder: PurePosixPath, written: str) -> PurePosixPath | None:
    """A relative path worked out in text alone; None where it leaves the repository."""
    parts = list(folder.parts)
    for part in PurePosixPath(written).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)
