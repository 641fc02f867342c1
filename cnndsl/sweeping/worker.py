"""A process that builds variants: a program on the first line it reads, then on each line some variants, and a line of rows for each.

Lines are JSON, so that nothing that is read is ever run; `python -m cnndsl.sweeping.worker` is such a process, and a worker
of a Dask cluster calls `rows_of`.
"""

from __future__ import annotations

import json
import signal
import sys
from functools import lru_cache

from cnndsl.sweeping.program import Program
from cnndsl.sweeping.variants import Variant


def rows_of(program: str, work: str) -> str:
    """The rows of some variants, all as JSON: `work` is `[figures, [[model, parameters, inputs], …]]`.

    Raises ValueError where another version of cnndsl asks."""
    figures, variants = json.loads(work)
    known = _program(program)
    rows = [known.row(Variant(*variant), tuple(figures)).to_json() for variant in variants]
    return json.dumps(rows, ensure_ascii=False)


@lru_cache(maxsize=4)
def _program(text: str) -> Program:
    """The program, read once for all lines of work."""
    return Program.from_json(text)


def work_of(figures: tuple[str, ...], variants: list[Variant]) -> str:
    """Some variants as a line of work."""
    return json.dumps([figures, [[v.model, v.parameters, v.inputs] for v in variants]], ensure_ascii=False)


def main() -> None:
    """Works until there is nothing more to read."""
    # Ctrl-C reaches every process of a terminal: the one that reads our answers ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = sys.stdin.readline()
    for line in sys.stdin:
        sys.stdout.write(rows_of(program, line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    main()
