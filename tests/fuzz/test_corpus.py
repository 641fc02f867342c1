"""What fuzzing has found worth keeping, and what it once crashed on, read again; and mutations of it by hypothesis."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import made
from tests.fuzz.readers import READERS

MANY = 500 if os.environ.get("CNNDSL_FUZZ") == "all" else 50
CORPUS = Path(__file__).with_name("corpus")


def seeds(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*")) if path.is_file()] + made.seeds(name)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_reads_or_refuses_its_corpus(name: str) -> None:
    found = seeds(name)
    assert found
    for data in found:
        READERS[name](data)


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None, max_examples=MANY, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_every_reader_reads_or_refuses_what_was_changed(name: str, data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from(seeds(name)[:50])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(text) - 1, 0)))
        text[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    READERS[name](bytes(text))
