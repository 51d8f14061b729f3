from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from datasets.reading import sources
from datasets.reading.sources import find_file

CONTENT = b"date,a\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:9/set.csv"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and nothing set by the user."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(sources, "cache_dir", lambda: folder)
    monkeypatch.delenv("TUNER_DATA", raising=False)
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a folder that holds set.csv."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "set.csv").write_bytes(CONTENT)
    http = HTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "www")))
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


def _put(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir()
    (folder / "set.csv").write_bytes(content)
    return folder


def test_folders_are_searched_in_their_order(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(cache)
    assert find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=None).parent == cache
    monkeypatch.setenv("TUNER_DATA", str(_put(tmp_path / "environment")))
    assert find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=None).parent == tmp_path / "environment"
    given = _put(tmp_path / "given")
    assert find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=given).parent == given


def test_a_file_of_other_content_is_an_error_naming_both_hashes(tmp_path: Path) -> None:
    folder = _put(tmp_path / "given", b"other")
    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(ValueError, match=f"set.csv: .*{SHA256}, got {other}; remove it"):
        find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=folder)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--data-dir must name a folder, got .*nowhere"):
        find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=tmp_path / "nowhere")


def test_a_file_found_nowhere_is_downloaded_into_the_cache(server: str, cache: Path) -> None:
    path = find_file("set.csv", sha256=SHA256, url=f"{server}/set.csv", data_dir=None)
    assert path == cache / "set.csv"
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["absent.csv", "set.csv"])
def test_a_failed_download_is_one_line_that_says_where_to_put_the_file(server: str, cache: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"could not be downloaded from {server}.*into {cache} or --data-dir") as error:
        find_file(name, sha256="0" * 64, url=f"{server}/{name}", data_dir=None)
    assert "\n" not in str(error.value)
    assert not (cache / name).exists()


def test_an_unreachable_server_is_one_line_too() -> None:
    with pytest.raises(ValueError, match=r"could not be downloaded from http://127.0.0.1:9/set.csv \(ConnectionError\)"):
        find_file("set.csv", sha256=SHA256, url=NOWHERE, data_dir=None)
