"""Coverage-guided fuzzing of everything that reads a file: `python -m tests.fuzz READER SECONDS`, or `make fuzz`.

A reader may give what it read, or a CnnError with a diagnostic; anything else is a crash, which atheris writes down. What
it finds worth keeping goes to `tests/fuzz/corpus/READER`, and is run again by `tests/fuzz/test_corpus.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")


def main(name: str, seconds: str) -> None:
    import atheris

    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["cnndsl", "tomllib"]):
        from tests.fuzz import made
        from tests.fuzz.readers import READERS

        read = READERS[name]
        fresh = made.folder() / "fresh"
        fresh.mkdir()
        for number, seed in enumerate(made.seeds(name)):
            (fresh / str(number)).write_bytes(seed)
        # What is imported when it is used is to be watched too.
        seeds = [path.read_bytes() for path in (*fresh.iterdir(), *corpus.iterdir())]
        for seed in seeds:
            read(seed)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=4096",
        f"-max_len={max(4096, *(2 * len(seed) for seed in seeds))}",
        "-print_final_stats=1",
    ]
    dictionary = Path(__file__).with_name(f"{name}.dict")
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    atheris.Setup([sys.argv[0], *options, str(corpus), str(fresh)], read)
    atheris.Fuzz()


def names() -> str:
    """The readers, for `make fuzz`."""
    from tests.fuzz.readers import READERS

    return " ".join(READERS)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(names())
    else:
        main(*sys.argv[1:])
