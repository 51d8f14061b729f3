"""The surface of the commands, and the user's mistakes: one sentence, exit code 2, nothing started, nothing written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.commands import ROOT, tuner
from tests.models.originals import LIBRARIES
from tuner.run import app

RUN_OPTIONS = {
    "--space", "--dataset", "--horizon", "--metric", "--data-dir", "--set", "--target", "--covariates", "--known", "--static",
    "--series-id", "--fill", "--short-series", "--split", "--folds", "--folds-file", "--protocol", "--stages",
    "--last-step-only", "--whole-numbers", "--paths", "--trials", "--epochs",
    "--time", "--scheduler", "--sampler", "--seed", "--name", "--runs", "--cpus-per-trial", "--gpus-per-trial", "--address",
    "--resume", "--warm-start", "--retries", "--trial-timeout", "--oom", "--keep-gb", "--list", "--dry-run", "--help",
}  # fmt: skip


def invoke_run(*arguments: object) -> Result:
    """The command in this process: quicker than a process of its own, which other tests here have."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_run_has_these_options_and_no_others() -> None:
    words = tuner("run", "--help").stdout.split()
    assert {word for word in words if word.startswith("--") and word.strip("-")} == RUN_OPTIONS


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(("date,a,b", *lines)) + "\n")
    return path


HOURS = [f"2024-01-{day:02d} {hour:02d}:00,{hour},{day}" for day in range(1, 29) for hour in range(24)]

