from __future__ import annotations

import pytest

from cluster.placement import Node, Placement, place


@pytest.mark.parametrize(
    ("there", "asked", "cpus", "gpus", "n_slots"),
    [
        ((8, 0), (None, None), 1, 0, 8),
        ((8, 2), (None, None), 4, 1, 2),
        ((8, 2), (None, 0.5), 2, 0.5, 4),
        ((8, 2), (2, 0), 2, 0, 4),
        ((8, 2), (1, None), 1, 1, 2),
        ((2, 4), (None, None), 1, 1, 2),
        ((16, 4), (None, 2.0), 8, 2, 2),
        ((8, 2), (None, 0.4), 2, 0.4, 4),
        ((8, 3), (None, 0.1), 1, 0.1, 8),
        ((2, 0), (0.5, None), 0.5, 0, 4),
    ],
)
def test_what_is_there_is_shared_out(
    there: tuple[float, float], asked: tuple[float | None, float | None], cpus: float, gpus: float, n_slots: int
) -> None:
    assert place([Node(*there)], *asked) == Placement(cpus_per_trial=cpus, gpus_per_trial=gpus, n_slots=n_slots)


@pytest.mark.parametrize("asked", [(3, None), (0, None), (None, -1.0), (None, 1.5), (None, 5.0)])
def test_what_cannot_be_had_is_refused(asked: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValueError, match="per-trial must"):
        place([Node(2, 4)], *asked)


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="must not exceed the GPUs there are on one machine, got 1 with 0"):
        place([Node(2), Node(2)], None, 1.0)


@pytest.mark.parametrize(
    ("nodes", "asked", "cpus", "gpus", "n_slots"),
    [
        ([Node(3), Node(1)], (2, None), 2, 0, 1),
        ([Node(1.5), Node(1.5)], (1, None), 1, 0, 2),
        ([Node(4), Node(8, 2)], (None, None), 4, 1, 2),
        ([Node(4, 2), Node(16, 2)], (None, None), 2, 1, 4),
        ([Node(8, 1), Node(8, 3)], (None, 2.0), 8, 2, 1),
        ([Node(0), Node(2)], (None, None), 1, 0, 2),
    ],
)
def test_a_trial_lies_on_one_node(
    nodes: list[Node], asked: tuple[float | None, float | None], cpus: float, gpus: float, n_slots: int
) -> None:
    assert place(nodes, *asked) == Placement(cpus_per_trial=cpus, gpus_per_trial=gpus, n_slots=n_slots)


def test_two_nodes_of_one_core_hold_no_trial_of_two() -> None:
    with pytest.raises(ValueError, match="must not exceed the cores there are on one machine, got 2 with 1"):
        place([Node(1), Node(1)], 2)
