"""Missing cells are drawn given the rest of their rows, and whatever is there stays."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidRequest, InvalidTable
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.text import TextCodec
from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.refining.imputation import conformed
from tests.unit.synthesizers.conftest import RARE, given_model, given_table

ROWS = 3000
LEARNT = ["city", "grade", "plan", "member", "age", "far", "amount", "weight", "price", "born", "seen"]


def given_pairs() -> pa.Table:
    """A place, its climate, a temperature that follows from both, and a gap where it is cold."""
    rng = np.random.default_rng(4)
    place = rng.integers(0, 4, ROWS)
    wet = rng.random(ROWS) < np.array([0.05, 0.3, 0.7, 0.95])[place]
    degrees = 5.0 * place - 6.0 * wet + rng.normal(0, 1, ROWS)
    visitors = pa.array(rng.poisson(50, ROWS), mask=degrees < 0)
    names = np.array(["north", "east", "south", "west"])[place]
    return pa.table({"place": names, "wet": wet, "degrees": degrees, "visitors": visitors})


def with_gaps(table: pa.Table, share: float = 0.3, seed: int = 1) -> pa.Table:
    """The table with cells of every column gone at random."""
    rng = np.random.default_rng(seed)
    places = np.arange(table.num_rows)
    # Taking a place that is null gives null.
    columns = [column.take(pa.array(places, mask=rng.random(len(places)) < share)) for column in table.columns]
    return pa.table(columns, names=table.column_names)


@pytest.fixture(scope="module")
def pairs():
    return given_pairs()


@pytest.fixture(scope="module")
def refined(pairs):
    return create(ModelType.GAUSSIAN_COPULA, {"seed": 3, "refine": True}).fit(pairs)


@pytest.fixture(scope="module")
def plain(pairs):
    return create(ModelType.GAUSSIAN_COPULA, {"seed": 3}).fit(pairs)


@pytest.fixture(scope="module", params=["refined", "plain"])
def of_pairs(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def gaps():
    return with_gaps(given_table()[0])


@pytest.fixture(scope="module")
def filled(model, gaps):
    return model.impute(gaps, seed=1)


class TestEveryType:
    def test_what_was_learnt_has_no_gap_and_the_types_stay(self, filled, gaps):
        assert filled.schema == gaps.schema
        assert {name: filled[name].null_count for name in LEARNT} == dict.fromkeys(LEARNT, 0)

    def test_what_is_there_stays(self, filled, gaps):
        for name in gaps.column_names:
            there = pc.is_valid(gaps[name])
            assert filled[name].filter(there).to_pylist() == gaps[name].filter(there).to_pylist(), name

    def test_a_rare_value_stays_and_is_never_drawn(self, filled, gaps):
        assert filled["city"].to_pylist().count(RARE) == gaps["city"].to_pylist().count(RARE)

    def test_ids_and_free_texts_are_not_made_up_and_a_constant_is_what_it_always_was(self, filled, gaps):
        for name in ("key", "code", "name", "note", "empty"):
            assert filled[name].null_count == gaps[name].null_count > 0
        assert filled["source"].unique().to_pylist() == ["web"]

    def test_the_same_seed_gives_the_same_cells_on_any_number_of_threads(self, model, gaps, filled):
        with one_blas_thread():
            again = model.impute(gaps, seed=1)

        assert again == filled
        assert model.impute(gaps, seed=2) != filled


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "7"])
def test_a_seed_is_checked_as_that_of_a_sample(of_pairs, pairs, seed):
    with pytest.raises(InvalidRequest, match="seed"):
        of_pairs.impute(pairs, seed=seed)


def test_cells_follow_from_the_others(of_pairs, pairs):
    gaps = with_gaps(pairs)

    filled = of_pairs.impute(gaps, seed=1)

    is_refined = of_pairs.params.refine
    gone = np.asarray(gaps["degrees"].is_null())
    truth, drawn = (np.asarray(table["degrees"])[gone] for table in (pairs, filled))
    # 0.65 of draws from the true conditional distribution, 0 of the column's own.
    assert np.corrcoef(truth, drawn)[0, 1] > (0.58 if is_refined else 0.4)
    gone = np.asarray(gaps["place"].is_null())
    truth, drawn = (np.asarray(table["place"].to_pylist())[gone] for table in (pairs, filled))
    assert (truth == drawn).mean() > (0.65 if is_refined else 0.45)


def test_columns_keep_their_distributions(of_pairs, pairs):
    filled = of_pairs.impute(with_gaps(pairs), seed=1)

    for name in ("place", "wet"):
        true, found = (
            dict(zip(*np.unique(table[name].to_pylist(), return_counts=True), strict=True)) for table in (pairs, filled)
        )
        assert max(abs(true[value] - found[value]) for value in true) < 0.04 * ROWS
    true, found = (np.quantile(np.asarray(table["degrees"]), [0.1, 0.5, 0.9]) for table in (pairs, filled))
    assert np.abs(true - found).max() < 0.6


def test_a_column_that_had_gaps_in_training_is_filled_too(of_pairs, pairs):
    assert pairs["visitors"].null_count > 300

    assert of_pairs.impute(pairs, seed=1)["visitors"].null_count == 0


def test_rows_with_nothing_in_them_are_like_the_table(of_pairs, pairs):
    nothing = pa.table([pa.nulls(ROWS, column.type) for column in pairs.columns], names=pairs.column_names)

    filled = of_pairs.impute(nothing, seed=1)

    wet = {
        name: np.mean(np.asarray(filled.filter(pc.equal(filled["place"], name))["wet"])) for name in ("north", "west")
    }
    assert wet["north"] < 0.25
    assert wet["west"] > 0.75


def test_chunks_are_filled_one_by_one(of_pairs, pairs):
    gaps = with_gaps(pairs)
    of_pairs.chunk_rows = 1000
    try:
        whole = of_pairs.impute(gaps, seed=1)
        second = of_pairs.impute_chunk(1, gaps.slice(1000, 1000), 1)
    finally:
        of_pairs.chunk_rows = 10_000

    assert whole.slice(1000, 1000) == second


def test_other_columns_orders_and_narrower_types_are_taken(of_pairs, pairs):
    gaps = with_gaps(pairs).select(["visitors", "degrees", "wet", "place"])
    gaps = gaps.append_column("remark", pa.nulls(ROWS, pa.string()))
    gaps = gaps.set_column(0, "visitors", gaps["visitors"].cast(pa.int16()))
    gaps = gaps.set_column(3, "place", pa.nulls(ROWS))

    filled = of_pairs.impute(gaps, seed=1)

    assert filled.column_names == gaps.column_names
    assert filled["remark"].null_count == ROWS
    assert filled["place"].null_count == filled["visitors"].null_count == 0


@pytest.mark.usefixtures("few_own_rows")
def test_a_data_frame_keeps_its_categories_of_numbers():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"size": pd.Categorical(rng.integers(36, 40, 200)), "price": rng.normal(size=200)})
    model = given_model(ModelType.GAUSSIAN_COPULA, frame, None)
    gaps = frame.assign(size=frame["size"].where(np.arange(200) % 3 > 0))

    filled = model.impute(gaps, seed=1)

    assert filled.schema.field("size").type == pa.dictionary(pa.int8(), pa.int64())
    assert filled["size"].null_count == 0
    there = pc.is_valid(pa.array(gaps["size"]))
    assert filled["size"].filter(there).to_pylist() == frame["size"].to_numpy()[there].tolist()


@pytest.mark.usefixtures("few_own_rows")
@pytest.mark.parametrize(
    ("own", "index"), [(0, pa.int8()), (80, pa.int8()), (120, pa.int32())], ids=["none", "some", "more than fit"]
)
@pytest.mark.parametrize("parts", [1, 2])
def test_a_dictionary_has_room_for_what_is_there_and_what_is_drawn(own, index, parts):
    frame = pd.DataFrame({"size": pd.Categorical(np.arange(600) % 40, ordered=True), "price": np.arange(600.0)})
    model = given_model(ModelType.GAUSSIAN_COPULA, frame, None)
    type_ = pa.dictionary(pa.int8(), pa.int64(), ordered=True)
    codes = pa.array([None if n % 5 == 0 else n % max(own, 1) for n in range(600)], pa.int8())
    sizes = pa.DictionaryArray.from_arrays(codes, pa.array(range(1000, 1000 + max(own, 1))), ordered=True)
    pieces = [sizes.slice(start, 600 // parts) for start in range(0, 600, 600 // parts)]
    table = pa.table({"size": pa.chunked_array(pieces, type_), "price": frame["price"]})

    filled = model.impute(table, seed=1)["size"]

    there = pc.is_valid(table["size"])
    assert filled.type == pa.dictionary(index, pa.int64(), ordered=True)
    assert filled.null_count == 0
    assert filled.filter(there).to_pylist() == table["size"].filter(there).to_pylist()
    assert max(filled.filter(pc.invert(there)).to_pylist()) < 40


@pytest.mark.usefixtures("few_own_rows")
@pytest.mark.parametrize("type_", [pa.int64(), pa.float64(), pa.dictionary(pa.int32(), pa.int64())], ids=str)
def test_numbers_are_taken_for_the_categories_of_a_data_frame(type_):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"size": pd.Categorical(rng.integers(36, 40, 200)), "price": rng.normal(size=200)})
    model = given_model(ModelType.GAUSSIAN_COPULA, frame, None)
    sizes = pa.array([36, None, 38, 50] * 5)

    filled = model.impute(pa.table({"size": arrow.as_type(sizes, type_), "price": np.zeros(20)}), seed=1)

    assert filled["size"].null_count == 0
    assert filled["size"].to_pylist()[2:4] == [38, 50]


def test_a_column_of_nothing_but_none_is_filled_whatever_it_holds(usual_model):
    table = given_table()[0].select(LEARNT)
    model = usual_model(ModelType.GAUSSIAN_COPULA)
    frame = given_table()[0].to_pandas().assign(**dict.fromkeys(LEARNT))

    filled = model.impute(frame, seed=1)

    assert filled.select(LEARNT).schema.types == table.schema.types
    assert {name: filled[name].null_count for name in LEARNT} == dict.fromkeys(LEARNT, 0)


@pytest.mark.parametrize("type_", [pa.decimal128(10, 0), pa.decimal128(4, 2), pa.decimal128(38, 0)], ids=str)
def test_decimals_are_taken_for_whole_numbers_where_they_are_some(of_pairs, pairs, type_):
    visitors = pa.array([Decimal(50), None, Decimal(7)] * 10, type_)
    gaps = pairs.slice(0, 30).set_column(3, "visitors", visitors)

    filled = of_pairs.impute(gaps, seed=1)["visitors"]

    assert filled.null_count == 0
    assert filled.to_pylist()[:3:2] == [50, 7]


@pytest.mark.usefixtures("few_own_rows")
def test_decimals_are_not_rounded_to_those_of_the_model():
    rng = np.random.default_rng(3)
    cents = pa.array([Decimal(int(n)) / 100 for n in rng.integers(100, 999, 200)], pa.decimal128(6, 2))
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"price": cents, "size": rng.normal(size=200)}), None)

    def filled(prices):
        return model.impute(pa.table({"price": prices, "size": [0.0] * 3}), seed=1)["price"].to_pylist()

    assert filled([2.3, None, 0.07])[::2] == [Decimal("2.30"), Decimal("0.07")]
    assert filled(pa.array([2.3, None, 0.07], pa.float32()))[::2] == [Decimal("2.30"), Decimal("0.07")]
    with pytest.raises(InvalidTable):
        filled([2.345, None, 1.239])


@pytest.mark.usefixtures("few_own_rows")
@pytest.mark.parametrize(("own", "given"), [(None, "Europe/Berlin"), ("Europe/Berlin", None)])
def test_what_clocks_show_is_not_taken_for_a_moment(own, given):
    rng = np.random.default_rng(3)
    seen = pa.array(rng.integers(0, 10**9, 200), pa.timestamp("s", own))
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"seen": seen, "size": rng.normal(size=200)}), None)
    gaps = pa.table({"seen": pa.array([5, None], pa.timestamp("s", given)), "size": [0.0, 1.0]})

    with pytest.raises(InvalidTable):
        model.impute(gaps, seed=1)


@pytest.mark.usefixtures("few_own_rows")
def test_half_floats_are_taken_for_categories_of_floats():
    rng = np.random.default_rng(3)
    table = pa.table({"size": rng.integers(0, 4, 200) / 2, "price": rng.normal(size=200)})
    columns = [Column("size", ColumnKind.CATEGORICAL), Column("price", ColumnKind.FLOAT)]
    model = given_model(ModelType.GAUSSIAN_COPULA, table, columns)
    gaps = pa.table({"size": pa.array(np.array([0.5, 1.5], np.float16)), "price": [0.0, None]})

    assert model.impute(gaps, seed=1)["size"].to_pylist() == [0.5, 1.5]


def test_what_is_made_afresh_is_not_drawn_to_learn_from(monkeypatch):
    """Its texts may be long, and it tells nothing but where it is missing."""
    columns = [Column("note", ColumnKind.TEXT), Column("wet", ColumnKind.BOOLEAN), Column("size", ColumnKind.FLOAT)]
    rng = np.random.default_rng(3)
    wet = rng.random(400) < 0.5
    notes = pa.array(["it rained all day long"] * 400, mask=wet)
    table = pa.table({"note": notes, "wet": wet, "size": rng.normal(size=400)})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, columns)
    gaps = table.set_column(1, "wet", pa.nulls(400, pa.bool_()))
    expected = model.impute(gaps, seed=1)

    model._forget("_dependencies")
    monkeypatch.setattr(TextCodec, "make", None)  # to call it would fail

    assert model.impute(gaps, seed=1) == expected
    assert pc.mean(pc.equal(expected["wet"], pa.array(wet)).cast(pa.int8())).as_py() > 0.7


def test_values_that_were_never_seen_stay(of_pairs, pairs):
    gaps = with_gaps(pairs)
    gaps = gaps.set_column(0, "place", pa.array(["moon"] * ROWS)).set_column(2, "degrees", pa.array([1e9] * ROWS))

    filled = of_pairs.impute(gaps, seed=1)

    assert filled["place"] == gaps["place"]
    assert filled["degrees"] == gaps["degrees"]
    assert filled["wet"].null_count == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda table: table.drop_columns(["wet"]), "'wet'"),
        (lambda table: table.append_column("wet", table["wet"]), "'wet'"),
        (lambda table: table.set_column(2, "degrees", table["place"]), "'degrees' is string"),
        (lambda table: table.set_column(3, "visitors", pa.array([0.5] * ROWS)), "'visitors' is double"),
        (lambda table: table.set_column(3, "visitors", pa.array([Decimal("0.5")] * ROWS)), "'visitors' is decimal"),
    ],
)
def test_another_table_is_refused_without_its_cells(of_pairs, pairs, change, named):
    with pytest.raises(InvalidTable) as refused:
        of_pairs.impute(change(pairs), seed=1)

    assert refused.value.code == "column_mismatch"
    assert named in refused.value.detail
    assert "north" not in refused.value.detail


def test_an_empty_table_stays_one(of_pairs, pairs):
    assert of_pairs.impute(pairs.slice(0, 0)) == pairs.slice(0, 0)


def test_a_single_column_is_filled_by_its_frequencies():
    table = pa.table({"coin": ["heads"] * 700 + ["tails"] * 300})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)

    filled = model.impute(pa.table({"coin": pa.nulls(ROWS, pa.string())}), seed=1)

    assert 0.65 < filled["coin"].to_pylist().count("heads") / ROWS < 0.75


def test_a_column_that_is_nearly_empty_is_filled_with_numbers_of_its_range():
    """So nearly that a sample of the model's own rows holds none of its numbers."""
    rows = 400_000
    rng = np.random.default_rng(5)
    table = pa.table(
        {"half": rng.normal(size=rows), "rare": pa.array(np.arange(rows) % 5 + 7.0, mask=np.arange(rows) >= 5)}
    )
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None, holdout_fraction=0.0)

    filled = model.impute(table.slice(0, 200), seed=1)

    assert filled["rare"].null_count == 0
    assert 7 <= pc.min(filled["rare"]).as_py() <= pc.max(filled["rare"]).as_py() <= 11


