"""Whether this machine can run studies, and what it has for them. Starts and writes nothing; loads torch, if it is there.

Each check returns what it found; what it looks at is an argument, so that it can be shown another machine.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import socket
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cluster.connect import ROOT
from tuner.results import text
from tuner.results.inspection import Finding
from tuner.study.environment import commit

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_PROC, _CGROUPS, _SHM, _DEV = Path("/proc"), Path("/sys/fs/cgroup"), Path("/dev/shm"), Path("/dev")

_DASHBOARD_PORT = 8265
_RAY_FULL = 0.95
"""Of a disk: above it Ray stores nothing more on it."""
_NEARLY_FULL = 0.9
_OBJECT_STORE_SHARE, _OBJECT_STORE_BYTES = 0.3, 10e9
"""Ray keeps its object store out of /dev/shm if that is smaller than this share of the memory, or than this."""
_ENOUGH_MEMORY = 2e9
_ENOUGH_DISK = 2e9
_ENOUGH_FILES, _RAY_RAISES_FILES_TO = 4096, 65536

_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "trials see these GPUs only",
    "OMP_NUM_THREADS": "trials set their own number of threads",
    "MKL_NUM_THREADS": "trials set their own number of threads",
    "RAY_ADDRESS": "not heeded, a study starts its own Ray unless --address names another",
    "RAY_TMPDIR": "where Ray keeps its files",
    "TMPDIR": "where Ray keeps its files, if RAY_TMPDIR is not set",
    "PYTHONPATH": "workers import from there too",
    "PYTHONHASHSEED": "trials set their own",
    "CUBLAS_WORKSPACE_CONFIG": "trials set their own",
}
"""Variables that change runs, or that people think change them. No secret is among them: what is said here is pasted."""

_INSTALL = "python -m pip install --constraint constraints.txt"


def check_machine(runs: Path) -> list[Finding]:
    """All checks.

    Args:
        runs: The folder of all studies; it need not exist.
    """
    ray_folder = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp") / "ray"
    return [
        *check_code(),
        *check_packages(),
        *check_cores(),
        *check_gpus(),
        *check_memory(),
        *check_runs(runs),
        *check_ray_disk(ray_folder),
        *check_ports(),
        *check_other_rays(),
        *check_open_files(),
        *check_environment(),
    ]


def check_code(origin: str | None = None) -> Iterator[Finding]:
    """Which code this is, and whether ``datasets`` is ours: another package of that name is common.

    Args:
        origin: Where ``datasets`` is imported from; None asks Python.
    """
    spec = find_spec("datasets")
    found, ours = origin or (spec and spec.origin) or "nowhere", ROOT / "datasets" / "__init__.py"
    yield Finding("ok", f"code: {ROOT}, commit {commit() or 'unknown'}")
    if Path(found).resolve() == ours:
        yield Finding("ok", f"datasets: ours, {ours.parent}")
    else:
        advice = f"run from {ROOT} with python -m, without the other one on PYTHONPATH"
        yield Finding("error", f"datasets: must be {ours.parent}, Python found {found}", advice)


def check_packages(
    pyproject: Path = ROOT / "pyproject.toml", version_of: Callable[[str], str] = metadata.version
) -> Iterator[Finding]:
    """Python and the packages that pyproject.toml names, with those that their extras bring, against what is installed."""
    try:
        from packaging.requirements import Requirement
        from packaging.specifiers import SpecifierSet
    except ImportError:
        yield Finding("error", "packages: packaging, which compares versions, is not installed", f"{_INSTALL} --editable .")
        return
    project = tomllib.loads(pyproject.read_text())["project"]
    python, wanted = platform.python_version(), project["requires-python"]
    if SpecifierSet(wanted).contains(python, prereleases=True):
        yield Finding("ok", f"python: {python} on {platform.platform()}")
    else:
        yield Finding(
            "error", f"python: {python}, and {wanted} is needed", "install that, then: make install PYTHON=python3.12"
        )
    fit = []
    for named in map(Requirement, project["dependencies"]):
        for requirement in (named, *_of_extras(named)):
            try:
                version = version_of(requirement.name)
            except metadata.PackageNotFoundError:
                version = "absent"
            if version == "absent" or not requirement.specifier.contains(version, prereleases=True):
                words = f"{requirement.specifier or 'any version'} is needed"
                yield Finding("error", f"package {requirement.name}: {version}, {words}", f"{_INSTALL} '{_plain(requirement)}'")
            elif requirement is named:
                fit.append(f"{requirement.name} {version}")
    yield Finding("ok", f"packages: {', '.join(fit) or 'none'}")


def _of_extras(named: Requirement) -> Iterator[Requirement]:
    """What ``ray[default]`` needs besides what ``ray`` needs."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(named.name) or []
    except metadata.PackageNotFoundError:
        return
    for part in map(Requirement, lines):
        marker = part.marker
        if marker and not marker.evaluate({"extra": ""}) and any(marker.evaluate({"extra": extra}) for extra in named.extras):
            yield part


