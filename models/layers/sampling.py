"""What models share that forecast step by step: the features of each step, and sampled values that come back as inputs.

Letters beyond those of ``Inputs``: n paths; G groups and V values of a group. Where channels are independent, each is a group
of one value (G = C, V = 1); where they are joint, all are one group (G = 1, V = C). Networks see rows: (window, path, group).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.heads.base import Head
from models.heads.draws import Draws
from models.layers.embedding import StaticEmbedding
from models.layers.normalisation import WindowNorm, WindowStatistics

_MOST_ROWS = 1 << 14
"""That are sampled at a time: few enough for a cache of the processor, and for any memory."""


class StepFeatures(nn.Module):
    """The features of each step t: the value before it, lags, what is known of it, and what never changes.

    x_t = [z_{t-1}, z_{t-lag} for each lag, known_t, what is static, log scale]. The value before the lookback is 0. Lags that
    lie after the origin, where ``Inputs.future_lags`` is 0, are filled from the future: the true one in training (``horizon``),
    the sampled one in a forecast (``at``). The scale is that which was taken out of the series, so that networks know how large
    it is; where channels are joint, there is one for each.

    Whatever normalises a window has done so before: targets, lags and future are in the same units.

    Args:
        shape: The sizes of a window; its lags rise.
        joint: All channels of a window are one group, not one each.
    """

    n_features: int
    """F."""

    def __init__(self, shape: WindowShape, *, joint: bool) -> None:
        super().__init__()
        assert list(shape.lags) == sorted(shape.lags)
        self.lags, self.joint = shape.lags, joint
        self.n_values = shape.n_targets if joint else 1
        self.static = StaticEmbedding(shape.n_static, shape.cardinalities)
        self.n_features = self.n_values * (2 + len(self.lags)) + shape.n_known + self.static.n_features

    def past(self, inputs: Inputs) -> Float[Tensor, "B G L F"]:
        """The features of the lookback."""
        before = inputs.past_target.roll(1, 1)
        before = torch.cat([torch.zeros_like(before[:, :1]), before[:, 1:]], 1)
        return self._joined(inputs, before, inputs.past_lags, inputs.past_known)

    def horizon(self, inputs: Inputs, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B G H F"]:
        """The features of the horizon where the future is given, as in training. What ``future`` holds at the last step is not
        read; with zeros it is the ``template`` that ``at`` needs."""
        before = torch.cat([inputs.past_target[:, -1:], future[:, :-1]], 1)
        n_steps = future.shape[1]
        lags = [
            torch.cat([inputs.future_lags[:, :lag, :, place], future[:, : max(n_steps - lag, 0)]], 1)
            for place, lag in enumerate(self.lags)
        ]
        return self._joined(inputs, before, torch.stack(lags, -1) if lags else inputs.future_lags, inputs.future_known)

    def template(self, inputs: Inputs) -> Float[Tensor, "B G H F"]:
        """The features of the horizon, with zeros in the place of what is not known yet."""
        steps = inputs.future_known.shape[1]
        return self.horizon(inputs, inputs.past_target.new_zeros(len(inputs.past_target), steps, inputs.past_target.shape[2]))

    def at(
        self, template: Float[Tensor, "B G H F"], values: Sequence[Float[Tensor, "B n C"]], n_paths: int
    ) -> Float[Tensor, "B n G F"]:
        """The features of the step after those that are sampled.

        Args:
            template: Of these windows.
            values: What was sampled, step by step from the first one of the horizon; may be empty.
            n_paths: n.
        """
        step = len(values)
        fresh = [values[step - lag] for lag in (1, *self.lags) if lag <= step]
        rest = template[:, None, :, step, len(fresh) * self.n_values :].expand(-1, n_paths, -1, -1)
        return torch.cat([*(self._grouped(value) for value in fresh), rest], -1)

    def _grouped(self, values: Float[Tensor, "*B C"]) -> Float[Tensor, "*B G V"]:
        return values.unsqueeze(-2 if self.joint else -1)

    def _joined(
        self,
        inputs: Inputs,
        before: Float[Tensor, "B T C"],
        lags: Float[Tensor, "B T C n"],
        known: Float[Tensor, "B T K"],
    ) -> Float[Tensor, "B G T F"]:
        values = self._grouped(torch.cat([before.unsqueeze(-1), lags], -1).movedim(-1, 2))  # (B, T, 1 + n, G, V)
        values = values.permute(0, 3, 1, 2, 4).flatten(3)
        n_groups, n_steps = values.shape[1:3]
        constant = self.static(inputs.static, inputs.static_categories)[:, None, None].expand(-1, n_groups, n_steps, -1)
        scale = self._grouped(inputs.scale.log()).transpose(1, 2).expand(-1, -1, n_steps, -1)
        return torch.cat([values, known.unsqueeze(1).expand(-1, n_groups, -1, -1), constant, scale], -1)


class PathDraws(Draws):
    """For a head whose outputs are (B, n, C, O), a step of each of n paths in the place of n steps of one path.

    The levels of a value are spread evenly over the paths, as the head would have them.
    """

    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    def uniform(self, *size: int) -> Float[Tensor, "B ..."]:
        """Those of the draws that this one stands for."""
        return self._draws.uniform(*size)

    def levels(self, n_paths: int, *size: int) -> Float[Tensor, "B n ..."]:
        """(B, 1, n, ...): the levels of n paths, along the axis that a head takes for steps."""
        assert n_paths == 1
        return self._draws.levels(*size).unsqueeze(1)


def draw_step(head: Head, outputs: Float[Tensor, "B n C O"], inputs: Inputs, draws: Draws) -> Float[Tensor, "B n C"]:
    """One value for each path, drawn from the outputs of that path at this step; scaled like the inputs."""
    return head.forecast(outputs, inputs, 1, PathDraws(draws)).paths[:, 0]


def in_parts(
    sample: Callable[[Inputs, Draws], Float[Tensor, "b n H C"]], inputs: Inputs, draws: Draws, rows_a_window: int
) -> Float[Tensor, "B n H C"]:
    """The paths of some windows, of a few windows at a time, so that memory is bounded whatever the batch.

    Args:
        sample: The paths of a part of the windows.
        inputs: Of all windows.
        draws: Of all windows; it does not move.
        rows_a_window: Of the network: n * G.
    """
    size, n_windows = max(_MOST_ROWS // rows_a_window, 1), len(inputs.past_target)
    starts = range(0, n_windows, size)
    return torch.cat([sample(inputs.part(i, i + size), draws.part(i, i + size)) for i in starts])


def normalised(norm: WindowNorm, inputs: Inputs) -> tuple[Inputs, WindowStatistics]:
    """The same windows in the units that a network sees: past and lags by level and spread of the observed past."""
    past, statistics = norm(inputs.past_target, inputs.past_observed)
    if norm.mode == "none":
        return inputs, statistics
    # Not by replace: it checks shapes again where the tests check them, and that could not be compiled.
    seen = copy(inputs)
    object.__setattr__(seen, "past_target", past)
    for name in ("past_lags", "future_lags") if inputs.past_lags.shape[-1] else ():
        object.__setattr__(seen, name, _normalised_lags(norm, getattr(inputs, name), statistics))
    return seen, statistics


def _normalised_lags(
    norm: WindowNorm, values: Float[Tensor, "B T C n"], statistics: WindowStatistics
) -> Float[Tensor, "B T C n"]:
    flat = norm.normalise(values.movedim(-1, 2).flatten(1, 2), statistics)
    return flat.view(values.shape[0], values.shape[1], values.shape[3], values.shape[2]).movedim(2, -1)