@pytest.mark.usefixtures("few_own_rows")
def test_a_nan_is_a_gap_and_so_is_the_text_that_stands_for_one():
    """In training one column had no gap, the other had blanks."""
    rng = np.random.default_rng(6)
    written = [" " if n % 10 == 0 else str(n * 37 % 701) for n in range(1000)]
    whole = pa.table({"weight": rng.normal(size=1000), "size": rng.normal(size=1000), "written": written})
    model = given_model(ModelType.GAUSSIAN_COPULA, whole, None)
    gaps = whole.set_column(0, "weight", pa.array(np.where(rng.random(1000) < 0.5, np.nan, 1.0)))

    filled = model.impute(gaps, seed=1)

    assert [column.kind for column in model.codec.columns] == ["number"] * 3
    assert not np.isnan(filled["weight"].to_numpy()).any()
    assert filled["weight"].null_count == 0
    assert all(text.isdigit() for text in filled["written"].to_pylist())
    there = pc.not_equal(gaps["written"], " ")
    assert filled["written"].filter(there) == gaps["written"].filter(there)


def test_text_that_is_no_number_is_refused_without_it():
    table = pa.table({"written": [str(n * 37 % 701) for n in range(1000)], "half": np.arange(1000) / 2})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)

    with pytest.raises(InvalidTable) as refused:
        model.impute(table.set_column(0, "written", pa.array(["secret"] * 1000)))

    assert refused.value.code == "column_mismatch"
    assert "secret" not in refused.value.detail


