from __future__ import annotations

import math
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.results.files import append_line, hold, holder_of, read_json, read_lines, write_atomic, write_json

RECORDS = st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False)))


@settings(deadline=None)
@given(RECORDS, st.data())
def test_lines_cut_at_any_byte_read_as_the_whole_lines_before_it(records: list[dict], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        ends = [0]
        for record in records:
            append_line(path, record)
            ends.append(path.stat().st_size)
        cut = data.draw(st.integers(0, ends[-1]))
        path.touch()
        os.truncate(path, cut)
        n_whole = sum(end <= cut for end in ends) - 1
        assert list(read_lines(path)) == records[:n_whole]
        append_line(path, {"after": 1})
        assert list(read_lines(path)) == [*records[:n_whole], {"after": 1}]


def test_a_damaged_line_that_is_not_the_last_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append_line(path, {"a": 1})
    path.write_bytes(b"{broken\n" + path.read_bytes())
    with pytest.raises(ValueError, match=r"events\.jsonl:1 must hold JSON"):
        list(read_lines(path))


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "absent.jsonl")) == []


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_refuses_numbers_that_other_readers_do_not_know(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"value": value})
    with pytest.raises(ValueError, match="JSON compliant"):
        append_line(tmp_path / "a.jsonl", {"value": value})
    assert list(tmp_path.iterdir()) == []


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "Zürich", "values": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"name": "Zürich", "values": [1, 2.5, None]}


def test_a_record_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema_version": 99}')
    with pytest.raises(ValueError, match="schema_version 99, this tuner reads up to 1; use a newer tuner"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["{}", "[1]", "null"])
def test_json_that_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match="has a schema_version"):
        read_json(tmp_path / "a.json")


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write_atomic(path, b"old")
    with pytest.raises(TypeError):
        write_atomic(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_look_at_who_holds_a_file_does_not_keep_a_driver_from_it(tmp_path: Path) -> None:
    path, is_over = tmp_path / "lock", Event()
    path.touch()

    def look() -> None:
        while not is_over.is_set():
            holder_of(path)
            time.sleep(0)

    looking = Thread(target=look)
    looking.start()
    try:
        for _ in range(300):
            hold(path).close()
    finally:
        is_over.set()
        looking.join()
