"""What a model's outputs mean, by the value of ``train.loss``. Imports nothing heavy before a head is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.heads.base import Head


def make_head(loss: str, *, quantile_levels: str = "0.1,0.5,0.9", rank: int = 4) -> Head:
    """The head that minimises ``loss``.

    Args:
        loss: One of ``models.base.HEADS``.
        quantile_levels: For quantile alone: levels that rise within (0, 1), with commas.
        rank: For low_rank_normal alone: how many factors the channels of a step share.

    Raises:
        ValueError: there is none of that name, and the message lists those that exist; or an argument is out of its range.
    """
    from models.base import HEADS
    from models.heads.implicit_quantile import ImplicitQuantileHead
    from models.heads.levels import parse_levels
    from models.heads.low_rank_normal import LowRankNormalHead
    from models.heads.normal import NormalHead
    from models.heads.own import OwnHead
    from models.heads.point import LOSSES, PointHead
    from models.heads.quantile import QuantileHead

    match loss:
        case "quantile":
            return QuantileHead(parse_levels(quantile_levels))
        case "implicit_quantile":
            return ImplicitQuantileHead()
        case "normal":
            return NormalHead()
        case "student_t" | "negative_binomial":
            # Their quantile functions are scipy's, which takes a while to import.
            from models.heads.negative_binomial import NegativeBinomialHead
            from models.heads.student_t import StudentTHead

            return StudentTHead() if loss == "student_t" else NegativeBinomialHead()
        case "low_rank_normal":
            return LowRankNormalHead(rank)
        case "own":
            return OwnHead()
    if loss not in LOSSES:
        raise ValueError(f"train.loss must be one of {', '.join(HEADS)}, got {loss!r}")
    return PointHead(loss)
