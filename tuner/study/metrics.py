"""The metrics: what each is, in which unit, and which way is better. Standard library only; ``tuner.training`` takes them.

Notation: y the truth, f the forecast, over all n values of all windows that were observed, of steps that count, unless
something else is said.
Scaled means in units of the study's z-score: by series and channel, fitted on train rows, whatever feeds the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from search_spaces.base import Choice, Domain, Ordinal, Space
from tuner.study.schema import did_you_mean
from tuner.study.train_config import PointLoss, TrainConfig

Direction = Literal["lower", "higher", "target"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number that trials can be ranked by."""

    name: str
    formula: str
    unit: str
    """scaled, original (that of the values), or none."""
    source: str
    """Whose convention it is."""
    better: Direction = "lower"
    target: float = 0.0
    """What a metric with better = target should come to."""
    for_many_series: bool = False
    """Whether a summary shows it only where there are several series."""

    @property
    def way(self) -> str:
        """Which way is better, in words."""
        return f"best at {self.target:g}" if self.better == "target" else f"{self.better} is better"

    def cost(self, value: float) -> float:
        """The number that is minimised when trials are ranked by this metric."""
        match self.better:
            case "lower":
                return value
            case "higher":
                return -value
            case "target":
                return abs(value - self.target)


MEANING_OF_LOSS = ("train.loss", "train.quantile_levels", "data.scaling")
"""Keys that change what the metric ``loss`` means."""

METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="mse_scaled", unit="scaled", source="Informer, Time-Series-Library",
            formula="mean (y - f)^2, f the mean of paths",
        ),
        Metric(
            name="mae_scaled", unit="scaled", source="Informer, Time-Series-Library",
            formula="mean |y - f|, f the median of paths",
        ),
        Metric(name="mae", unit="original", source="common", formula="mean |y - f|, f the median"),
        Metric(name="rmse", unit="original", source="common", formula="sqrt(mean (y - f)^2), f the mean"),
        Metric(
            name="rmse_mean", unit="original", for_many_series=True, source="Monash archive: its mean RMSE",
            formula="mean over series and channels of sqrt(mean (y - f)^2), f the mean",
        ),
        Metric(
            name="mase", unit="none", source="Hyndman and Koehler 2006; Monash archive",
            formula="mean over series and channels of mean |y - f| / mean |y_t - y_{t-m}|, f the median; the latter over rows "
            "before the scored ones, m one season, 1 where none are that far apart; without those where it is 0",
        ),
        Metric(
            name="smape", unit="none", source="Monash archive: in [0, 2], no percent",
            formula="mean over series and channels of mean 2 |y - f| / (|y| + |f|), f the median, 0 where both are 0",
        ),
        Metric(
            name="msmape", unit="none", source="Monash archive (Suilin's): in [0, 2], no percent",
            formula="smape over max(|y| + |f| + 0.1, 0.6) in place of |y| + |f|: for series with values near 0",
        ),
        *(
            Metric(
                name=f"{name}_median", unit=unit, for_many_series=True, source=f"Monash archive: its median {called}",
                formula=f"median over series and channels of {what}",
            )
            for name, unit, called, what in (
                ("mae", "original", "MAE", "mean |y - f|, f the median"),
                ("rmse", "original", "RMSE", "sqrt(mean (y - f)^2), f the mean"),
                ("mase", "none", "MASE", "what mase is the mean of"),
                ("smape", "none", "sMAPE", "what smape is the mean of"),
                ("msmape", "none", "msMAPE", "what msmape is the mean of"),
            )
        ),
        Metric(
            name="rse", unit="none", source="LSTNet (Lai et al., SIGIR 2018)",
            formula="sqrt(sum (y - f)^2 / sum (y - mean y)^2), f the mean, mean y over all that is scored",
        ),
        Metric(
            name="rae", unit="none", source="LSTNet (Lai et al., SIGIR 2018), TPA-LSTM",
            formula="sum |y - f| / sum |y - mean y|, f the median, mean y over all that is scored",
        ),
        Metric(
            name="corr", unit="none", source="LSTNet (Lai et al., SIGIR 2018)", better="higher",
            formula="mean over series and channels of Pearson's correlation of y and f, f the mean, 0 where f is constant, "
            "without those where y is",
        ),
        Metric(
            name="q_risk_50", unit="none", source="TFT (Lim et al., IJF 2021)",
            formula="2 sum pinball_.5(y, f) / sum |y|, f the median: sum |y - f| / sum |y|",
        ),
        Metric(
            name="q_risk_90", unit="none", source="TFT (Lim et al., IJF 2021)",
            formula="2 sum pinball_.9(y, f) / sum |y|, f the .9 quantile of paths",
        ),
        Metric(
            name="crps", unit="original", source="Gneiting and Raftery, JASA 2007",
            formula="mean of mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 n_paths^2) over paths x_i; of one path: mae",
        ),
        Metric(
            name="crps_scaled", unit="scaled", source="Gneiting and Raftery, JASA 2007", formula="crps in units of the z-score",
        ),
        Metric(
            name="crps_sum", unit="none", source="pytorch-ts (Salinas et al., NeurIPS 2019)",
            formula="crps of the sum over channels, summed over windows and steps, over sum |sum over channels of y|; what was "
            "not observed counts 0",
        ),
        Metric(
            name="coverage_80", unit="none", source="common", better="target", target=0.8,
            formula="share of y between the .1 and .9 quantiles of paths; of one path, an interval without width: about 0",
        ),
        Metric(
            name="coverage_95", unit="none", source="common", better="target", target=0.95,
            formula="share of y between the .025 and .975 quantiles of paths; of one path: about 0",
        ),
        Metric(
            name="loss", unit="none", source="the head",
            formula="mean of what the head minimises, on the scored rows; only for configs that share loss and scaling",
        ),
    )
}  # fmt: skip


