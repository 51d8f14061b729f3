from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.connect import ROOT, check_address, users_code
from cluster.placement import ClusterMismatch


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """The address of a server that says one thing to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(64)
                line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_server_that_begins_like_grpc_is_let_pass() -> None:
    with listening(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) as address:
        check_address(address)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_refused(answer: bytes) -> None:
    with listening(answer) as address, pytest.raises(ClusterMismatch, match="something else"):
        check_address(address)


@pytest.mark.parametrize("address", ["", "auto", "10.0.0.1", "10.0.0.1:", ":6379", "host:0", "host:65536", "ray://host:10001"])
def test_a_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterMismatch, match="must be host:port of a running Ray cluster"):
        check_address(address)


def test_what_a_user_wrote_is_shipped_and_what_is_installed_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "lib" / "site-packages"
    for package in (tmp_path / "written_here", installed / "installed_here"):
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    (tmp_path / "one_file.py").touch()
    for folder in (tmp_path, installed):
        monkeypatch.syspath_prepend(folder)
    names = ("written_here", "installed_here", "one_file")
    for name in names:
        __import__(name)
    shipped = {Path(place).name for place in users_code()}
    for name in names:
        del sys.modules[name]
    assert {"written_here", "one_file.py"} <= shipped
    assert "installed_here" not in shipped


def test_ours_is_shipped_as_the_checkout_and_not_again() -> None:
    assert not {str(ROOT / name) for name in ("cluster", "datasets", "models", "search_spaces", "tuner")} & set(users_code())


def test_of_the_checkout_our_packages_are_shipped_and_nothing_else(tmp_path: Path) -> None:
    from ray._private.runtime_env.packaging import _dir_travel

    (tmp_path / ".rayignore").write_text((ROOT / ".rayignore").read_text())
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    wanted = {"cluster/connect.py", "datasets/files/a.csv.gz", "models/a.py", "search_spaces/shared/a.py", "tuner/study/a.py"}
    unwanted = {
        "runs/a",
        "my-runs/one/best",
        "tests/a.py",
        ".git/a",
        ".venv/a",
        ".mypy_cache/a",
        "models/__pycache__/a.pyc",
        "a.csv",
    }
    for name in wanted | unwanted:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    seen: list[Path] = []
    _dir_travel(tmp_path, [], seen.append, include_gitignore=True)
    assert {str(path.relative_to(tmp_path)) for path in seen if path.is_file()} == wanted