def test_nothing_follows_from_a_value_that_the_model_does_not_know(refined, pairs):
    rows = pairs.set_column(1, "wet", pa.nulls(ROWS, pa.bool_()))
    unknown, missing = (rows.set_column(0, "place", values) for values in (pa.array(["moon"] * ROWS), pa.nulls(ROWS)))

    filled, expected = (refined.impute(table, seed=1) for table in (unknown, missing))

    # Each row as likely wet as one whose place is missing: by its degrees and visitors alone.
    wet = [np.asarray(table["wet"]) for table in (filled, expected)]
    degrees = np.asarray(pairs["degrees"])
    for low, high in ((-5, 0), (0, 5), (5, 10)):
        inside = (degrees > low) & (degrees < high)
        assert abs(wet[0][inside].mean() - wet[1][inside].mean()) < 0.08


def test_text_that_an_upload_took_for_numbers_is_the_models_text_again():
    """Its other rows hold words in training, and none in the table to fill."""
    flags, sums, days = ["TRUE", "FALSE", "MAYBE"], ["1.50", "2.50", "n.v."], ["01.02.2020", "03.02.2020", "soon"]
    table = pa.table({"flag": flags * 60, "sum": sums * 60, "day": days * 60, "twin": ["1", "1.0", "x"] * 60})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)
    day = pa.array([18293, None, 18295], pa.date32())
    given = pa.table({"flag": [True, False, None], "sum": [None, 2.5, 7.25], "day": day, "twin": [1.0, 2.0, 1.0]})
    written = [Column("day", ColumnKind.DATETIME, format="%d.%m.%Y")]

    rows = conformed(given, model.codec, written)

    assert rows.to_pydict() == {
        "flag": ["TRUE", "FALSE", None],
        "sum": [None, "2.50", "7.25"],
        "day": ["01.02.2020", None, "03.02.2020"],
        "twin": ["1", "2", "1"],
    }
    known = {column.name: (~column.is_unknown(rows[column.name])).tolist() for column in model.codec.learnt}
    assert known == {
        "flag": [True, True, True],
        "sum": [True, True, False],
        "day": [True, True, True],
        "twin": [True, False, True],
    }


