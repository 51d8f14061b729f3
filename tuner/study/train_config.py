"""How one trial trains: the ``train.*`` keys. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from models.heads.levels import parse_levels

PointLoss = Literal["mse", "mae", "huber"]
Loss = Literal[PointLoss, "quantile", "implicit_quantile", "normal", "student_t", "negative_binomial", "low_rank_normal", "own"]
Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "halve", "cosine", "one_cycle"]
Replay = Literal["none", "random", "exact", "experience"]
Precision = Literal["32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything between a model and its weights, except the data and the seed."""

    loss: Loss = "mse"
    """What the head minimises: mse, mae, huber give points; the others distributions, by pinball loss or log-likelihood;
    own is the loss of a model that brings one."""
    quantile_levels: str = "0.1,0.5,0.9"
    """Levels of the loss quantile, rising within (0, 1), with commas."""
    rank: int = 4
    """Factors that the channels of a step share, for the loss low_rank_normal."""
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    """The first rate; for one_cycle the highest."""
    momentum: float = 0.9
    """For sgd only."""
    weight_decay: float = 0.0
    """L2 for adam and sgd, decoupled for adamw."""
    schedule: Schedule = "constant"
    """constant; halve: x 0.5 after each epoch; cosine: to 0 at schedule_epochs; one_cycle: up and down over schedule_epochs."""
    schedule_epochs: int = 10
    """Length of cosine and one_cycle, in epochs. Apart from the budget, so that a longer budget alters no finished curve."""
    replay: Replay = "none"
    """What a stage of --protocol continual hears of the windows of earlier stages: none; random: some of them; exact: all of
    them; experience: those whose features have the mean of all."""
    replay_size: int = 256
    """Windows that random and experience keep, of all earlier stages together; at least one of each."""
    new_stage_weight: float = 0.3
    """Of the loss on the windows of the new stage, where others are replayed: theirs has the rest to 1."""
    gradient_clip: float = 0.0
    """Largest norm of the gradient; 0 leaves it alone."""
    batch_size: int = 32
    """Windows a step."""
    windows_per_epoch: int | None = None
    """Windows an epoch; None takes every training window once."""
    precision: Precision = "32"
    """32, or bf16 for bfloat16 autocast."""
    compile: bool = False
    """torch.compile the model."""

    def __post_init__(self) -> None:
        def rule(holds: bool, words: str, name: str) -> None:
            if not holds:
                raise ValueError(f"train.{name} must {words}, got {getattr(self, name)!r}")

        for name, allowed in (
            ("loss", Loss),
            ("optimizer", Optimizer),
            ("schedule", Schedule),
            ("replay", Replay),
            ("precision", Precision),
        ):
            rule(getattr(self, name) in get_args(allowed), f"be one of {', '.join(get_args(allowed))}", name)
        parse_levels(self.quantile_levels)
        rule(self.rank >= 1, "be 1 or more", "rank")
        rule(self.learning_rate > 0, "be above 0", "learning_rate")
        rule(0 <= self.momentum < 1, "lie in [0, 1)", "momentum")
        rule(self.weight_decay >= 0, "be 0 or more", "weight_decay")
        rule(self.schedule_epochs >= 1, "be 1 or more", "schedule_epochs")
        rule(self.replay_size >= 1, "be 1 or more", "replay_size")
        rule(0 < self.new_stage_weight < 1, "lie in (0, 1)", "new_stage_weight")
        rule(self.gradient_clip >= 0, "be 0 or more", "gradient_clip")
        rule(self.batch_size >= 1, "be 1 or more", "batch_size")
        rule(self.windows_per_epoch is None or self.windows_per_epoch >= 1, "be 1 or more, or none", "windows_per_epoch")
