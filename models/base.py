"""The contract of a model: windows in, O numbers for each future value out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs

if TYPE_CHECKING:
    from models.heads.base import Head
    from models.heads.draws import Draws

Use: TypeAlias = Literal["covariates", "known", "static", "lags", "observed"]

DIRECT = ("mse", "mae", "huber", "quantile", "implicit_quantile", "normal", "student_t", "negative_binomial", "low_rank_normal")
"""The values of ``train.loss`` that a model supports by its outputs alone."""

HEADS = (*DIRECT, "own")
"""Every value of ``train.loss``; own is the loss that a model brings."""


@dataclass(frozen=True, kw_only=True)
class WindowShape:
    """The sizes that a model is built for; the letters are those of ``Inputs``."""

    lookback: int
    horizon: int
    n_targets: int
    n_outputs: int = 1
    """O, set by the head."""
    n_past_covariates: int = 0
    n_known: int = 0
    n_static: int = 0
    lags: tuple[int, ...] = ()
    """Steps back of each of the n lags of ``past_lags``."""
    cardinalities: tuple[int, ...] = ()
    """How many values each of the G static categories has."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Paths of the future, scaled like the inputs. A point forecast is one path.

    A path is one draw from the joint distribution of all steps and channels, as far as the model knows it.
    """

    paths: Float[Tensor, "B n H C"]

    @property
    def mean(self) -> Float[Tensor, "B H C"]:
        """The mean over paths: the best answer under squared error."""
        return self.paths.mean(1)

    @property
    def median(self) -> Float[Tensor, "B H C"]:
        """The median over paths: the best answer under absolute error."""
        return self.quantile(0.5)

    def quantile(self, level: float) -> Float[Tensor, "B H C"]:
        """The value that a share ``level`` of the paths stays under, between two paths by a line."""
        return self.paths[:, 0] if self.paths.shape[1] == 1 else self.paths.float().quantile(level, 1)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How a model weighs what it is given. Weights sum to 1 over the variables of a step, and over the steps attended to.

    Variables are in the order of the fields of ``Inputs``: static numbers, then categories; of the past the targets, then
    covariates, then what is known ahead. A class that is absent has width 0.
    """

    static: Float[Tensor, "B static"]
    past: Float[Tensor, "B L past"]
    future: Float[Tensor, "B H K"]
    attention: Float[Tensor, "B H T"]
    """Of each step of the horizon to each of T = L + H steps, those of the past first."""


class Forecaster(nn.Module, ABC):
    """A model with weights. After ``shape``, a constructor takes keyword-only, annotated arguments with defaults.

    The constructor is the model's schema: its arguments are the ``model.*`` keys, and defaults live there and nowhere else.
    A module that draws numbers does so from torch's default generators while training, which training keys by (trial seed,
    step), and from a generator of its own with a fixed seed while evaluating.
    """

    heads: ClassVar[tuple[str, ...]] = DIRECT
    """The values of ``train.loss`` that the model supports; all direct ones, unless it says so."""
    uses: ClassVar[frozenset[Use]] = frozenset()
    """What it reads of ``Inputs`` beyond the past of the targets."""
    teacher_forced: ClassVar[bool] = False
    """Whether its loss is given the true values before each step. Then it learns all steps of the horizon, whichever count: of
    one alone it would learn how to go on from values that a forecast never has."""

    def __init__(self, shape: WindowShape) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs that a head reads, from the past alone."""

    def training_loss(self, batch: Batch, head: Head) -> Float[Tensor, "B H C"]:
        """The loss of each future value. Override it for teacher forcing, auxiliary losses or an own likelihood."""
        return head.loss(self(batch.inputs), batch)

    def predict(self, inputs: Inputs, head: Head, n_paths: int, draws: Draws) -> Forecast:
        """The forecast. Override it in a model that samples by itself; all that it draws comes from ``draws``."""
        return head.forecast(self(inputs), inputs, n_paths, draws)

    def features(self, inputs: Inputs, first_counted: int = 0) -> Float[Tensor, "B F"]:
        """What windows are told apart by when some are chosen to stand for all: the flattened forecast, unless overridden.

        Of the outputs of a head it takes the first, the location.

        Args:
            inputs: Of the windows.
            first_counted: Steps of the horizon before this one, from 0, were not trained and are left out.
        """
        outputs: Tensor = self(inputs)
        return outputs[:, first_counted:, :, 0].flatten(1)

    def explain(self, inputs: Inputs) -> Explanation | None:
        """How the model weighs what it is given; None from one that does not say."""
        return None