@pytest.mark.usefixtures("few_own_rows")
def test_floats_stay_as_exact_as_they_are_and_filled_ones_have_the_models_digits():
    narrow = (np.arange(500) % 100 / 10).astype(np.float32)
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": narrow, "y": np.arange(500) % 7}), None)

    filled = model.impute(pa.table({"x": [16777217.0, None, 0.123456789] * 50, "y": [1, 2, 3] * 50}), seed=1)

    assert filled["x"].type == pa.float64()
    assert filled["x"].to_pylist()[::3] == [16777217.0] * 50
    assert filled["x"].to_pylist()[2::3] == [0.123456789] * 50
    assert all(round(value, 1) == value for value in filled["x"].to_pylist()[1::3])


@pytest.mark.parametrize(
    ("cells", "of_model"),
    [
        (pa.array([datetime(2020, 1, 1, 10)] * 9), pa.array([date(2020, 1, n % 28 + 1) for n in range(500)])),
        (pa.array(["007"] * 9), pa.array([n % 50 for n in range(500)])),
        (pa.array([20_200_101] * 9), pa.array([datetime(2020, 1, n % 28 + 1) for n in range(500)])),
        (pa.array([datetime(2020, 1, 1)] * 9), pa.array([n % 50 for n in range(500)])),
        (pa.array([0, 1, 850] * 3), pa.array([n % 3 == 0 for n in range(500)])),
        (pa.array([True, False, None] * 3), pa.array([n % 50 for n in range(500)])),
    ],
)
def test_cells_that_would_become_others_are_refused(cells, of_model):
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": of_model, "y": np.arange(500) % 7}), None)

    with pytest.raises(InvalidTable) as refused:
        model.impute(pa.table({"x": cells, "y": range(9)}))

    assert refused.value.code == "column_mismatch"


