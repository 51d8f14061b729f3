"""Studies in virtual time: real samplers and schedulers, made-up learning curves, no Ray, no clock."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from cluster.samplers.base import Sampler
from cluster.schedulers.base import Scheduler
from search_spaces.base import Config
from tuner.study.trial import Decision, State, Told


@dataclass
class Trace:
    """What happened."""

    configs: dict[int, Config] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    order: list[tuple[int, int, float, Decision]] = field(default_factory=list)
    """(trial, epoch, best so far, decision) as they came."""

    @property
    def n_epochs(self) -> int:
        return len(self.order)

    def state(self, number: int) -> State:
        return next(told.state for told in self.told if told.number == number)

    @property
    def best(self) -> float:
        return min(told.values[-1][1] for told in self.told if told.values)


def simulate(
    sampler: Sampler,
    scheduler: Scheduler,
    curve: Callable[[Config, int], float],
    *,
    n_trials: int,
    epochs: int,
    n_slots: int = 1,
    baseline: Config | None = None,
    epoch_s: Callable[[Config], float] = lambda config: 1.0,
) -> Trace:
    """Runs a study: each slot trains one trial after the other, an epoch of a config takes ``epoch_s``.

    A trial whose curve is not finite is infeasible.
    """
    trace, values = Trace(), dict[int, list[tuple[int, float]]]()
    queue: list[tuple[float, int, int]] = []

    def start(now: float) -> None:
        number = len(trace.configs)
        if number < n_trials:
            if number == 0 and baseline is not None:
                config = baseline
                sampler.begin(0, config)
            else:
                config = sampler.ask(number)
            trace.configs[number], values[number] = config, []
            heapq.heappush(queue, (now + epoch_s(config), number, 1))

    def end(number: int, state: State, now: float) -> None:
        told = Told(number=number, config=trace.configs[number], state=state, values=tuple(values[number]))
        trace.told.append(told)
        sampler.tell(told)
        start(now)

    for _ in range(n_slots):
        start(0.0)
    while queue:
        now, number, epoch = heapq.heappop(queue)
        config = trace.configs[number]
        value = curve(config, epoch)
        if not math.isfinite(value):
            end(number, State.INFEASIBLE, now)
            continue
        value = min([value, *(best for _, best in values[number][-1:])])
        values[number].append((epoch, value))
        decision = scheduler.decide(number, epoch, value)
        trace.order.append((number, epoch, value, decision))
        if decision is Decision.CONTINUE and epoch < epochs:
            heapq.heappush(queue, (now + epoch_s(config), number, epoch + 1))
        else:
            end(number, State.FINISHED if decision is Decision.CONTINUE else State.STOPPED, now)
    return trace
