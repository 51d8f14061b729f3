from __future__ import annotations

from cluster.samplers import get
from search_spaces.base import Float, Space
from tuner.study.trial import State, Told

SPACE = Space("m", {"train.learning_rate": Float(0.0, 1.0)})


def test_what_it_is_told_changes_nothing() -> None:
    sampler = get("random")(SPACE, 3)
    for number in range(1, 20):
        config = sampler.ask(number)
        sampler.tell(Told(number=number, config=config, state=State.FINISHED, values=((1, 1.0),)))
    assert sampler.ask(20) == get("random")(SPACE, 3).ask(20)
