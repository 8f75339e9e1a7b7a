"""Columns that nobody wishes for are learnt, or refused by name, by every synthesizer."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from tests.marks import TYPES, nightly_but
from tests.unit.synthesizers.conftest import given_model

ROWS = 300
RNG = np.random.default_rng(9)
NOISE = RNG.normal(size=ROWS)
SECONDS = RNG.integers(0, 10**6, ROWS)


def days_from(first: dt.date) -> pa.Array:
    return pa.array([first + dt.timedelta(int(day)) for day in RNG.integers(0, 300, ROWS)])


def decimals(type_: pa.DataType) -> pa.Array:
    with decimal.localcontext() as context:
        context.prec = 80
        digits = RNG.integers(10**3, 10 ** min(type_.precision, 15), ROWS)
        wide = 10 ** max(type_.precision - 15, 0)
        return pa.array([decimal.Decimal(int(n) * wide).scaleb(-type_.scale) for n in digits], type_)


def mostly_null(value: object, type_: pa.DataType | None = None) -> pa.Array:
    return pa.array([value] + [None] * (ROWS - 1), type_)


ENDS = RNG.permutation(np.repeat([-(2**63), 2**63 - 1, 0], ROWS // 3))
CAT, NUM, TIME, TEXT, ID = (
    ColumnKind.CATEGORICAL,
    ColumnKind.INTEGER,
    ColumnKind.DATETIME,
    ColumnKind.TEXT,
    ColumnKind.ID,
)
UGLY: dict[str, tuple[ColumnKind, pa.Array]] = {
    "int64 at its limits": (NUM, pa.array(ENDS)),
    "uint64 at its limits": (NUM, pa.array(ENDS.view(np.uint64))),
    "int8 at its limits": (NUM, pa.array(RNG.choice([-128, 127], ROWS), pa.int8())),
    "beyond 2**53": (NUM, pa.array(2**53 + 1 + 2 * RNG.integers(0, 50, ROWS), mask=NOISE > 1)),
    "1850": (TIME, days_from(dt.date(1850, 1, 1))),
    "9999": (TIME, days_from(dt.date(9999, 1, 1))),
    "year 1": (TIME, pa.array(-62_135_596_800 + SECONDS, pa.timestamp("s"))),
    "Kolkata": (TIME, pa.array(SECONDS * 10**9, pa.timestamp("ns", "Asia/Kolkata"))),
    "offset": (TIME, pa.array(SECONDS, pa.timestamp("s", "+05:30"))),
    "duration": (TIME, pa.array(SECONDS - 500_000, pa.duration("ms"))),
    "time of day": (TIME, pa.array(SECONDS % 86_400 * 10**9, pa.time64("ns"))),
    "decimal32": (ColumnKind.FLOAT, decimals(pa.decimal32(5, 2))),
    "decimal64": (ColumnKind.FLOAT, decimals(pa.decimal64(15, 4))),
    "decimal128": (ColumnKind.FLOAT, decimals(pa.decimal128(38, 10))),
    "decimal256": (ColumnKind.FLOAT, decimals(pa.decimal256(76, 0))),
    "negative scale": (ColumnKind.FLOAT, decimals(pa.decimal128(20, -3))),
    "constant decimal": (CAT, pa.array([decimal.Decimal("12345678901234567890.12")] * ROWS)),
    "negative zero": (ColumnKind.FLOAT, pa.array(np.where(NOISE > 0, -0.0, NOISE))),
    "NaN": (ColumnKind.FLOAT, pa.array(np.where(NOISE > 0.5, np.nan, NOISE))),
    "nothing but NaN": (ColumnKind.FLOAT, pa.array(np.full(ROWS, np.nan))),
    "half precision": (ColumnKind.FLOAT, pa.array(NOISE.astype(np.float16))),
    "one number": (ColumnKind.FLOAT, mostly_null(31_337.5)),
    "one moment": (TIME, mostly_null(dt.date(2020, 2, 2))),
    "one word": (CAT, mostly_null("Xanadu")),
    "one truth": (ColumnKind.BOOLEAN, mostly_null(True)),
    "no number": (ColumnKind.CONSTANT, pa.nulls(ROWS, pa.float64())),
    "no type": (ColumnKind.CONSTANT, pa.nulls(ROWS)),
    "constant or null": (ColumnKind.CONSTANT, pa.array(np.full(ROWS, 3.5), mask=NOISE > 1)),
    "a rare exception": (NUM, pa.array([7, *[5] * (ROWS - 1)])),
    "booleans with nulls": (ColumnKind.BOOLEAN, pa.array(NOISE > 0, mask=abs(NOISE) > 1)),
    "hardly ever true": (ColumnKind.BOOLEAN, pa.array(np.arange(ROWS) < 2)),
    "dictionary": (CAT, pa.array(RNG.choice(["x", "y"], ROWS)).cast(pa.dictionary(pa.int8(), pa.string()))),
    "dictionary with a null in it": (
        CAT,
        pa.DictionaryArray.from_arrays(pa.array(RNG.integers(0, 3, ROWS), pa.int8()), pa.array(["a", None, "b"])),
    ),
    "dictionary with a value twice": (
        CAT,
        pa.DictionaryArray.from_arrays(pa.array(RNG.integers(0, 3, ROWS), pa.int8()), pa.array(["a", "a", "b"])),
    ),
    "dictionary of decimals": (CAT, pa.array([decimal.Decimal(n) / 4 for n in range(3)] * 100).dictionary_encode()),
    "dictionary of rare numbers": (CAT, pa.array(NOISE).dictionary_encode()),
    "numbers as text": (TEXT, pa.array([f"{x:.2f}" for x in NOISE])),
    "codes with zeros": (ID, pa.array([f"{n:05}" for n in RNG.permutation(99_999)[:ROWS]])),
    "empty text": (CAT, pa.array(RNG.choice(["", "x"], ROWS))),
    "emoji": (CAT, pa.array(RNG.choice(["👨‍👩‍👧", "\u00e9", "e\u0301", "a,b\r\n"], ROWS))),
    "scattered ids": (ID, pa.array(RNG.permutation(10**7)[:ROWS])),
    "__proto__": (NUM, pa.array(np.arange(ROWS) % 50)),
    "a": (NUM, pa.array(np.arange(ROWS) % 50)),
    " a": (NUM, pa.array(np.arange(ROWS) % 50)),
    "A": (NUM, pa.array(np.arange(ROWS) % 50)),
    "\u00e9": (NUM, pa.array(np.arange(ROWS) % 50)),
    "e\u0301": (NUM, pa.array(np.arange(ROWS) % 50)),
    "": (NUM, pa.array(np.arange(ROWS) % 50)),
}
TABLE = pa.table({name: values for name, (_, values) in UGLY.items()})
COLUMNS = tuple(Column(name, kind) for name, (kind, _) in UGLY.items())
NEVER_BACK = {"one number", "one moment", "one word", "one truth", "nothing but NaN"}
FRESH = {"codes with zeros", "scattered ids"}
EPOCHS = {ModelType.CTGAN: 1, ModelType.COPULAGAN: 1, ModelType.TVAE: 1}


def quick(model_type: ModelType) -> dict:
    return {"refine": False} | ({"epochs": EPOCHS[model_type]} if model_type in EPOCHS else {})


@pytest.fixture(scope="module")
def ugly(model_type):
    return given_model(model_type, TABLE, COLUMNS, **quick(model_type))


@pytest.fixture(scope="module")
def rows(ugly):
    return ugly.sample(1500, seed=1)


class TestUglyColumns:
    def test_come_back_in_order_and_of_their_types(self, rows):
        rows.validate(full=True)
        assert rows.schema.equals(TABLE.schema)

    def test_come_back_inside_their_kth_extremes(self, rows):
        for name, (kind, values) in UGLY.items():
            if kind in (NUM, TIME) and name not in NEVER_BACK:
                ordered = values.drop_null().sort()
                made = rows[name].combine_chunks().drop_null().sort()
                assert pc.less_equal(ordered[4], made[0]).as_py(), name
                assert pc.less_equal(made[-1], ordered[-5]).as_py(), name

    def test_of_categories_hold_no_other_value(self, rows):
        for name, (kind, values) in UGLY.items():
            if kind in (CAT, ColumnKind.BOOLEAN) and name != "dictionary of rare numbers":
                assert set(rows[name].to_pylist()) <= {*values.to_pylist(), None}, name

    def test_are_null_where_fewer_than_k_rows_have_a_value(self, rows):
        for name in NEVER_BACK:
            assert rows[name].null_count == rows.num_rows, name

    def test_are_exact_at_the_limits_of_their_types(self, rows):
        for name in ("int64 at its limits", "uint64 at its limits", "int8 at its limits"):
            made = set(rows[name].to_pylist())
            assert {min(made), max(made)} == {pc.min(TABLE[name]).as_py(), pc.max(TABLE[name]).as_py()}, name
        assert {n % 2 for n in rows["beyond 2**53"].drop_null().to_pylist()} == {1}

    def test_keep_their_constants_and_lose_their_exceptions(self, rows):
        assert rows["constant decimal"].unique().to_pylist() == [decimal.Decimal("12345678901234567890.12")]
        assert rows["constant or null"].drop_null().unique().to_pylist() == [3.5]
        assert rows["a rare exception"].unique().to_pylist() == [5]
        assert True not in rows["hardly ever true"].to_pylist()

    def test_have_new_ids(self, rows):
        for name in FRESH:
            assert pc.count_distinct(rows[name]).as_py() == rows.num_rows
            assert not set(rows[name].to_pylist()) & set(TABLE[name].to_pylist())

    def test_come_back_from_a_file(self, ugly, rows, tmp_path):
        ugly.save(tmp_path / "ugly")

        assert load(tmp_path / "ugly").sample(1500, seed=1).equals(rows)


REFUSED = {
    "too few rows": (pa.table({"x": NOISE[:19]}), "too_few_rows"),
    "no rows": (pa.table({"x": pa.chunked_array([], pa.float64())}), "too_few_rows"),
    "no columns": (pa.table({}), "too_few_rows"),
    "infinite": (pa.table({"x": np.where(NOISE > 2, np.inf, NOISE)}), "non_finite"),
    "constantly infinite": (pa.table({"x": np.full(ROWS, np.inf)}), "non_finite"),
    "too large": (pa.table({"x": NOISE * 1e305}), "value_range"),
    "too small": (pa.table({"x": NOISE * 1e-310}), "value_range"),
    "a list": (pa.table({"x": [[1]] * ROWS}), "unsupported_type"),
    "a struct": (pa.table({"x": [{"a": 1}] * ROWS}), "unsupported_type"),
    "binary": (pa.table({"x": [b"x"] * ROWS}), "unsupported_type"),
    "a name twice": (pa.table([pa.array(NOISE), pa.array(NOISE)], names=["x", "x"]), "duplicate_column"),
    "a name twice in a frame": (pd.DataFrame([[1.0, 2.0]] * ROWS, columns=["x", "x"]), "duplicate_column"),
    "the year 148108": (pa.table({"x": pa.array([2**62] * ROWS, pa.timestamp("us"))}), "date_out_of_range"),
    "the last day of all": (
        pa.table({"x": pa.array([2**31 - 1] * ROWS, pa.int32()).view(pa.date32())}),
        "date_out_of_range",
    ),
    "Mars": (pa.table({"x": pa.array(SECONDS, pa.timestamp("s", "Mars/Phobos"))}), "unknown_timezone"),
    "four days ahead": (pa.table({"x": pa.array(SECONDS, pa.timestamp("s", "+99:00"))}), "unknown_timezone"),
    "nothing at all": (pa.table({"x": pa.nulls(ROWS, pa.float64())}), "no_usable_columns"),
    "nothing but ids": (pa.table({"id": [f"ID{n:05}" for n in range(ROWS)]}), "no_usable_columns"),
    "huge ids": (pa.table({"id": [10.0**30 + 10.0**20 * n for n in range(ROWS)], "y": NOISE}), "integer_out_of_range"),
}


# Before it matters which type is to learn it; `test_contract.py` asks each of them for some.
@pytest.mark.parametrize(("table", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_learnt_is_refused_by_name(table, code):
    columns = [Column("id", ID), Column("y", ColumnKind.FLOAT)] if code == "integer_out_of_range" else None

    with pytest.raises(InvalidTable) as caught:
        given_model(ModelType.GAUSSIAN_COPULA, table, columns)

    assert caught.value.code == code


@pytest.mark.parametrize("seed", range(4))
def test_one_infinite_value_is_refused_whoever_is_held_out(seed):
    table = pa.table({"x": np.where(np.arange(ROWS) == 3, np.inf, NOISE), "y": ["a", "b"] * (ROWS // 2)})

    with pytest.raises(InvalidTable, match="infinite"):
        given_model(ModelType.GAUSSIAN_COPULA, table, seed=seed, holdout_fraction=0.5)


OBJECTS = {
    "a path": ("penguins.csv", "A pandas DataFrame or a pyarrow Table is wanted, not a str."),
    "numbers and text": ([1, "a"] * 20, "Column 'odd' holds values that have no type in common"),
    "objects": ([object()] * 40, "Column 'odd' holds values that have no type in common"),
    "beyond 64 bits": ([2**70] * 40, "Column 'odd' holds values that have no type in common"),
    "complex": (np.arange(40) * 1j, "Column 'odd' holds complex numbers"),
    "half a character": (["\ud800"] * 40, "A name or a cell of the table is no Unicode"),
    "sparse": (pd.arrays.SparseArray([0, 1] * 20), "Column 'odd' is sparse; make it dense"),
}


@pytest.mark.parametrize(("given", "detail"), OBJECTS.values(), ids=OBJECTS.keys())
def test_what_no_table_is_made_of_is_said(given, detail):
    table = given if isinstance(given, str) else pd.DataFrame({"x": NOISE[:40], "odd": given})

    with pytest.raises(InvalidTable) as caught:
        given_model(ModelType.GAUSSIAN_COPULA, table)

    assert str(caught.value).startswith(detail)


@pytest.mark.parametrize(
    ("told", "detail"),
    [
        (Column("x", "colour"), "Column 'x' can be of no such kind: the kinds are integer, float"),
        ("x", "Columns are told as Column(name, kind), not as a str."),
        ({"name": "x"}, "Columns are told as Column(name, kind), not as a dict."),
    ],
)
def test_what_a_column_cannot_be_is_said(told, detail):
    with pytest.raises(InvalidTable) as caught:
        given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": NOISE}), [told])

    assert str(caught.value).startswith(detail)


def test_a_kind_may_be_told_as_a_word():
    codes = [f"{n:05}" for n in RNG.permutation(99_999)[:ROWS]]
    table = pa.table({"code": codes, "day": [f"2024-01-{1 + n % 28:02}" for n in range(ROWS)], "y": NOISE})

    model = given_model(ModelType.GAUSSIAN_COPULA, table, [Column("code", "id"), Column("day", "datetime")])

    assert [column.kind for column in model.learned_columns] == [ID, TIME, ColumnKind.FLOAT]


def test_the_shortest_table_is_learnt(model_type):
    table = pa.table({"x": NOISE[:20], "y": ["a", "b"] * 10, "when": days_from(dt.date(2020, 1, 1))[:20]})

    assert given_model(model_type, table, **quick(model_type)).sample(50, seed=1).schema.equals(table.schema)


@pytest.mark.parametrize("model_type", nightly_but({ModelType.CTGAN, ModelType.GAUSSIAN_COPULA}, ModelType))
def test_four_hundred_columns_are_learnt(model_type):
    table = pa.table({f"c{n}": NOISE if n % 3 else RNG.choice(["a", "b"], ROWS) for n in range(400)})

    rows = given_model(model_type, table, **quick(model_type)).sample(20, seed=1)

    assert rows.schema.equals(table.schema)


@pytest.mark.nightly
def test_hundreds_of_columns_are_refined():
    shared = RNG.normal(size=(ROWS, 4))
    table = pa.table({f"c{n}": shared[:, n % 4] + 0.1 * RNG.normal(size=ROWS) for n in range(200)})

    rows = given_model(ModelType.GAUSSIAN_COPULA, table, refine=True).sample(ROWS, seed=1)

    assert np.corrcoef(rows["c0"], rows["c4"])[0, 1] > 0.8
    assert abs(np.corrcoef(rows["c0"], rows["c1"])[0, 1]) < 0.4


@pytest.mark.parametrize("model_type", TYPES)
@pytest.mark.parametrize("most", [50, 1000])
def test_of_five_thousand_categories_every_one_may_come_back(model_type, most):
    names = np.repeat([f"c{n}" for n in range(5000)], 6)
    table = pa.table({"x": names, "y": np.resize(NOISE, len(names))})

    model = given_model(model_type, table, max_categories=most, holdout_fraction=0.0, **quick(model_type))

    assert set(model.sample(60_000, seed=1)["x"].to_pylist()) == set(names)
    assert model.codec.learnt[0].width == most + 1


def test_a_column_is_null_where_another_says_so(model_type):
    """As the salary of students who were not placed."""
    rng = np.random.default_rng(6)
    placed = rng.random(1500) < 0.6
    salary = pa.array(np.round(rng.normal(3000, 400, 1500)), mask=~placed)
    table = pa.table({"placed": placed, "salary": salary})
    enough = {ModelType.CTGAN: 10, ModelType.COPULAGAN: 10, ModelType.TVAE: 40}
    options = {"epochs": enough[model_type]} if model_type in enough else {}

    rows = given_model(model_type, table, **options).sample(4000, seed=1)

    agree = pc.equal(rows["placed"], rows["salary"].is_valid())
    assert pc.mean(agree).as_py() > 0.95
    assert rows["salary"].null_count / 4000 == pytest.approx(0.4, abs=0.04)
