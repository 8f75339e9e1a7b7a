"""Every Arrow type that may be learnt comes back as it was."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.columns import arrow
from tests.unit.synthesizers.conftest import given_model

ROWS = 300
RNG = np.random.default_rng(1)
WHOLE = RNG.permutation(np.arange(ROWS) % 100)
WORDS = RNG.choice(["x", "y", "z"], ROWS)
TRUTHS = pa.array(WHOLE % 2 == 0)

NUMBERS = [
    *[pa.array(WHOLE, type_) for type_ in arrow.INTEGERS],
    *[pa.array((WHOLE / 100).astype(type_.to_pandas_dtype())) for type_ in arrow.FLOATS],
    pa.array(WHOLE / 100).cast(pa.decimal128(10, 2)),
    pa.array(WHOLE / 100).cast(pa.decimal256(20, 5)),
    *[arrow.of_integers(WHOLE * (86_400_000 if t == pa.date64() else 1), t) for t in arrow.MOMENTS],
    pa.array(WHOLE * 3600, pa.timestamp("s", "Asia/Tokyo")),
    pa.array(WHOLE * 3600, pa.timestamp("ns", "+05:30")),
]
CATEGORIES = [
    *[pa.array(WORDS).cast(type_) for type_ in arrow.TEXTS],
    pa.array(WORDS).dictionary_encode(),
    pa.array(WORDS).cast(pa.large_string()).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.large_string())),
    pa.array(WHOLE % 3, pa.int16()).dictionary_encode(),
    pa.array(WHOLE % 3, pa.uint8()),
    pa.array((WHOLE % 3) / 2, pa.float32()),
    TRUTHS,
]


def sampled(array: pa.Array, kind: ColumnKind, model_type=ModelType.TVAE, rows: int = 200, **column) -> pa.ChunkedArray:
    model = given_model(model_type, pa.table({"x": array}), (Column("x", kind, **column),))
    return model.sample(rows, seed=1)["x"]


@pytest.mark.parametrize("array", NUMBERS, ids=lambda array: str(array.type))
def test_numbers_keep_their_type_and_grid(array):
    kind = ColumnKind.FLOAT if arrow.is_real(array.type) else ColumnKind.INTEGER

    rows = sampled(array, kind)

    assert rows.type == array.type
    assert set(rows.cast(pa.string()).to_pylist()) <= set(array.cast(pa.string()).to_pylist())


@pytest.mark.parametrize("scale", [9, 18])
def test_cents_are_cents_however_wide_their_type(scale):
    cents = [Decimal(int(n)).scaleb(-2) for n in RNG.integers(10**10, 10**12, ROWS)]
    asked = pa.array([*cents, *[cents[0]] * 50], pa.decimal128(38, scale))
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": asked}), (Column("x", ColumnKind.FLOAT),))

    rows = model.sample(300, seed=1)["x"].to_pylist()
    fixed = model.sample(20, seed=1, conditions={"x": float(cents[0])})["x"].to_pylist()

    assert all(value == round(value, 2) for value in rows)
    assert set(fixed) == {cents[0]}


def test_decimals_stay_exact_beside_numbers_too_large_to_be_counted_in_their_last_one():
    values = [Decimal("0.1"), Decimal("0.0000000003"), Decimal("1234567.8")]
    array = pa.array(values * (ROWS // 3), pa.decimal128(38, 18))

    assert set(sampled(array, ColumnKind.FLOAT).to_pylist()) == set(array.to_pylist())


@pytest.mark.parametrize(
    "type_", [pa.decimal128(16, 0), pa.decimal128(38, 0), pa.decimal256(20, 0), pa.decimal64(17, 0)]
)
def test_whole_numbers_in_decimals_are_exact_beyond_those_of_floats(type_):
    values = [Decimal(2**53 + 1), Decimal(9_999_999_999_999_999), Decimal(0)]
    table = pa.table({"x": pa.array(values * (ROWS // 3)).cast(type_), "y": WHOLE})
    model = given_model(
        ModelType.GAUSSIAN_COPULA, table, (Column("x", ColumnKind.FLOAT), Column("y", ColumnKind.INTEGER))
    )

    rows = model.sample(200, seed=1)
    gaps = pa.table({"x": pa.array([None, values[0]], type_), "y": [1, 2]})

    assert rows["x"].type == type_
    assert set(rows["x"].to_pylist()) == set(values)
    assert set(model.sample(9, seed=1, conditions={"x": 2**53 + 1})["x"].to_pylist()) == {values[0]}
    assert model.impute(gaps, seed=1)["x"].to_pylist()[1] == values[0]


def test_categories_of_decimals_that_no_float_equals_are_in_order():
    values = [Decimal("0.10"), Decimal("12345678901234567.89"), Decimal("3.00")]
    array = pa.array(values * (ROWS // 3), pa.decimal128(20, 2))

    rows = sampled(array, ColumnKind.CATEGORICAL)

    assert set(rows.to_pylist()) == set(values)


def test_a_zero_is_one_category_whatever_its_sign():
    array = pa.array([0.0, -0.0, 1.5] * (ROWS // 3))

    model = given_model(ModelType.TVAE, pa.table({"x": array}), (Column("x", ColumnKind.CATEGORICAL),))
    rows = model.sample(50, seed=1, conditions={"x": 0.0})["x"].to_pylist()

    assert model.learned_columns[0].categories == (0.0, 1.5)
    assert {math.copysign(1, value) for value in rows} == {1.0}


@pytest.mark.usefixtures("few_own_rows")
def test_a_narrow_float_is_asked_for_and_found_as_rows_show_it():
    tenths = np.array([0.1, 0.2, 0.3], np.float32)[WHOLE % 3]
    table = pa.table({"x": tenths, "same": np.full(ROWS, 0.1, np.float32), "y": pa.array(WHOLE % 3 == 0)})
    columns = [Column("x", ColumnKind.CATEGORICAL), Column("same", ColumnKind.CONSTANT)]
    model = given_model(ModelType.GAUSSIAN_COPULA, table, columns)

    rows = model.sample(20, seed=1, conditions={"x": 0.1, "same": 0.1})
    wide = pa.table({"x": pa.array([0.1, None, 0.3, 0.15]), "same": [0.1] * 4, "y": [None, True, None, None]})

    assert set(model.learned_columns[0].categories) == {0.1, 0.2, 0.3}
    assert set(rows["x"].to_pylist()) == {float(tenths[WHOLE % 3 == 0][0])}
    assert model.codec.learnt[0].is_unknown(wide["x"]).tolist() == [False, False, False, True]
    assert model.impute(wide, seed=1)["y"].to_pylist()[0] is True


@pytest.mark.parametrize("array", CATEGORIES, ids=lambda array: str(array.type))
def test_categories_keep_their_type_and_values(array):
    rows = sampled(array, ColumnKind.CATEGORICAL)

    assert rows.type == array.type
    assert set(rows.to_pylist()) <= set(array.to_pylist())


@pytest.mark.parametrize(
    "type_", [pa.float16(), pa.decimal32(5, 2), pa.decimal64(12, 2), pa.decimal256(40, 2)], ids=str
)
@pytest.mark.parametrize("kind", [ColumnKind.FLOAT, ColumnKind.CATEGORICAL, ColumnKind.CONSTANT])
def test_narrow_numbers_with_gaps_keep_their_type(type_, kind):
    numbers = [Decimal(place % (1 if kind is ColumnKind.CONSTANT else 3)) / 4 for place in range(ROWS)]
    array = pa.array(map(float, numbers), pa.float16()) if type_ == pa.float16() else pa.array(numbers, type_)
    array = array.take(pa.array(np.arange(ROWS), mask=WHOLE < 20))

    rows = sampled(array, kind, ModelType.GAUSSIAN_COPULA)

    assert rows.type == type_
    assert set(rows.to_pylist()) == {*array.to_pylist()}


@pytest.mark.usefixtures("few_own_rows")
def test_gaps_of_narrow_decimals_are_filled_in_some_chunks_and_not_in_others():
    table = pa.table({"x": pa.array([Decimal(int(cents)) / 100 for cents in WHOLE], pa.decimal32(5, 2))})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)
    model.chunk_rows = 100
    gaps = table.take(pa.array(np.arange(ROWS), mask=np.arange(ROWS) < 10))

    filled = model.impute(gaps, seed=1)["x"]

    assert filled.type == pa.decimal32(5, 2)
    assert filled.null_count == 0


@pytest.mark.usefixtures("few_own_rows")
@pytest.mark.parametrize("model_type", [ModelType.TVAE, ModelType.GAUSSIAN_COPULA])
@pytest.mark.parametrize("most", [2, 1000])
@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "listed"])
def test_categories_of_a_data_frame_keep_their_order(model_type, most, ordered, tmp_path):
    """Most are mid, then high, then low; nobody is tiny."""
    sizes = ["tiny", "low", "mid", "high"]
    frame = pd.DataFrame({"size": RNG.choice(sizes, ROWS, p=[0, 0.1, 0.6, 0.3]), "step": (WHOLE % 3) / 2})
    frame["size"] = pd.Categorical(frame["size"], sizes, ordered=ordered)
    frame["step"] = pd.Categorical(frame["step"], [1.0, 0.5, 0.0], ordered=ordered)
    given_model(model_type, frame, None, max_categories=most).save(tmp_path / "model")
    model = load(tmp_path / "model")

    rows = model.sample(300, seed=1).to_pandas()
    gaps = frame.assign(size=frame["size"].where(WHOLE % 2 == 0))
    filled = model.impute(gaps, seed=1).to_pandas()

    assert rows["size"].cat.categories.tolist() == ["low", "mid", "high"]
    assert rows["step"].cat.categories.tolist() == [1.0, 0.5, 0.0]
    assert {rows["size"].cat.ordered, rows["step"].cat.ordered} == {ordered}
    assert filled.dtypes.equals(frame.dtypes)
    assert rows["size"].isin(["mid", "high"]).mean() == pytest.approx(0.9, abs=0.07)
    assert (filled["size"] == frame["size"])[WHOLE % 2 == 0].all()


@pytest.mark.usefixtures("few_own_rows")
def test_unsigned_indices_tell_twice_as_many_categories_apart():
    type_ = pa.dictionary(pa.uint8(), pa.string())
    words = pa.array([f"w{n % 200}" for n in range(2000)]).dictionary_encode().cast(type_)
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": words, "y": range(2000)}), None)
    gaps = pa.table({"x": words.take(pa.array([None, 1, 199])), "y": [1, 2, 3]})

    assert model.sample(300, seed=1)["x"].type == type_
    assert model.impute(gaps, seed=1)["x"].type == type_


@pytest.mark.parametrize("digits", [0, 2])
def test_decimals_in_a_dictionary_that_too_few_rows_share_stay_decimals(digits, tmp_path):
    values = [Decimal(int(n)).scaleb(-digits) for n in RNG.permutation(ROWS) // 3 * 7]
    prices = pa.array(values, pa.decimal128(10, 2)).dictionary_encode()
    given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": prices, "y": WHOLE}), None).save(tmp_path / "model")

    rows = load(tmp_path / "model").sample(100, seed=1)["x"]

    assert rows.type == prices.type
    assert all(value == round(value, digits) for value in rows.to_pylist())


@pytest.mark.parametrize("index", [pa.int8(), pa.int16(), pa.int32()], ids=str)
@pytest.mark.parametrize("kind", [ColumnKind.ID, ColumnKind.TEXT])
def test_a_dictionary_has_room_for_all_values_that_are_made_up(kind, index):
    names = [f"T{n % 120 * 7919:08}" for n in range(ROWS)]
    type_ = pa.dictionary(index, pa.string(), ordered=True)
    table = pa.table({"x": pa.array(names).dictionary_encode().cast(type_), "y": WHOLE})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, (Column("x", kind), Column("y", ColumnKind.INTEGER)))

    rows = model.sample(60_000, seed=1)["x"]

    assert len(rows.unify_dictionaries().chunk(0).dictionary) > 2**15
    assert rows.to_pandas().notna().all()
    assert not rows.type.ordered  # what is made up has no place in it


def test_ordered_numbers_that_too_few_rows_share_come_back_without_an_order():
    frame = pd.DataFrame({"x": pd.Categorical(RNG.permutation(ROWS) // 3 * 7, ordered=True)})

    rows = given_model(ModelType.GAUSSIAN_COPULA, frame, None).sample(50, seed=1).to_pandas()["x"]

    assert rows.dtype.categories.dtype == np.int64
    assert not rows.cat.ordered


@pytest.mark.parametrize("type_", [*arrow.TEXTS, pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize("kind", [ColumnKind.ID, ColumnKind.TEXT, ColumnKind.CONSTANT])
def test_fresh_columns_keep_their_type(type_, kind):
    texts = ["same"] * ROWS if kind is ColumnKind.CONSTANT else [f"T{n:04}" for n in range(ROWS)]
    table = pa.table({"x": pa.array(texts).cast(type_), "y": WHOLE})
    columns = (Column("x", kind), Column("y", ColumnKind.INTEGER))

    rows = given_model(ModelType.GAUSSIAN_COPULA, table, columns).sample(50, seed=1)

    assert rows.schema.equals(table.schema)


@pytest.mark.parametrize("year", [1, 1850, 9999])
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_moments_of_any_year_come_back(year, unit):
    days = [dt.datetime(year, 1, 1) + dt.timedelta(days=int(day)) for day in WHOLE]

    rows = sampled(pa.array(days, pa.timestamp(unit)), ColumnKind.DATETIME)

    assert set(rows.to_pylist()) <= set(days)


@pytest.mark.parametrize("year", [1850, 2001])
def test_the_ends_that_are_told_of_nanoseconds_can_be_asked_for(year):
    start = (year - 1970) * 31_556_952 * 10**9
    table = pa.table({"x": pa.array(start + WHOLE * 1_234_567_891, pa.timestamp("ns")), "y": WHOLE})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)
    first, last = model.learned_columns[0].minimum, model.learned_columns[0].maximum

    asked = [model.sample(5, seed=1, conditions={"x": {end: day}})["x"] for end, day in (("max", first), ("min", last))]

    assert [len(rows.unique()) for rows in asked] == [1, 1]


def test_a_moment_is_asked_for_to_the_nanosecond():
    moments = pa.array(123_456_789 + (WHOLE % 3) * 1000, pa.timestamp("ns"))
    table = pa.table({"x": moments, "y": WHOLE})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)

    exact = model.sample(5, seed=1, conditions={"x": "1970-01-01T00:00:00.123457789"})["x"]
    above = model.sample(50, seed=1, conditions={"x": {"min": "1970-01-01T00:00:00.123457790"}})["x"]

    assert set(exact.cast(pa.int64()).to_pylist()) == {123_457_789}
    assert set(above.cast(pa.int64()).to_pylist()) == {123_458_789}


def test_a_dictionary_is_learnt_whose_chunks_have_more_values_together_than_its_index_tells_apart():
    type_ = pa.dictionary(pa.int8(), pa.string())
    chunks = [pa.array([f"{part}{n % 100}" for n in range(1000)]).dictionary_encode().cast(type_) for part in "ab"]
    hours = np.arange(2000) * 3_600
    dates = {"at": pa.array(hours, pa.timestamp("s")), "until": pa.array(hours + 60, pa.timestamp("s"))}
    table = pa.table({"x": pa.chunked_array(chunks), "y": hours % 86_400} | dates)

    rows = given_model(ModelType.GAUSSIAN_COPULA, table, None).sample(3000, seed=1)["x"]

    assert rows.type == pa.dictionary(pa.int32(), pa.string())
    assert len(rows.unique()) == 200


def test_a_format_without_a_time_gives_whole_days():
    moments = pa.array(WHOLE * 86_400, pa.timestamp("s"))

    rows = sampled(moments, ColumnKind.DATETIME, format="%Y-%m-%d")

    assert (
        pc.sum(
            pc.subtract(rows.cast(pa.int64()), pc.multiply(pc.divide(rows.cast(pa.int64()), 86_400), 86_400))
        ).as_py()
        == 0
    )


def test_integers_are_exact_at_both_limits():
    ends = pa.array([-(2**63)] * 50 + [2**63 - 1] * 50)

    assert set(sampled(ends, ColumnKind.INTEGER).to_pylist()) <= {-(2**63), 2**63 - 1}


def test_unsigned_integers_are_exact_at_their_limit():
    high = pa.array(np.uint64(2**64 - 1) - (WHOLE % 3).astype(np.uint64))

    assert set(sampled(high, ColumnKind.INTEGER).to_pylist()) <= {2**64 - 1, 2**64 - 2, 2**64 - 3}


@pytest.mark.parametrize("model_type", list(ModelType))
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_floats_of_any_size_are_learnt(scale, model_type):
    floats = RNG.normal(size=ROWS) * scale

    rows = sampled(pa.array(floats), ColumnKind.FLOAT, model_type).to_numpy()

    assert np.isfinite(rows).all()
    assert floats.min() <= rows.min() < rows.max() <= floats.max()


def test_of_floats_too_small_to_be_computed_with_a_few_larger_ones_make_zeros():
    floats = RNG.normal(size=ROWS) * 1e-310
    floats[:4] = 1

    assert set(sampled(pa.array(floats), ColumnKind.FLOAT).to_pylist()) == {0.0}


def test_nan_is_null():
    rows = sampled(pa.array([float("nan"), 1.0, 2.5] * 40), ColumnKind.FLOAT, nullable=True)

    assert 0 < rows.null_count < len(rows)
    assert not np.isnan(rows.drop_null().to_numpy()).any()


def test_a_column_of_rare_categories_gives_fresh_text():
    names = [f"only once {n}" for n in range(ROWS)]

    rows = given_model(
        ModelType.GAUSSIAN_COPULA,
        pa.table({"x": names, "y": WHOLE}),
        (Column("x", ColumnKind.CATEGORICAL), Column("y", ColumnKind.INTEGER)),
    ).sample(100, seed=1)["x"]

    assert not set(rows.to_pylist()) & set(names)


def test_of_many_categories_the_tail_comes_back_by_its_frequency():
    values = np.repeat([f"v{n}" for n in range(40)], 10).tolist() + ["big"] * 400

    model = given_model(
        ModelType.GAUSSIAN_COPULA, pa.table({"x": values}), (Column("x", ColumnKind.CATEGORICAL),), max_categories=3
    )
    rows = model.sample(8000, seed=1)["x"].to_pylist()

    assert set(rows) == set(values)
    assert rows.count("big") == pytest.approx(4000, rel=0.1)
    assert rows.count("v39") == pytest.approx(100, rel=0.5)
    assert model.codec.learnt[0].width == 4
    assert set(model.sample(50, seed=1, conditions={"x": ["v38", "v39"]})["x"].to_pylist()) == {"v38", "v39"}


@pytest.mark.parametrize("array", [TRUTHS, TRUTHS.dictionary_encode()], ids=["plain", "dictionary"])
def test_a_boolean_cannot_be_an_id(array):
    with pytest.raises(InvalidTable):
        sampled(array, ColumnKind.ID)
