"""Writing that a crash cannot tear, and reading that forgives a torn last line. Standard library only."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

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
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # a file is on the disk, and its name is a matter of the folder
    finally:
        os.close(folder)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Writes one versioned record atomically. NaN is refused: other readers of JSON do not know it."""
    text = json.dumps(versioned(record), allow_nan=False, ensure_ascii=False, indent=2)
    write_atomic(path, f"{text}\n".encode())


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Makes sure that a file holds these lines and no others; ``append_line`` may go on with it."""
    content = b"".join(map(_line, records))
    if (path.read_bytes() if path.exists() else b"") != content:
        write_atomic(path, content)


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
    line = _line(record)
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


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(versioned(record), allow_nan=False, ensure_ascii=False).encode() + b"\n"


_PATIENCE_S = (0.01, 0.02, 0.04, 0.08, 0.16)


def hold(path: Path) -> BinaryIO:
    """Makes this process the only one that holds the file, until the file is closed or the process ends, however it ends.

    Raises:
        ValueError: another process holds it.
    """
    file = path.open("a+b", buffering=0)
    for patience_s in _PATIENCE_S:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:  # whoever looks for a holder holds the file for an instant
            time.sleep(patience_s)
    else:
        holder = holder_of(path) or "another process"
        file.close()
        raise ValueError(f"a study has one driver, {holder} writes to {path.parent}; wait for it, or stop it") from None
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    return file


def holder_of(path: Path) -> str | None:
    """Who holds a file by ``hold``, in words; None if nobody does."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().decode(errors="replace").strip() or "another process"
    return None
