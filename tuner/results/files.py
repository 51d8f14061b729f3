"""Writing that a crash cannot tear, and reading that forgives a torn last line. Standard library only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuner.results.schema import checked, versioned


def write_atomic(path: Path, content: bytes) -> None:
    """Replaces the file as a whole: a reader sees the old content or the new one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Writes one versioned record atomically. NaN is refused: other readers of JSON do not know it."""
    text = json.dumps(versioned(record), allow_nan=False, ensure_ascii=False, indent=2)
    write_atomic(path, f"{text}\n".encode())


def read_json(path: Path) -> dict[str, Any]:
    """The record that ``write_json`` wrote.

    Raises:
        ValueError: the file holds something else, or a later version.
    """
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} must hold JSON, {error}") from None
    return checked(record, str(path))


def append_line(path: Path, record: Mapping[str, Any], *, sync: bool = False) -> None:
    """Appends one versioned record as one line in one write, in the place of a torn line if there is one.

    Args:
        path: The file; it need not exist.
        record: Plain JSON without NaN.
        sync: Return only when the line is on the disk.
    """
    line = json.dumps(versioned(record), allow_nan=False, ensure_ascii=False).encode() + b"\n"
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            file.truncate(path.read_bytes().rfind(b"\n") + 1)
        if file.write(line) != len(line):
            raise OSError(f"{path} could not take a whole line; is the disk full?")
        if sync:
            os.fsync(file.fileno())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records that ``append_line`` wrote; what follows the last newline was cut off, and is not one. No file, no records.

    Raises:
        ValueError: a whole line holds something else, or a later version.
    """
    content = path.read_bytes() if path.exists() else b""
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}:{number} must hold JSON, {error}") from None
        yield checked(record, f"{path}:{number}")
