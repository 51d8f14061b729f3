"""A model that meets a fault where a test has armed one, and is otherwise like any other; and its space."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape
from models.layers.dropout import Dropout
from search_spaces.base import Float, Int, Space

FOLDER = "FAULTY_FOLDER"
"""Names the folder where faults lie in wait. A config does not name it, so that a study is the same with faults and without."""
STEP = 12
"""Of a network's training steps, counted from its birth, the one that meets the fault: with 8 an epoch, one in the second."""
ROW_BYTES = 4 << 20
"""What the fault memory wants for each window of a batch."""
HEADROOM_BYTES = 96 << 20
"""What it gets: 32 windows are too many, 16 are not."""


def arm(folder: Path, fault: str, times: int) -> None:
    """Lets the next networks that train meet a fault, one after the other."""
    folder.mkdir(exist_ok=True)
    (folder / fault).write_text(str(times))


def n_armed(folder: Path, fault: str) -> int:
    """How many times more a fault would be met."""
    return int((folder / fault).read_text())


def _meets(fault: str) -> bool:
    """Whether a fault is armed here, which it is once less from now on."""
    path = Path(os.environ.get(FOLDER, os.devnull)) / fault
    times = int(path.read_text()) if path.is_file() else 0
    if times:
        path.write_text(str(times - 1))
    return times > 0


class Faulty(Forecaster):
    """Two linear maps with dropout between them."""

    def __init__(self, shape: WindowShape, *, width: int = 8, dropout: float = 0.1, pace_s: float = 0.01) -> None:
        super().__init__(shape)
        self.pace_s = pace_s
        self.n_steps = 0
        self.layers = nn.Sequential(nn.Linear(shape.lookback, width), Dropout(dropout), nn.Linear(width, shape.horizon))

    def forward(self, inputs: Inputs) -> Tensor:
        if "RAY_JOB_ID" in os.environ:  # not where the config is tried before the study
            if self.training:
                self.n_steps += 1
                time.sleep(self.pace_s)
                self._meet(len(inputs.past_target))
            elif not self.n_steps and _meets("evaluation"):
                raise RuntimeError("the evaluation is broken")
        outputs: Tensor = self.layers(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)
        return outputs

    def _meet(self, n_windows: int) -> None:
        if _meets("slowness"):
            time.sleep(0.3)
        if self.n_steps == STEP:
            if _meets("kill"):
                os.kill(os.getpid(), signal.SIGKILL)
            if _meets("freeze"):
                os.kill(os.getpid(), signal.SIGSTOP)
            if _meets("hang"):
                time.sleep(10_000)
            if _meets("bug"):
                raise RuntimeError("the model is broken")
            if _meets("node's memory"):  # more than the test has left on this machine
                held = [torch.ones(64 << 20) for _ in range(80)]
                time.sleep(60)
                del held
        if self.n_steps >= STEP and _meets("memory"):
            with limited(HEADROOM_BYTES):
                torch.empty(n_windows * ROW_BYTES, dtype=torch.uint8)


@contextmanager
def limited(n_bytes: int) -> Iterator[None]:
    """This process may have so much more memory than it has, and no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


MODEL = Faulty
SPACE = Space(
    "tests.faults.plugins.faulty",
    {
        "model.width": Int(4, 16),
        "model.dropout": Float(0.0, 0.5),
        "train.learning_rate": Float(1e-4, 1e-1, log=True),
        "train.windows_per_epoch": 256,
        "data.lookback": 24,
    },
    baseline={"train.learning_rate": 1e-3},
)
