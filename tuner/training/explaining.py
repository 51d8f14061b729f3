"""How a model weighs its inputs, as rows of a table: the mean over windows of what it explains of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import NamedTuple

from torch import Tensor

from datasets.base import Panel
from datasets.windows.time_features import feature_names
from models.base import Explanation


class Weight(NamedTuple):
    """One weight. Steps are counted from the origin: 0 is the last step of the past, 1 the first of the horizon."""

    kind: str
    """static, past or future: of a variable among those of its step; attention: of a step among those that are attended to."""
    variable: str | None
    """None for attention."""
    step: int | None
    """Of what is weighed; None for static."""
    horizon_step: int | None
    """The step that attends, for attention alone."""
    weight: float


def mean_weights(explanations: Iterable[Explanation], panel: Panel) -> list[Weight]:
    """The mean over all windows of all batches, in the order of the fields of ``Explanation``.

    A step of the horizon attends to no later one, which has no row.

    Args:
        explanations: One a batch, at least one.
        panel: The names of the variables.
    """
    batches = list(explanations)
    n_windows = sum(len(batch.attention) for batch in batches)
    means = {f.name: sum(getattr(batch, f.name).double().sum(0) for batch in batches) / n_windows for f in fields(Explanation)}
    known = (*feature_names(panel.frequency), *panel.known_names)
    lookback = means["past"].shape[0]
    return [
        *_of_steps("static", means["static"].unsqueeze(0), (*panel.static_names, *panel.category_names), [None]),
        *_of_steps("past", means["past"], (*panel.channels, *panel.covariate_names, *known), range(1 - lookback, 1)),
        *_of_steps("future", means["future"], known, range(1, len(means["future"]) + 1)),
        *(
            Weight("attention", None, step, ahead, weight)
            for ahead, row in enumerate(means["attention"].tolist(), start=1)
            for step, weight in enumerate(row, start=1 - lookback)
            if step <= ahead
        ),
    ]


def _of_steps(kind: str, weights: Tensor, names: tuple[str, ...], steps: Iterable[int | None]) -> Iterator[Weight]:
    for step, row in zip(steps, weights.tolist(), strict=True):
        for name, weight in zip(names, row, strict=True) if row else ():
            yield Weight(kind, name, step, None, weight)