MISTAKES = {
    "unknown space": (["--space", "infomer"], "did you mean 'informer'?"),
    "no search space": ([], "--space names what is tuned"),
    "unknown module": (["--space", "my.space"], "no module my.space can be imported"),
    "unknown data set": (["--dataset", "etth"], "did you mean 'etth1'?"),
    "unknown metric": (["--metric", "mse"], "no metric is named 'mse'"),
    "unknown sampler": (["--sampler", "tpee"], "did you mean 'tpe'?"),
    "unknown scheduler": (["--scheduler", "asah"], "did you mean 'asha'?"),
    "unknown key": (["--set", "model.widht=3"], "no key of dlinear is named 'model.widht'"),
    "value of another type": (["--set", "data.lookback=long"], "data.lookback must be a whole number, got 'long'"),
    "impossible value": (["--set", "train.batch_size=0"], "train.batch_size must be 1 or more, got 0"),
    "impossible model": (["--set", "model.kernel=0"], "kernel"),
    "no value": (["--set", "data.lookback"], "--set takes key=value"),
    "horizon": (["--horizon", "0"], "--horizon must be 1 or more, got 0"),
    "horizon beyond the data": (["--horizon", "5000"], "synthetic has 2000"),
    "lookback beyond the data": (["--set", "data.lookback=1500"], "synthetic has 2000"),
    "fill": (["--fill", "linear"], "--fill must be one of forward, seasonal, zero, got 'linear'"),
    "split": (["--split", "half"], "--split must be fractions, last, or percentages of the rows"),
    "short series": (["--short-series", "cut"], "--short-series must be one of drop, pad, got 'cut'"),
    "no fold": (["--folds", "0"], "--folds must be 1 or more, got 0"),
    "more folds than rows": (["--folds", "9"], "synthetic has 2000"),
    "no folds file": (["--folds-file", "nowhere.json"], "--folds-file must exist"),
    "no protocol": (["--protocol", "replay"], "--protocol must be one of holdout, continual, got 'replay'"),
    "stages of a holdout": (["--stages", "3"], "--stages belongs to --protocol continual, got --stages 3"),
    "one stage": (["--protocol", "continual", "--stages", "1"], "--stages must be 2 or more, got 1"),
    "more stages than rows": (["--protocol", "continual", "--stages", "40"], "use more data, fewer --stages"),
    "stages and folds": (["--protocol", "continual", "--folds", "2"], "--protocol continual has stages in the place of folds"),
    "nothing to replay": (["--set", "train.replay=exact"], "train.replay needs stages to replay"),
    "no path": (["--paths", "0"], "--paths must be 1 or more, got 0"),
    "unknown target": (["--target", "e"], "'e'"),
    "unknown known column": (["--known", "holiday"], "'holiday'"),
    "target that is known too": (["--target", "a", "--known", "a"], "'a'"),
    "counts that are none": (["--set", "train.loss=negative_binomial"], "needs targets that are whole numbers of 0 or more"),
    "a metric of quantiles for points": (["--metric", "coverage_80"], "--metric coverage_80 needs quantiles, mse give points"),
    "borders twice": (["--folds-file", "study.json", "--folds", "2"], "--folds-file brings its own borders"),
    "a metric that the space makes incomparable": (
        ["--space", "tests.contract.plugins.losses", "--metric", "loss"],
        "train.loss",
    ),
    "trials": (["--trials", "0"], "--trials must be 1 or more, got 0"),
    "trials in words": (["--trials", "many"], "--trials takes a whole number such as 40, got 'many'"),
    "more trials of nothing": (["--trials", "+20"], "--trials takes a whole number such as 40, got '+20'"),
    "time": (["--time", "soon"], "--time takes a duration"),
    "retries": (["--retries", "-1"], "--retries must be 0 or more, got -1"),
    "timeout": (["--trial-timeout", "soon"], "--trial-timeout takes a duration"),
    "out of memory": (["--oom", "retry"], "--oom must be one of infeasible, split, got 'retry'"),
    "no space": (["--keep-gb", "0"], "--keep-gb must be above 0, got 0"),
    "no study to learn from": (["--warm-start", "nowhere"], "nowhere has none"),
    "not finite": (["--set", "train.learning_rate=inf"], "train.learning_rate must be a number, got 'inf'"),
    "no core": (["--cpus-per-trial", "0"], "--cpus-per-trial must be above 0, got 0"),
    "half a GPU more": (["--gpus-per-trial", "1.5"], "--gpus-per-trial must be 0, a share below 1, or whole, got 1.5"),
    "name": (["--name", "a/b"], "--name must be at most 100 letters"),
    "file that does not exist": (["--dataset", "nowhere.csv"], "nowhere.csv"),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_ends_with_one_sentence_before_anything_starts(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    space = [] if "--space" in arguments or not arguments else ["--space", "dlinear"]
    dataset = [] if "--dataset" in arguments else ["--dataset", "synthetic"]
    done = invoke_run(*space, *dataset, "--runs", tmp_path / "runs", *arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("space", "library"), LIBRARIES.items())
def test_a_model_whose_library_is_not_installed_ends_with_the_way_to_install_it(
    space: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in {library, *(name for name in sys.modules if name.startswith(f"{library}."))}:
        monkeypatch.setitem(sys.modules, module, None)
    done = invoke_run("--space", space, "--dataset", "synthetic", "--runs", tmp_path / "runs")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: this model needs the extra originals")
    assert done.stderr.endswith("install it: pip install -c constraints.txt -e '.[originals]'\n")
    assert "pip install -c constraints.txt -e '.[originals]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


TRAIN_MISTAKES = {
    "metric": (["--metric", "mse"], "no metric is named 'mse'"),
    "model": (["--set", "model.kernel=0"], "kernel"),
    "threads": (["--threads", "0"], "--threads must be 1 or more, got 0"),
    "accelerator": (["--accelerator", "tpu"], "the accelerator must be one that this machine has"),
}


@pytest.mark.parametrize(("arguments", "sentence"), TRAIN_MISTAKES.values(), ids=TRAIN_MISTAKES)
def test_a_mistake_in_train_ends_with_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = tuner("train", "--space", "dlinear", "--dataset", "synthetic", "--runs", tmp_path / "runs", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


FILES = {
    "no time column": (["1,2"], "time"),
    "text": ([*HOURS[:300], "2024-01-13 12:00,low,1"], "line 302"),
    "duplicate": ([*HOURS[:300], HOURS[299]], "line 302"),
    "unsorted": ([HOURS[1], HOURS[0], *HOURS[2:]], "line 3"),
    "gap": ([*HOURS[:300], *HOURS[310:]], "gap"),
    "missing": ([*HOURS[:300], "2024-01-13 12:00,,1", *HOURS[301:]], "--fill"),
    "too few rows": (HOURS[:40], "has 40"),
}


@pytest.mark.parametrize(("lines", "sentence"), FILES.values(), ids=FILES)
def test_a_broken_file_ends_with_one_sentence_that_names_it(lines: list[str], sentence: str, tmp_path: Path) -> None:
    path = csv(tmp_path, *lines)
    if sentence == "time":
        path.write_text("a,b\n1,2\n")
    done = invoke_run("--space", "dlinear", "--dataset", path, "--runs", tmp_path / "runs", "--dry-run")
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "data.csv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_package_named_datasets_is_named(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("")
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import datasets")
    done = tuner("run", "--list", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert f"must be {ROOT / 'datasets'}" in done.stderr


def test_an_existing_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    done = tuner("run", "--space", "dlinear", "--dataset", "synthetic", "--runs", tmp_path, "--name", "mine")
    assert done.returncode == 2
    assert "--name must be new" in done.stderr


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = tuner("run", "--space", "dlinear", "--dataset", "synthetic", "--runs", tmp_path / "file")
    assert done.returncode == 2
    assert "--runs must be a folder that can be written" in done.stderr


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    words = ("--space", "dlinear", "--dataset", "synthetic", "--last-step-only", "--whole-numbers")
    done = tuner("run", *words, "--runs", tmp_path / "runs", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing was started or written" in done.stdout
    assert "24 steps of h, the last alone counts, forecasts are rounded to whole numbers" in " ".join(done.stdout.split())
    assert not (tmp_path / "runs").exists()


def test_the_list_names_every_plugin() -> None:
    listing = tuner("run", "--list").stdout
    for name in ("informer", "informer_paper", "dlinear", "etth1", "nyc_airports", "synthetic"):
        assert name in listing


@pytest.mark.parametrize("command", ["show", "predict", "reproduce", "doctor"])
def test_a_folder_that_is_no_run_is_refused(command: str, tmp_path: Path) -> None:
    more = {"predict": ["--data", "x.csv", "--out", tmp_path / "y.csv"], "reproduce": ["--trial", 0]}
    done = tuner(command, tmp_path, *more.get(command, []))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_bug_of_a_model_that_raises_value_error_keeps_its_file_and_line(tmp_path: Path) -> None:
    done = tuner("run", "--space", "tests.contract.plugins.unpacks", "--dataset", "synthetic", "--runs", tmp_path / "runs")
    assert done.returncode == 1
    assert 'plugins/unpacks.py", line 20' in done.stderr
    assert not (tmp_path / "runs").exists()
