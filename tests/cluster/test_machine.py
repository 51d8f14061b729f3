"""The checks of a machine, shown machines that are made up."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict

import pytest

from cluster.machine import (
    Usage,
    check_code,
    check_cores,
    check_environment,
    check_gpus,
    check_memory,
    check_open_files,
    check_other_rays,
    check_packages,
    check_ports,
    check_ray_disk,
    check_runs,
)
from tuner.results.inspection import Finding


class Places(TypedDict):
    proc: Path
    cgroups: Path


def levels(found: Iterable[Finding]) -> list[str]:
    return [finding.level for finding in found]


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def machine(folder: Path, files: Mapping[str, str] = {}, groups: str = "", free_kb: int = 4_000_000) -> Places:
    """Where the kernel speaks of its memory and its groups of processes, which have ``files``."""
    write(folder / "proc" / "self" / "cgroup", groups)
    write(folder / "proc" / "meminfo", f"MemTotal:       8000000 kB\nMemAvailable:    {free_kb} kB\nHugePages_Total:       0\n")
    for name, content in files.items():
        write(folder / "cgroup" / name, content)
    return {"proc": folder / "proc", "cgroups": folder / "cgroup"}


def pyproject(folder: Path, *dependencies: str, python: str = ">=3.11") -> Path:
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\nrequires-python = "{python}"\ndependencies = {list(dependencies)}\n')
    return path


def version_of(name: str) -> str:
    if name == "absent-package":
        raise metadata.PackageNotFoundError(name)
    return {"torch": "2.13.0+cu130"}.get(name, "5.1")


def test_a_build_of_the_version_that_is_needed_fits(tmp_path: Path) -> None:
    found = list(check_packages(pyproject(tmp_path, "torch==2.13.0", "optuna>=5,<6"), version_of))
    assert found[-1] == Finding("ok", "packages: torch 2.13.0+cu130, optuna 5.1")
    assert levels(found) == ["ok", "ok"]


def test_a_package_outside_its_requirement_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    [_, wrong, _] = check_packages(pyproject(tmp_path, "optuna>=6"), version_of)
    assert wrong.what == "package optuna: 5.1, >=6 is needed"
    assert wrong.advice == "python -m pip install --constraint constraints.txt 'optuna>=6'"


def test_an_absent_package_is_an_error(tmp_path: Path) -> None:
    [_, wrong, _] = check_packages(pyproject(tmp_path, "absent-package"), version_of)
    assert (wrong.level, wrong.what) == ("error", "package absent-package: absent, any version is needed")


def test_an_absent_package_that_an_extra_brings_is_an_error(tmp_path: Path) -> None:
    def version(name: str) -> str:
        return version_of("absent-package") if name == "requests" else metadata.version(name)

    [wrong] = [finding for finding in check_packages(pyproject(tmp_path, "ray[tune]"), version) if finding.level == "error"]
    assert wrong.what == "package requests: absent, any version is needed"


def test_a_python_that_is_too_old_is_an_error(tmp_path: Path) -> None:
    assert levels(check_packages(pyproject(tmp_path, python=">=3.99"), version_of)) == ["error", "ok"]


def test_what_is_installed_here_is_what_pyproject_asks_for() -> None:
    assert set(levels(check_packages())) == {"ok"}


def test_another_package_named_datasets_is_an_error() -> None:
    assert levels(check_code("/elsewhere/datasets/__init__.py")) == ["ok", "error"]
    assert levels(check_code()) == ["ok", "ok"]


def test_a_process_that_may_use_some_of_the_cores_is_told_how_to_start_no_more_trials(tmp_path: Path) -> None:
    [found] = check_cores(n_cores=8, n_allowed=2, **machine(tmp_path))
    assert found.what == "cores: 2 of 8 may be used"
    assert "--cpus-per-trial 4" in found.advice


QUOTAS = {
    "version 2": ("0::/a/b\n", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}),
    "version 1": ("4:cpu,cpuacct:/a\n0::/\n", {"cpu/a/cpu.cfs_quota_us": "150000", "cpu/a/cpu.cfs_period_us": "100000"}),
    "in a container": ("0::/not/here\n", {"cpu.max": "150000 100000"}),
}


@pytest.mark.parametrize(("groups", "files"), QUOTAS.values(), ids=QUOTAS)
def test_a_quota_of_time_is_found_in_the_group_or_above_it(groups: str, files: dict[str, str], tmp_path: Path) -> None:
    [found] = check_cores(n_cores=8, n_allowed=8, **machine(tmp_path, files, groups))
    assert found == Finding("ok", "cores: 8 of 8 may be used, and the time of 1.5 of them")


def test_a_limit_of_memory_is_said_and_bounds_what_ray_wants(tmp_path: Path) -> None:
    there = machine(tmp_path, {"memory/a/memory.limit_in_bytes": "3000000000"}, groups="4:memory:/a\n0::/\n")
    [memory, shared] = check_memory(**there, shm_free=lambda: 500_000_000)
    assert memory.what == "memory: 4.1 GB of 8.19 GB free, limited to 3 GB"
    assert (shared.level, shared.what) == ("warning", "/dev/shm: 500 MB free, Ray wants 900 MB")


def test_memory_that_is_nearly_used_up_is_a_warning(tmp_path: Path) -> None:
    assert levels(check_memory(**machine(tmp_path, free_kb=1_000_000), shm_free=lambda: 10**10)) == ["warning", "ok"]
    assert levels(check_memory(**machine(tmp_path), shm_free=lambda: 10**10)) == ["ok", "ok"]


def torch_with(n_gpus: int = 0, cuda: str | None = None) -> Callable[[], Any]:
    gpu = SimpleNamespace(name="Tesla", total_memory=16e9)
    there = SimpleNamespace(is_available=lambda: n_gpus > 0, device_count=lambda: n_gpus, get_device_properties=lambda n: gpu)
    return lambda: SimpleNamespace(cuda=there, version=SimpleNamespace(cuda=cuda), __version__="2.13")


def test_each_gpu_is_shown_with_its_memory_driver_and_cuda(tmp_path: Path) -> None:
    write(tmp_path / "driver" / "nvidia" / "version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\n")
    found = list(check_gpus(torch_with(2, "13.0"), dev=tmp_path, proc=tmp_path))
    assert found[1] == Finding("ok", "GPU 1: Tesla, 16 GB, driver 550.54.15, torch built for CUDA 13.0")


GPUS: dict[str, tuple[str | None, dict[str, str], str, str]] = {
    "a build for the CPU": (None, {}, "error", "torch 2.13 is built for the CPU"),
    "an old driver": ("13.0", {}, "error", "torch can use none"),
    "hidden": ("13.0", {"CUDA_VISIBLE_DEVICES": ""}, "ok", "hidden by CUDA_VISIBLE_DEVICES"),
}


@pytest.mark.parametrize(("cuda", "environ", "level", "words"), GPUS.values(), ids=GPUS)
def test_gpus_that_torch_cannot_use_are_explained(
    cuda: str | None, environ: dict[str, str], level: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidiactl").touch()
    [found] = check_gpus(torch_with(0, cuda), dev=tmp_path, proc=tmp_path, environ=environ)
    assert found.level == level
    assert found.what.startswith("GPUs: nvidia0, ")
    assert words in found.what


def test_a_torch_that_cannot_be_imported_is_an_error(tmp_path: Path) -> None:
    def load() -> None:
        raise OSError("libtorch.so: cannot open")

    assert levels(check_gpus(load, dev=tmp_path)) == ["error"]


def test_a_folder_of_runs_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o755)
    assert levels(check_runs(tmp_path / "file" / "runs")) == ["error"]


def test_little_space_for_runs_is_a_warning_and_no_folder_is_made(tmp_path: Path) -> None:
    [found] = check_runs(tmp_path / "runs", lambda path: Usage(10**12, 0, 10**9))
    assert (found.level, found.what) == ("warning", f"{tmp_path}/runs/: 1 GB free, it will be made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "level"), [(4, "error"), (8, "warning"), (20, "ok")])
def test_a_disk_that_ray_would_refuse_is_an_error(free: int, level: str, tmp_path: Path) -> None:
    assert levels(check_ray_disk(tmp_path / "ray", lambda path: Usage(100, 0, free))) == [level]


def test_a_port_that_is_taken_is_a_warning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert levels(check_ports(port)) == ["warning"]
    assert levels(check_ports(port)) == ["ok"]


def test_another_ray_is_named_with_its_process(tmp_path: Path) -> None:
    write(tmp_path / "7" / "comm", "bash\n")
    assert levels(check_other_rays(tmp_path)) == ["ok"]
    write(tmp_path / "12" / "comm", "raylet\n")
    [found] = check_other_rays(tmp_path)
    assert (found.level, found.what) == ("warning", "Ray: 1 node of it running here, process 12")


@pytest.mark.parametrize(("soft", "hard", "level"), [(1024, 2048, "warning"), (1024, 65536, "ok"), (-1, -1, "ok")])
def test_a_limit_of_open_files_counts_as_far_as_ray_can_raise_it(soft: int, hard: int, level: str) -> None:
    assert levels(check_open_files((soft, hard))) == [level]


def test_the_variables_that_change_runs_are_shown_and_no_token() -> None:
    found = check_environment({"OMP_NUM_THREADS": "3", "RAY_AUTH_TOKEN": "secret", "HOME": "/"})
    assert [finding.what for finding in found] == ["OMP_NUM_THREADS=3"]
