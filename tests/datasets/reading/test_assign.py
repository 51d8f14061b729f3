from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import datasets
from datasets.base import Panel
from datasets.config import Columns
from datasets.reading.assign import Source, assign

SOURCE = Source(
    where="here",
    rows=pd.DataFrame(
        {
            "a": [1.0, 2, 3, 4, 5],
            "b": [5.0, 4, 3, 2, 1],
            "price": [7.0, 7, 8, 8, 9],
            "shop": ["west", "west", "west", "east", "east"],
            "size": [3, 3, 3, 4, 4],
        }
    ),
    per_series=pd.DataFrame({"id": ["x", "y"]}),
    offsets=np.array([0, 3, 5]),
    start_times=np.array(["2024-01-01", "2024-01-01"], dtype="datetime64[ns]"),
    frequency="D",
    series=("x", "y"),
    time="date",
)
STATIC = ("shop", "size")


def _with(**cells: list[object]) -> Source:
    return replace(SOURCE, rows=SOURCE.rows.assign(**cells))


def test_without_targets_every_column_with_no_other_part_is_one() -> None:
    panel = assign(SOURCE, Columns(known=("price",), static=STATIC))
    assert (panel.channels, panel.covariate_names, panel.known_names) == (("a", "b"), (), ("price",))


def test_with_targets_named_the_columns_left_are_covariates() -> None:
    panel = assign(SOURCE, Columns(target=("b",), static=STATIC))
    assert (panel.channels, panel.covariate_names) == (("b",), ("a", "price"))
    np.testing.assert_array_equal(panel.covariates, SOURCE.rows[["a", "price"]])


def test_with_targets_and_covariates_named_the_columns_left_stay_out() -> None:
    panel = assign(SOURCE, Columns(target=("b",), covariates=()))
    assert (panel.channels, panel.covariate_names, panel.covariates.shape) == (("b",), (), (5, 0))


def test_with_covariates_named_alone_the_columns_left_are_targets() -> None:
    assert assign(SOURCE, Columns(covariates=("a",), static=STATIC)).channels == ("b", "price")


def test_targets_come_in_the_order_in_which_they_are_named() -> None:
    panel = assign(SOURCE, Columns(target=("b", "a"), covariates=()))
    np.testing.assert_array_equal(panel.values, SOURCE.rows[["b", "a"]])


def test_static_numbers_stay_numbers_and_words_become_places_among_sorted_words() -> None:
    panel = assign(SOURCE, Columns(target=("a",), static=STATIC, covariates=()))
    assert (panel.static_names, panel.static.tolist()) == (("size",), [[3], [4]])
    assert (panel.category_names, panel.categories) == (("shop",), (("east", "west"),))
    assert panel.static_categories.tolist() == [[1], [0]]


def test_the_series_id_may_be_static_and_is_a_category_even_if_it_looks_like_a_number() -> None:
    source = replace(SOURCE, per_series=pd.DataFrame({"id": pd.Series(["10", "9"], dtype=object)}))
    panel = assign(source, Columns(target=("a",), covariates=(), series_id="id", static=("id",)))
    assert (panel.categories, panel.static_categories.tolist()) == ((("10", "9"),), [[0], [1]])


@pytest.mark.parametrize(
    "columns",
    [
        Columns(target=("prices",)),
        Columns(covariates=("prices",)),
        Columns(known=("prices",)),
        Columns(static=("prices",)),
        Columns(series_id="prices"),
        Columns(time="prices"),
    ],
)
def test_a_column_that_does_not_exist_is_an_error_that_lists_those_that_do(columns: Columns) -> None:
    with pytest.raises(LookupError) as error:
        assign(SOURCE, columns)
    names = "date, id, a, b, price, shop, size"
    assert error.value.args[0] == f"here: no column is named 'prices'; there are: {names}; did you mean 'price'?"


DOUBLE = {
    "'a' as target and known": Columns(target=("a",), known=("a",)),
    "'a' as target and target": Columns(target=("a", "a")),
    "'shop' as covariate and static": Columns(covariates=("shop",), static=("shop",)),
    "'date' as target and time": Columns(target=("date",)),
    "'date' as static and time": Columns(static=("date",)),
}


@pytest.mark.parametrize(("words", "columns"), DOUBLE.items(), ids=DOUBLE)
def test_a_column_with_two_parts_is_an_error_that_names_both(words: str, columns: Columns) -> None:
    with pytest.raises(ValueError, match=f"here: a column has one part, got {words}; name it once"):
        assign(SOURCE, columns)


def test_what_belongs_to_a_series_as_a_whole_can_only_be_static() -> None:
    with pytest.raises(ValueError, match="'id' belongs to a series as a whole, got it as known; name it as static"):
        assign(SOURCE, Columns(known=("id",)))


