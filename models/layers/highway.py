"""The linear way around a network."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class AutoregressiveHighway(nn.Module):
    """A linear autoregression, the same for all channels, that is added to what a network puts out.

    Its forecast follows the scale of its input, which a network with bounded states does not (Lai et al., SIGIR 2018, equation
    7). Here it has one set of weights for each step of the horizon.

    Args:
        n_steps: The last steps of the past that it reads; at most all.
        lookback: L.
        horizon: H.
        n_outputs: O.
    """

    def __init__(self, n_steps: int, lookback: int, horizon: int, n_outputs: int) -> None:
        super().__init__()
        self.n_steps = min(n_steps, lookback)
        self.horizon = horizon
        self.linear = nn.Linear(self.n_steps, horizon * n_outputs)

    def forward(self, past: Float[Tensor, "B L C"]) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own last steps."""
        outputs: Tensor = self.linear(past[:, -self.n_steps :].mT)
        return outputs.view(*outputs.shape[:2], self.horizon, -1).transpose(1, 2)