def _plain(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def check_cores(
    n_cores: int | None = None, n_allowed: int | None = None, proc: Path = _PROC, cgroups: Path = _CGROUPS
) -> Iterator[Finding]:
    """CPU cores: those of the machine, those of this process, and the time that its group of processes may take of them."""
    total = n_cores or os.cpu_count() or 1
    mine = n_allowed or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total)
    quota = _quota(proc, cgroups)
    words = f"cores: {mine} of {total} may be used" + (f", and the time of {quota:g} of them" if quota is not None else "")
    usable = min(mine, quota or mine)
    if mine < total:  # Ray counts what the machine has, or what a quota leaves
        yield Finding(
            "warning", words, f"Ray may count more; --cpus-per-trial {total / usable:.3g} starts no more trials than cores"
        )
    else:
        yield Finding("ok", words)


def _quota(proc: Path, cgroups: Path) -> float | None:
    """Cores whose time this process's group may take; None without a limit."""
    pairs = [(value.split()[0], value.split()[1]) for value in _limits("", "cpu.max", proc, cgroups)]
    quotas, periods = (_limits("cpu", f"cpu.cfs_{name}_us", proc, cgroups) for name in ("quota", "period"))
    pairs += zip(quotas, periods, strict=False)
    return min((int(quota) / int(period) for quota, period in pairs if quota not in ("max", "-1")), default=None)


def _limits(controller: str, name: str, proc: Path, cgroups: Path) -> list[str]:
    """A limit of this process's group and of those around it, from the inside out.

    Args:
        controller: Of version 1 of cgroups; empty for version 2.
        name: The file.
        proc: Where the kernel says which group that is.
        cgroups: Where the groups are mounted.
    """
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    groups = [path for _, names, path in (line.split(":", 2) for line in lines) if controller in names.split(",")]
    found = []
    for group in groups[:1]:
        inner = Path(group.lstrip("/"))
        for place in (inner, *inner.parents):
            path = cgroups / controller / place / name
            if path.is_file():
                found.append(path.read_text().strip())
    return found


def check_gpus(
    load: Callable[[], Any] = lambda: import_module("torch"),
    dev: Path = _DEV,
    proc: Path = _PROC,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Finding]:
    """The GPUs that torch can use, and why it cannot use those that are there."""
    try:
        torch = load()
    except (ImportError, OSError) as error:
        yield Finding("error", f"torch: it cannot be imported: {error}", f"{_INSTALL} --force-reinstall torch")
        return
    driver = re.search(r"\d+\.\d+(?:\.\d+)?", _read(proc / "driver" / "nvidia" / "version"))
    versions = f"driver {driver[0] if driver else 'unknown'}, torch built for CUDA {torch.version.cuda}"
    there = sorted(path.name for path in dev.glob("nvidia[0-9]*"))
    if torch.cuda.is_available():
        for n in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_properties(n)
            yield Finding("ok", f"GPU {n}: {gpu.name}, {text.size(gpu.total_memory)}, {versions}")
    elif not there:
        yield Finding("ok", "GPUs: none")
    elif environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        yield Finding("ok", f"GPUs: {', '.join(there)}, hidden by CUDA_VISIBLE_DEVICES")
    elif torch.version.cuda is None:
        advice = "install the build of torch for CUDA, or use --gpus-per-trial 0"
        yield Finding("error", f"GPUs: {', '.join(there)}, and torch {torch.__version__} is built for the CPU", advice)
    else:
        advice = "a newer driver, or the right to open /dev/nvidia*; or use --gpus-per-trial 0"
        yield Finding("error", f"GPUs: {', '.join(there)}, and torch can use none: {versions}", advice)