def test_text_that_nobody_named_is_an_error_not_left_out_in_silence() -> None:
    with pytest.raises(ValueError, match=r"must hold numbers, got 'west' in row 0, column 'shop'.* name it as static"):
        assign(SOURCE, Columns(target=("a",)))


def test_text_left_by_the_targets_may_be_left_out() -> None:
    with pytest.raises(ValueError, match=r"column 'shop'.*, or leave it out: --covariates names those that are meant, or none"):
        assign(SOURCE, Columns(target=("a",)))
    with pytest.raises(ValueError, match=r"name it as static$"):
        assign(SOURCE, Columns())


def test_a_static_column_is_what_categories_say_whatever_stands_in_it() -> None:
    columns = Columns(target=("a",), covariates=(), static=STATIC, categories=("size",))
    source = _with(shop=["1", "1", "1", "2.5", "2.5"])
    panel = assign(source, columns)
    assert (panel.static_names, panel.static.tolist()) == (("shop",), [[1], [2.5]])
    assert (panel.category_names, panel.categories) == (("size",), (("3", "4"),))


def test_a_word_where_training_had_a_number_is_an_error_naming_the_place() -> None:
    columns = Columns(target=("a",), covariates=(), static=STATIC, categories=("size",))
    with pytest.raises(ValueError, match="static column 'shop' must hold numbers as in training, got 'west' in row 0"):
        assign(SOURCE, columns)


def test_no_target_left_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one column of numbers is needed beside 'date', got none"):
        assign(SOURCE, Columns(covariates=("a", "b", "price"), static=STATIC))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (_with(shop=["west", "west", "north", "east", "east"]), "got 'north' after 'west' in row 2, column 'shop'"),
        (_with(size=[3, 3, 3, 4, 5]), "got '5' after '4' in row 4, column 'size'"),
    ],
)
def test_a_static_column_that_varies_within_a_series_is_an_error_naming_the_place(source: Source, words: str) -> None:
    with pytest.raises(ValueError, match=f"here: a static column must not vary within a series, {words}"):
        assign(source, Columns(target=("a",), covariates=(), static=STATIC))


@pytest.mark.parametrize(
    ("source", "column", "row"),
    [
        (_with(shop=["west", None, "west", "east", "east"]), "shop", 1),
        (_with(size=[3, 3, 3, np.nan, np.nan]), "size", 3),
        (replace(SOURCE, per_series=pd.DataFrame({"id": ["x", None]})), "id", 3),
        (replace(SOURCE, per_series=pd.DataFrame({"id": [1.0, np.inf]})), "id", 3),
    ],
)
def test_a_static_column_with_an_empty_cell_is_an_error_naming_the_place(source: Source, column: str, row: int) -> None:
    with pytest.raises(ValueError, match=f"static column must not have empty cells, got one in row {row}, column '{column}'"):
        assign(source, Columns(target=("a",), covariates=(), static=(column,)))


NAN = np.nan


def _gappy() -> Panel:
    rows = pd.DataFrame({"y": [1, NAN, 3, NAN, NAN, 1, 2, 3, NAN, NAN], "x": [NAN, 1, 1, NAN, NAN, 1, 1, 1, 1, NAN]})
    rows["k"] = [1, 1, NAN, 1, 1, 1, 1, 1, 1, NAN]
    source = replace(SOURCE, rows=rows, offsets=np.array([0, 5, 10]), per_series=pd.DataFrame())
    return assign(source, Columns(target=("y",), known=("k",)))


def test_rows_after_the_last_target_with_something_known_are_the_future_and_only_rows_with_nothing_are_missing() -> None:
    panel = _gappy()
    assert panel.history.tolist() == [3, 3]
    # y, x and k once each in the history; y, x and k of the very last row.
    assert panel.n_missing == 3 + 3


def test_without_known_columns_an_empty_end_is_missing() -> None:
    source = replace(SOURCE, rows=pd.DataFrame({"y": [1, 2, 3, 4, NAN]}), per_series=pd.DataFrame())
    assert assign(source, Columns()).n_missing == 1


@pytest.mark.parametrize("name", ["synthetic", "nyc_airports"])
def test_parts_work_for_named_sets_as_for_files(name: str) -> None:
    whole = datasets.get(name).read(None, Columns())
    first, second = whole.channels[:2]
    panel = datasets.get(name).read(None, Columns(target=(second,), known=(first,)))
    np.testing.assert_array_equal(panel.values[:, 0], whole.values[:, 1])
    np.testing.assert_array_equal(panel.known[:, 0], whole.values[:, 0])
    assert panel.covariate_names == whole.channels[2:]
    with pytest.raises(LookupError, match=f"no column is named 'nothing'; there are: .*{first}, {second}"):
        datasets.get(name).read(None, Columns(target=("nothing",)))
