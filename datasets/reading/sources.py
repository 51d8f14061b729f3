"""Where the file of a named data set is: looked for in folders, else downloaded by name, and checked by its sha256."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path


def find_file(name: str, *, sha256: str, url: str, data_dir: Path | None) -> Path:
    """The file, from the first of: ``data_dir``, the folder $TUNER_DATA, the user's cache, a download into that cache.

    Args:
        name: File name, the same in every folder.
        sha256: Of the only content that is accepted.
        url: Where it is downloaded from if no folder has it.
        data_dir: The folder to look in first.

    Raises:
        ValueError: the content is another, a folder does not exist, or the download failed.
    """
    set_by_user = os.environ.get("TUNER_DATA")
    named = {"--data-dir": data_dir, "$TUNER_DATA": Path(set_by_user) if set_by_user else None}
    folders = {origin: folder for origin, folder in named.items() if folder is not None}
    for origin, folder in folders.items():
        if not folder.is_dir():
            raise ValueError(f"{origin} must name a folder, got {folder}; create it or leave {origin} out")
    cache = cache_dir()
    for folder in (*folders.values(), cache):
        if (path := folder / name).is_file():
            return checked(path, sha256)
    return _download(name, sha256, url, cache)


def cache_dir() -> Path:
    """Where downloads are kept, apart from any checkout."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("tuner"))


def checked(path: Path, sha256: str) -> Path:
    """``path``, if its content is what it should be.

    Raises:
        ValueError: it is not.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: the file must have sha256 {sha256}, got {found}; remove it or bring the original")
    return path


def _download(name: str, sha256: str, url: str, folder: Path) -> Path:
    import pooch

    logging.getLogger(pooch.get_logger().name).setLevel(logging.WARNING)
    fetch = pooch.HTTPDownloader(progressbar=_Bar(name), timeout=30)
    try:
        return Path(pooch.retrieve(url, f"sha256:{sha256}", fname=name, path=folder, downloader=fetch))
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong hash is a ValueError
        raise ValueError(
            f"{name} could not be downloaded from {url} ({_short(error)}); get it by hand, into {folder} or --data-dir"
        ) from error


def _short(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, OSError) else str(error).splitlines()[0]


class _Bar:
    """What pooch asks of a progress bar, over rich's."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(name, total=None)
        self.total = 0

    def update(self, n_bytes: int) -> None:
        """That many bytes more have come."""
        self._progress.start()
        self._progress.update(self._task, total=self.total or None, advance=n_bytes)

    def reset(self) -> None:
        """Back to nothing."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Gone from the terminal."""
        self._progress.stop()
