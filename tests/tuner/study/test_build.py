from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces.base import Choice, Int, Ordinal, Space
from search_spaces.shared.continual import CONTINUAL
from tuner.study.build import check_folder, load_space, longest_windows, parse_columns, parse_duration
from tuner.study.schema import defaults_of


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5h", 1800)])
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10x", "m", "-5m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--time takes a duration"):
        parse_duration(text)


def test_a_setting_fixes_its_key() -> None:
    assert load_space("informer", ["data.lookback=48"], 24).fixed["data.lookback"] == 48


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="--set takes key=value"):
        load_space("informer", ["data.lookback"], 24)


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a b", "x" * 101])
def test_a_name_that_is_no_folder_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--name must be at most 100 letters"):
        check_folder(tmp_path, name)


def test_the_name_of_an_existing_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="--name must be new"):
        check_folder(tmp_path, "mine")


def test_the_longest_lookback_is_that_of_the_space() -> None:
    assert longest_windows(Space("dlinear", {"data.lookback": Ordinal(48, 336)}), 24) == (336, 0)
    assert longest_windows(Space("dlinear", {"data.lookback": 512}), 24) == (512, 0)
    assert longest_windows(Space("dlinear", {"data.lookback": Int(24, 60)}), 24) == (60, 0)
    assert longest_windows(Space("dlinear", {}), 24) == (96, 0)


def test_the_longest_lag_is_that_of_any_config_with_lags() -> None:
    lags = Choice("none", "frequency")
    assert longest_windows(Space("dlinear", {"data.lags": lags}), 24) == (96, None)
    assert longest_windows(Space("dlinear", {"data.lags": lags, "data.longest_lag": Ordinal(24, 168)}), 24) == (96, 168)


def test_the_baseline_of_a_recipe_counts_too() -> None:
    space = Space("dlinear", {}, recipes={24: {"data.lookback": 336}})
    assert (longest_windows(space, 24), longest_windows(space, 48)) == ((336, 0), (96, 0))


def test_columns_are_lists_with_commas() -> None:
    columns = parse_columns("a, b", None, "c", None, "shop")
    assert (columns.target, columns.covariates, columns.known, columns.series_id) == (("a", "b"), None, ("c",), "shop")
    assert parse_columns(None, "none", None, None, None).covariates == ()


def test_where_stages_are_learned_in_turn_replay_is_searched() -> None:
    assert load_space("dlinear", [], 24, chained=True).search.items() >= CONTINUAL.items()
    assert not CONTINUAL.keys() & load_space("dlinear", [], 24).search.keys()


def test_a_space_that_says_what_is_replayed_keeps_its_ranges() -> None:
    space = load_space("tests.tuner.study.replaying", [], 24, chained=True)
    assert space.search["train.replay_size"] == Ordinal(2, 4)
    assert space.baseline_config(24, defaults_of("dlinear"))["train.replay"] == "exact"


def test_a_space_that_replays_needs_stages() -> None:
    with pytest.raises(ValueError, match=r"train\.replay, train\.replay_size needs stages to replay"):
        load_space("tests.tuner.study.replaying", [], 24)
