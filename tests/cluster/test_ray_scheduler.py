from __future__ import annotations

from cluster.ray_scheduler import Machines


def test_a_trial_that_has_left_a_leaving_machine_is_on_none_until_it_is_heard_of() -> None:
    machines = Machines(shared=True)
    machines._leaving.add("old")
    machines.place(3, "old")
    assert machines.is_leaving(3)
    machines.forget(3)
    assert not machines.is_leaving(3)
    machines.place(3, "new")
    assert not machines.is_leaving(3)
