from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.results.runs import BASELINE, SPACE, report
from tuner.results.tensorboard import TensorBoard
from tuner.study.trial import State


def _write(folder: Path) -> TensorBoard:
    board = TensorBoard(folder, SPACE, "mse_scaled", now=lambda: 1e9)
    board.begin(0, BASELINE)
    board.begin(1, {**BASELINE, "model.width": 128, "train.windows_per_epoch": 1000})
    for number in (0, 1):
        for epoch in (1, 2):
            board.report(number, report(epoch, 1 / (epoch + number)))
    board.end(0, State.STOPPED)
    board.end(1, State.INFEASIBLE)
    return board


def _scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def _hparams(folder: Path) -> dict[str, Any]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    from tensorboard.plugins.hparams import plugin_data_pb2

    found = {}
    for path in folder.glob("events.out.tfevents.*"):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    content = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                    name = content.WhichOneof("data")
                    found[name] = getattr(content, name)
    return found


def test_every_metric_of_a_trial_is_a_curve_over_epochs(tmp_path: Path) -> None:
    _write(tmp_path)
    assert _scalars(tmp_path / "trials" / "1", "mse_scaled") == [(1, 0.5), (2, pytest.approx(1 / 3))]
    assert [step for step, _ in _scalars(tmp_path / "trials" / "1", "learning_rate")] == [1, 2]


def test_a_point_can_be_read_while_its_trial_runs(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, SPACE, "mse_scaled")
    board.begin(0, BASELINE)
    board.report(0, report(1, 0.5))
    assert _scalars(tmp_path / "trials" / "0", "mse_scaled") == [(1, 0.5)]
    board.close()


def test_a_session_holds_the_config_in_the_type_of_its_column(tmp_path: Path) -> None:
    _write(tmp_path)
    hparams = _hparams(tmp_path / "trials" / "1")["session_start_info"].hparams
    assert hparams["model.width"].number_value == 128
    assert hparams["model.distil"].bool_value is True
    assert hparams["train.optimizer"].string_value == "adam"
    assert hparams["train.windows_per_epoch"].string_value == "1000"


def test_a_value_none_is_a_word(tmp_path: Path) -> None:
    _write(tmp_path)
    info = _hparams(tmp_path / "trials" / "0")["session_start_info"]
    assert info.hparams["train.windows_per_epoch"].string_value == "none"


def test_a_stopped_trial_is_a_success_and_an_infeasible_one_is_not(tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import api_pb2

    _write(tmp_path)
    status = [_hparams(tmp_path / "trials" / str(number))["session_end_info"].status for number in (0, 1)]
    assert status == [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE]


def test_the_study_holds_the_domains_and_the_metric(tmp_path: Path) -> None:
    _write(tmp_path)
    experiment = _hparams(tmp_path)["experiment"]
    infos = {info.name: info for info in experiment.hparam_infos}
    assert list(infos) == list(SPACE.domains)
    assert (infos["train.learning_rate"].domain_interval.min_value, infos["model.n_layers"].domain_interval.max_value) == (
        1e-5,
        4,
    )
    assert list(infos["model.width"].domain_discrete.values[1].ListFields()[0][1:]) == [128.0]
    assert experiment.metric_infos[0].name.tag == "mse_scaled"


def test_the_end_of_a_trial_that_never_began_is_no_error(tmp_path: Path) -> None:
    _write(tmp_path).end(99, State.FAILED)


def test_writing_imports_neither_torch_nor_tensorflow_and_importing_nothing_of_tensorboard(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nimport tuner.results.tensorboard\nassert 'tensorboard' not in sys.modules\n"
        f"from tests.tuner.results.test_tensorboard import _write\n_write(Path({str(tmp_path)!r}))\n"
        "assert not {'torch', 'tensorflow', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.stderr == ""


@pytest.mark.slow
def test_tensorboard_itself_shows_the_curves_and_the_hparams_tab(tmp_path: Path) -> None:
    _write(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", str(port), "--host", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        runs = _get(port, "scalars/tags", wanted=2)
        assert sorted(runs["trials/0"]) == ["learning_rate", "mae_scaled", "mse_scaled", "train_loss"]
        experiment = _get(port, "hparams/experiment", body={"experimentName": ""})
        assert {info["name"]: info["description"] for info in experiment["hparamInfos"]} == {
            key: str(domain) for key, domain in SPACE.domains.items()
        }
        asked = {
            "experimentName": "",
            "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE"],
            "colParams": [{"metric": {"tag": "mse_scaled", "group": ""}}],
            "startIndex": 0,
            "sliceSize": 10,
        }
        groups = _get(port, "hparams/session_groups", body=asked)["sessionGroups"]
        assert sorted(group["name"] for group in groups) == ["trial 0", "trial 1"]
        assert {value["name"]["tag"] for group in groups for value in group["metricValues"]} >= {"mse_scaled"}
    finally:
        server.terminate()
        server.wait()


def _get(port: int, what: str, wanted: int = 1, body: dict | None = None) -> Any:
    url, data = f"http://127.0.0.1:{port}/data/plugin/{what}", None if body is None else json.dumps(body).encode()
    for _ in range(120):
        try:
            request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                found = json.load(answer)
            if len(found) >= wanted:
                return found
        except OSError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"no answer from {url}")
