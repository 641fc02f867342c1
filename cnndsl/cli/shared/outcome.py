"""What a command's end means: its exit code, and what is said of it on stderr."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import IO

import click

from cnndsl.cli.shared.voice import complain, report
from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart, Refused, Severity
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.diagnostics.source import COMMAND_LINE
from cnndsl.version import __version__

FINE, WRONG_PROGRAM, WRONG_COMMAND, MISSING, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130
_EXTRAS = {"torch": "torch", "tvm": "tvm", "numpy": "tvm", "PIL": "images", "pygraphviz": "draw"}
"""The extra that brings a library."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What writing a result fails with where there is no room."""
_NOT_THERE = ("file-not-found", "unknown-architecture", "unknown-revision", "no-repository")
_COMPLETION = "_CNNDSL_COMPLETE"


def outcome(cli: click.Group, arguments: Sequence[str]) -> int:
    """Runs the command and returns the exit code of the process."""
    _make_streams_safe()
    try:
        code = _run(cli, arguments)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_FULL):
            raise
        # Python would complain once more when it flushes on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            # The reader has enough.
            return FINE
        complain(f"cannot write the result: {error.strerror}", "write it to a place with room for it")
        return MISSING
    return code


def _run(cli: click.Group, arguments: Sequence[str]) -> int:
    if _COMPLETION in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "cnndsl", _COMPLETION, os.environ[_COMPLETION])

    def work() -> None:
        with cli.make_context("cnndsl", list(arguments)) as context:
            cli.invoke(context)

    return code_of(work)


def code_of(work: Callable[[], object]) -> int:
    """Does the work; the exit code it ends with, once what stopped it was said on stderr."""
    try:
        work()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return WRONG_COMMAND
    except CnnError as error:
        report(error.diagnostics)
        return MISSING if isinstance(error, Refused) else code_of_errors(error.diagnostics)
    except MissingPart as error:
        complain(error.message, error.help)
        return MISSING
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _bug(error)
        complain(f"this takes {error.name}, which is not installed", how_to_install(extra))
        return MISSING
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise
        return _bug(error)
    except Exception as error:  # noqa: BLE001  (the last line of defence: it reports the bug)
        return _no_memory() if _of_memory(error) else _bug(error)
    return FINE


def code_of_errors(found: Iterable[Diagnostic]) -> int:
    """The exit code of errors: a file that the command line names and that is not there is the command line's fault."""
    wrong = [d for d in found if d.severity is Severity.ERROR]
    named = all(d.id in _NOT_THERE and (d.span is None or d.span.source.name == COMMAND_LINE) for d in wrong)
    return WRONG_COMMAND if wrong and named else WRONG_PROGRAM


def _of_memory(error: Exception) -> bool:
    """Whether memory ran out; libraries in C++ have many words for it, and no class."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(
        words in said for words in ("cannot allocate memory", "can't allocate memory", "bad_alloc", "start new thread")
    )


def _no_memory() -> int:
    complain("memory ran out", "take a smaller network or --batch, or a machine with more memory")
    return MISSING


def _bug(error: Exception) -> int:
    complain(
        f"cnndsl {__version__} broke: {type(error).__name__}: {error}",
        "this is a bug of ours; please report it with the program and the command (CNNDSL_TRACEBACK=1 shows where)",
    )
    if os.environ.get("CNNDSL_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    return BUG


def _make_streams_safe() -> None:
    """A terminal or pipe that cannot say `×` gets `?`, and no crash."""
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream)


def _reconfigure(stream: IO[str]) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")