def test_flags_that_are_written_as_numbers_are_flags():
    flags = pa.array([n % 3 == 0 for n in range(500)])
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": flags, "y": np.arange(500) % 7}), None)

    rows = conformed(pa.table({"x": [0, 1, None], "y": [1, 2, 3]}), model.codec)

    assert rows["x"].to_pylist() == [False, True, None]


@pytest.mark.usefixtures("few_own_rows")
def test_whole_floats_with_nan_are_the_integers_that_pandas_had_gaps_in():
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": np.arange(500) % 50, "y": np.arange(500) % 7}), None)

    filled = model.impute(pa.table({"x": [1.0, float("nan"), 3.0] * 9, "y": range(27)}), seed=1)

    assert filled["x"].type == pa.int64()
    assert filled["x"].to_pylist()[::3] == [1] * 9
    assert filled["x"].null_count == 0


@pytest.mark.usefixtures("few_own_rows")
def test_a_second_fit_forgets_what_columns_said_in_the_first():
    def a_table(name: str, middle: float) -> pa.Table:
        numbers = np.random.default_rng(0).normal(middle, 1, 200)
        return pa.table({name: numbers, "sign": np.where(numbers > middle, "+", "-")})

    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1}).fit(a_table("x", 0))
    model.impute(pa.table({"x": pa.array([None], pa.float64()), "sign": ["+"]}))
    model.fit(a_table("y", 1000))

    filled = model.impute(pa.table({"y": pa.array([None] * 50, pa.float64()), "sign": ["+", "-"] * 25}), seed=1)

    values = np.array(filled["y"].to_pylist())
    assert (values[::2] > values[1::2]).mean() > 0.9
    assert len(set(values)) > 25


@pytest.mark.usefixtures("few_own_rows")
def test_a_column_that_may_have_no_nulls_is_taken_and_stays_so():
    schema = pa.schema([pa.field("x", pa.float64(), nullable=False), pa.field("c", pa.string())])
    table = pa.table([np.arange(100.0), ["a", "b"] * 50], schema=schema)
    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1}).fit(table)

    for rows in (table, table.slice(0, 0)):
        assert model.impute(rows, seed=1).equals(rows)
        assert model.impute(rows, seed=1).schema == schema