def check_memory(
    proc: Path = _PROC, cgroups: Path = _CGROUPS, shm_free: Callable[[], int] = lambda: shutil.disk_usage(_SHM).free
) -> Iterator[Finding]:
    """The memory there is, that is free, and that this process's group may take; and what Ray shares arrays through."""
    sizes = {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+): +(\d+) kB$", _read(proc / "meminfo"), re.MULTILINE)}
    if not {"MemTotal", "MemAvailable"} <= sizes.keys():
        yield Finding("ok", "memory: unknown on this system")
        return
    total, free = sizes["MemTotal"], sizes["MemAvailable"]
    values = [*_limits("", "memory.max", proc, cgroups), *_limits("memory", "memory.limit_in_bytes", proc, cgroups)]
    limit = min([total, *(int(value) for value in values if value != "max")])
    words = f"memory: {text.size(free)} of {text.size(total)} free" + (
        f", limited to {text.size(limit)}" if limit < total else ""
    )
    if min(free, limit) < _ENOUGH_MEMORY:
        yield Finding("warning", words, "end other programs, or run fewer trials side by side: a larger --cpus-per-trial")
    else:
        yield Finding("ok", words)
    try:
        shared = shm_free()
    except OSError:
        return
    wanted = min(_OBJECT_STORE_SHARE * limit, _OBJECT_STORE_BYTES)
    words = f"{_SHM}: {text.size(shared)} free"
    if shared < wanted:
        advice = f"Ray puts its objects on the disk then; in Docker, --shm-size={wanted / 1e9:.2g}g mends it"
        yield Finding("warning", f"{words}, Ray wants {text.size(wanted)}", advice)
    else:
        yield Finding("ok", words)


class Usage(NamedTuple):
    """What ``shutil.disk_usage`` says of a disk."""

    total: int
    used: int
    free: int


def _usage(path: Path) -> Usage:
    return Usage(*shutil.disk_usage(path))


def check_runs(runs: Path, usage: Callable[[Path], Usage] = _usage) -> Iterator[Finding]:
    """Whether studies can be written, and how much."""
    there = _nearest(runs)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        advice = "choose another place with --runs"
        yield Finding("error", f"{runs}/: {there} is no folder that this user can write to", advice)
        return
    free = usage(there).free
    words = f"{runs}/: {text.size(free)} free" + ("" if runs.exists() else ", it will be made")
    if free < _ENOUGH_DISK:
        yield Finding("warning", words, "make space, choose another place with --runs, or cap checkpoints with --keep-gb")
    else:
        yield Finding("ok", words)


def check_ray_disk(folder: Path, usage: Callable[[Path], Usage] = _usage) -> Iterator[Finding]:
    """Whether Ray would work with the disk of its temporary folder."""
    of = usage(_nearest(folder))
    full = 1 - of.free / of.total
    words = f"{folder}: {text.size(of.free)} free, the disk is {100 * full:.0f} % full"
    if full > _NEARLY_FULL:
        advice = f"Ray fails above {100 * _RAY_FULL:.0f} %; make space, or set RAY_TMPDIR to a folder on another disk"
        yield Finding("error" if full > _RAY_FULL else "warning", words, advice)
    else:
        yield Finding("ok", words)


def _nearest(path: Path) -> Path:
    """The path, or the innermost folder above it that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def check_ports(port: int = _DASHBOARD_PORT) -> Iterator[Finding]:
    """Whether the port of Ray's dashboard is free."""
    with socket.socket() as line:
        line.settimeout(0.5)
        is_taken = line.connect_ex(("127.0.0.1", port)) == 0
    if is_taken:
        advice = "nothing to do: a study takes the next free port, and prints it"
        yield Finding("warning", f"port {port}, of Ray's dashboard: taken by another program", advice)
    else:
        yield Finding("ok", f"port {port}, of Ray's dashboard: free")


def check_other_rays(proc: Path = _PROC) -> Iterator[Finding]:
    """Whether other Rays run here, each of which believes that all cores and all memory are its own."""
    found = [path.parent.name for path in proc.glob("[0-9]*/comm") if _read(path).strip() == "raylet"]
    if found:
        what = f"Ray: {text.count(len(found), 'node')} of it running here, process {', '.join(sorted(found, key=int))}"
        yield Finding("warning", what, "it shares cores and memory with a study; end it, if nobody needs it")
    else:
        yield Finding("ok", "Ray: none running here")


def check_open_files(limits: Sequence[int] = resource.getrlimit(resource.RLIMIT_NOFILE)) -> Iterator[Finding]:
    """How many files a process may have open: the soft limit, which Ray raises as far as the hard one lets it."""
    soft, hard = (float("inf") if limit == resource.RLIM_INFINITY else limit for limit in limits)
    words = f"open files: {soft:g}, at most {hard:g}"
    if max(soft, min(hard, _RAY_RAISES_FILES_TO)) < _ENOUGH_FILES:
        yield Finding("warning", words, f"large studies may fail to connect; let an administrator raise it to {_ENOUGH_FILES}")
    else:
        yield Finding("ok", words)


def check_environment(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The variables that change runs, as they are set."""
    for name, meaning in _ENVIRONMENT.items():
        if name in environ:
            yield Finding("ok", f"{name}={environ[name]}", meaning)


def _read(path: Path) -> str:
    """The text of a file of the kernel; empty if there is none, or it has gone."""
    try:
        return path.read_text()
    except OSError:
        return ""