def cost(metric: str, value: float) -> float:
    """The number that is minimised when trials are ranked by ``metric``."""
    return METRICS[metric].cost(value)


def rank(metric: str, metrics: Mapping[str, float], stages: Mapping[str, float]) -> float:
    """The number that is minimised when trials are ranked: the mean of the costs of the stages.

    Not the cost of their mean: coverages of 0.6 and 1 are each far from 0.8, and their mean is not.

    Args:
        metric: Which ranks.
        metrics: Of a report: means over the stages.
        stages: The value of each stage; where there are none, the mean is all that is known.
    """
    costs = [cost(metric, value) for value in stages.values() or (metrics[metric],)]
    return math.fsum(costs) / len(costs)


Merit: TypeAlias = tuple[int, float]
"""(- turn, cost): what a trial has come to. The lowest counts: a later turn before an earlier one, then a lower cost."""


def merit(metric: str, report: Mapping[str, Any]) -> Merit:
    """Of one report, given by its fields."""
    return -report.get("turn", 0), rank(metric, report["metrics"], report["stages"])


def check_metric(metric: str, space: Space) -> None:
    """Proves that there is such a metric, and that the configs of a space can be ranked by it.

    Raises:
        LookupError: there is not.
        ValueError: they cannot: a key that is searched changes what the metric means.
    """
    if metric not in METRICS:
        raise LookupError(did_you_mean(metric, METRICS, "metric"))
    domain = space.search.get("train.loss", space.baseline.get("train.loss", TrainConfig().loss))
    losses = domain.values if isinstance(domain, Choice | Ordinal) else (domain,)
    if metric.startswith("coverage") and set(losses) <= set(get_args(PointLoss)):
        raise ValueError(
            f"--metric {metric} needs quantiles, {' and '.join(map(str, losses))} give points; "
            f"--set train.loss=student_t, for example, or choose another metric"
        )
    searched = [key for key in MEANING_OF_LOSS if isinstance(space.search.get(key), Domain)]
    if metric == "loss" and searched:
        raise ValueError(
            f"--metric loss must mean the same in all configs, {', '.join(searched)} is searched; "
            f"fix it with --set, or choose another metric"
        )
