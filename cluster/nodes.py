"""The machines of a joined cluster run what this one runs, or a sentence says which does not, before any trial."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable
from contextlib import redirect_stderr

from cluster.placement import ClusterMismatch, Node

_TIMEOUT_S = 180
"""For a node to unpack the code and import it; torch alone may take a minute from a cold disk."""


def check_nodes(nodes: Iterable[Node], model: str) -> None:
    """Imports the code and the model on every node that has a core.

    Raises:
        ClusterMismatch: a node cannot, or has other versions than this machine.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from tuner.study.environment import versions

    looks = {}
    for node in nodes:
        if node.n_cpus:
            there = NodeAffinitySchedulingStrategy(node.id, soft=False)
            looks[node] = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(look).remote(model)
    here = versions()
    for node, reference in looks.items():
        try:
            problem, there = ray.get(reference, timeout=_TIMEOUT_S)
        except ray.exceptions.RayError as error:
            problem, there = str(error).strip().splitlines()[-1], here
        problem = problem or other_versions(here, there)
        if problem:
            raise ClusterMismatch(
                f"every node must be able to run what this machine runs, {node.address} is not able: {problem}"
            )


def look(model: str) -> tuple[str, dict[str, str]]:
    """On a node: what keeps it from running trials, or nothing; and its versions."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            for module in ("tuner", "cluster.trainable"):  # the first proves that datasets is ours
                importlib.import_module(module)
            from tuner.study.environment import versions
            from tuner.study.lookup import model_class

            model_class(model)
            return "", versions()
    except SystemExit:  # another package named datasets
        return said.getvalue().strip().removeprefix("error: "), {}
    except Exception as error:
        return f"{type(error).__name__}: {error}", {}


def other_versions(here: dict[str, str], there: dict[str, str]) -> str:
    """The versions there that are not those of this machine; the build (2.13.0+cpu) and the kind of machine may differ."""
    other = [
        f"{package} is {there[package]} and not {version}"
        for package, version in here.items()
        if package != "machine" and there[package].partition("+")[0] != version.partition("+")[0]
    ]
    return ", ".join(other)
