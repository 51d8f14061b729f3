"""Event files for TensorBoard: the curves of every trial, and the HPARAMS tab. Needs the tensorboard package, nothing else.

Each trial is a run, ``trials/<n>``; the study itself is the run above them, which holds the domains. Written by hand from
TensorBoard's own protocol buffers, one synchronous file a running trial, since its ready-made writers start a thread each
or import TensorFlow. TensorBoard is imported with the first writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, Value
from tuner.results.schema import TRIALS
from tuner.study.trial import Report, State


class TensorBoard:
    """Writes what ``tensorboard --logdir runs/<study>`` shows.

    Args:
        folder: The folder of the run.
        space: What is searched; its domains become the columns of the HPARAMS tab.
        metric: The metric that ranks the trials.
        now: Seconds since 1970: TensorBoard orders by dates.
    """

    def __init__(self, folder: Path, space: Space, metric: str, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now = now
        self._kinds = {key: _kind(domain) for key, domain in space.search.items()}
        self._files: dict[int, _EventFile] = {}
        study = _EventFile(folder, now)
        study.hparams("experiment", _experiment(space, metric, now()))
        study.close()

    def begin(self, number: int, config: Config) -> None:
        """Opens a file of a trial and writes its config: another one for each worker that goes on with it."""
        from tensorboard.plugins.hparams import plugin_data_pb2 as pb

        if number in self._files:
            self._files.pop(number).close()
        info = pb.SessionStartInfo(group_name=f"trial {number}", start_time_secs=self._now())
        for key, value in config.items():
            kind = self._kinds.get(key) or _kind(value)
            setattr(info.hparams[key], _FIELDS[kind], _as(kind, value))
        self._files[number] = _EventFile(self._folder / TRIALS / str(number), self._now)
        self._files[number].hparams("session_start_info", info)

    def report(self, number: int, report: Report) -> None:
        """Adds one point to every curve of a trial; the step is the epoch."""
        self._files[number].scalars(report.epoch, report.metrics)

    def end(self, number: int, state: State) -> None:
        """Closes the file of a trial, if it has one."""
        from tensorboard.plugins.hparams import api_pb2 as api
        from tensorboard.plugins.hparams import plugin_data_pb2 as pb

        if number in self._files:
            good = state in (State.FINISHED, State.STOPPED)
            status = api.STATUS_SUCCESS if good else api.STATUS_FAILURE
            file = self._files.pop(number)
            file.hparams("session_end_info", pb.SessionEndInfo(status=status, end_time_secs=self._now()))
            file.close()

    def close(self) -> None:
        """Closes the files of trials that did not end."""
        for file in self._files.values():
            file.close()
        self._files.clear()


class _EventFile:
    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        file: BinaryIO = (folder / f"events.out.tfevents.{int(now())}.tuner").open("ab")
        self._records = RecordWriter(file)
        self._event = Event
        self._now = now
        self._write(file_version="brain.Event:2")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._write(step=step, summary=summary)

    def hparams(self, field: str, message: Any) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import metadata
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

        about = metadata.create_summary_metadata(HParamsPluginData(**{field: message}))
        value = Summary.Value(tag=f"_hparams_/{field}", metadata=about, tensor=metadata.NULL_TENSOR)
        self._write(summary=Summary(value=[value]))

    def close(self) -> None:
        self._records.close()

    def _write(self, **fields: Any) -> None:
        self._records.write(self._event(wall_time=self._now(), **fields).SerializeToString())
        self._records.flush()


_FIELDS = {"bool": "bool_value", "number": "number_value", "string": "string_value"}


def _kind(domain: Domain | Value) -> str:
    """The one type that TensorBoard gives to a column: mixed values are shown as words."""
    match domain:
        case Float() | Int() | Ordinal():
            return "number"
        case Choice():
            kinds = {_kind(value) for value in domain.values}
            return kinds.pop() if len(kinds) == 1 else "string"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case _:
            return "string"


def _as(kind: str, value: Value) -> Value:
    return value if kind != "string" else "none" if value is None else str(value)


def _experiment(space: Space, metric: str, created: float) -> Any:
    from tensorboard.plugins.hparams import api_pb2 as api

    types = {"bool": api.DATA_TYPE_BOOL, "number": api.DATA_TYPE_FLOAT64, "string": api.DATA_TYPE_STRING}
    infos = []
    for key, domain in space.domains.items():
        kind = _kind(domain)
        info = api.HParamInfo(name=key, type=types[kind], description=str(domain))
        match domain:
            case Float() | Int():
                info.domain_interval.min_value, info.domain_interval.max_value = domain.low, domain.high
            case Ordinal() | Choice():
                info.domain_discrete.extend([_as(kind, value) for value in domain.values])
        infos.append(info)
    names = dict.fromkeys((metric, "train_loss"))
    metrics = [api.MetricInfo(name=api.MetricName(tag=name), display_name=name) for name in names]
    return api.Experiment(hparam_infos=infos, metric_infos=metrics, time_created_secs=created)
