"""One training step of one model, repeated on request: forward, squared error, backward, Adam.

The process behind ``benchmarks.zoo``: ``python -m benchmarks.zoo_step KIND NAME SIZES [DIR]``, where KIND is ours, plain (a
transcription) or public (the code in DIR), and SIZES a JSON object of the arguments of our model. Its first line is the number
of parameters and the peak memory of a step: by how many MB the first steps of 32 windows raise the largest resident size of the
process beyond that after a step of two windows. Then it answers each line, a number of steps, with the seconds of CPU of one of
them.

Nothing of ours is imported beside public code, whose packages are named like ours.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import torch
from torch import Tensor, nn

LOOKBACK, HORIZON, N_CHANNELS, N_KNOWN, N_START = 96, 24, 7, 4, 48
PUBLIC_NAMES = {
    "informer": "Informer",
    "autoformer": "Autoformer",
    "timesnet": "TimesNet",
    "patchtst": "PatchTST",
    "itransformer": "iTransformer",
    "dlinear": "DLinear",
}


class Values(SimpleNamespace):
    """Random windows: past_target, past_known, future_known, future_target."""

    def __init__(self, n_windows: int) -> None:
        draw = torch.Generator().manual_seed(0)
        super().__init__(
            past_target=torch.randn(n_windows, LOOKBACK, N_CHANNELS, generator=draw),
            past_known=torch.rand(n_windows, LOOKBACK, N_KNOWN, generator=draw) - 0.5,
            future_known=torch.rand(n_windows, HORIZON, N_KNOWN, generator=draw) - 0.5,
            future_target=torch.randn(n_windows, HORIZON, N_CHANNELS, generator=draw),
        )


Arguments = Callable[[Values], tuple[Any, ...]]
"""What a model is called with."""


def ours_or_plain(kind: str, name: str, sizes: dict[str, Any]) -> tuple[nn.Module, Arguments]:
    """A model of ``models`` or its transcription, and what it is called with."""
    from datasets.windows.batch import Inputs
    from models.base import WindowShape

    package = "models" if kind == "ours" else "benchmarks.transcriptions"
    shape = WindowShape(lookback=LOOKBACK, horizon=HORIZON, n_targets=N_CHANNELS, n_known=N_KNOWN)
    model = importlib.import_module(f"{package}.{name}").MODEL(shape, **sizes)

    def arguments(values: Values) -> tuple[Inputs]:
        n_windows = len(values.past_target)
        inputs = Inputs(
            past_target=values.past_target,
            past_known=values.past_known,
            future_known=values.future_known,
            past_observed=torch.ones_like(values.past_target, dtype=torch.bool),
            past_covariates=torch.zeros(n_windows, LOOKBACK, 0),
            past_lags=torch.zeros(n_windows, LOOKBACK, N_CHANNELS, 0),
            future_lags=torch.zeros(n_windows, HORIZON, N_CHANNELS, 0),
            static=torch.zeros(n_windows, 0),
            static_categories=torch.zeros(n_windows, 0, dtype=torch.int64),
            loc=torch.zeros(n_windows, 1, N_CHANNELS),
            scale=torch.ones(n_windows, 1, N_CHANNELS),
        )
        return (inputs,)

    return model, arguments


def public(name: str, sizes: dict[str, Any], folder: str) -> tuple[nn.Module, Arguments]:
    """The model of the Time-Series-Library in ``folder``, of the same sizes, and what it is called with."""
    sys.path.insert(0, folder)
    width = sizes.get("width", sizes.get("n_heads", 1) * sizes.get("head_width", 1))
    configs = SimpleNamespace(
        task_name="long_term_forecast",
        seq_len=LOOKBACK,
        label_len=N_START,
        pred_len=HORIZON,
        enc_in=N_CHANNELS,
        dec_in=N_CHANNELS,
        c_out=N_CHANNELS,
        d_model=width,
        n_heads=sizes.get("n_heads"),
        e_layers=sizes.get("n_encoder_layers", sizes.get("n_layers")),
        d_layers=sizes.get("n_decoder_layers"),
        d_ff=sizes.get("feedforward"),
        factor=sizes.get("factor"),
        dropout=sizes.get("dropout"),
        moving_avg=sizes.get("kernel"),
        top_k=sizes.get("n_periods"),
        num_kernels=sizes.get("n_kernels"),
        activation="gelu",
        embed="timeF",
        freq="h",
        distil=True,
    )
    model = _import_past_absent(f"models.{PUBLIC_NAMES[name]}").Model(configs)

    def arguments(values: Values) -> tuple[Tensor, ...]:
        start = torch.cat([values.past_target[:, -N_START:], torch.zeros_like(values.future_target)], 1)
        known = torch.cat([values.past_known[:, -N_START:], values.future_known], 1)
        return values.past_target, values.past_known, start, known

    return model, arguments


def _import_past_absent(name: str) -> Any:
    """A module, with stand-ins for libraries that are not installed: those it imports for other models."""
    while True:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or name.startswith(error.name):
                raise
            sys.modules[error.name] = MagicMock()


def peak_mb() -> float:
    """The most memory that this process has held, on Linux. Not ru_maxrss: that is at least the parent's size."""
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def main() -> None:
    """Serves steps until standard input ends."""
    kind, name, sizes, *folder = sys.argv[1:]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, arguments = public(name, json.loads(sizes), *folder) if folder else ours_or_plain(kind, name, json.loads(sizes))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step(inputs: tuple[Any, ...], future: Tensor) -> None:
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.mse_loss(model(*inputs).view_as(future), future))
        optimizer.step()

    few, values = Values(2), Values(32)
    step(arguments(few), few.future_target)  # libraries, optimizer state
    inputs, future = arguments(values), values.future_target
    before = peak_mb()
    for _ in range(2):
        step(inputs, future)
    print(sum(parameter.numel() for parameter in model.parameters()), peak_mb() - before, flush=True)
    for line in sys.stdin:
        n_steps = int(line)
        started = time.process_time()
        for _ in range(n_steps):
            step(inputs, future)
        print((time.process_time() - started) / n_steps, flush=True)


if __name__ == "__main__":
    main()
