"""What Python has in the place of JSON's values is taken for what it says."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.synthesizers import CTGAN, GaussianCopula

RNG = np.random.default_rng(4)
DAYS = np.datetime64("2020-01-01") + np.arange(400)
TABLE = pa.table(
    {
        "day": pa.array(RNG.choice(DAYS, 2000)),
        "at": pa.array(RNG.choice(DAYS, 2000).astype("M8[us]")),
        "price": pa.array([Decimal(cents) / 4 for cents in range(40)] * 50, pa.decimal128(8, 2)),
        "kind": pa.array(RNG.choice(["a", "b", "c"], 2000)),
        "count": pa.array(RNG.integers(0, 9, 2000)),
        "gap": pa.array(RNG.integers(0, 9, 2000), mask=RNG.random(2000) < 0.2),
    }
)


@pytest.fixture(scope="module")
def model():
    return GaussianCopula(seed=1).fit(TABLE)


@pytest.mark.parametrize(
    ("conditions", "as_written"),
    [
        ({"day": dt.date(2020, 5, 1)}, {"day": "2020-05-01"}),
        ({"day": {"max": dt.date(2020, 6, 1)}}, {"day": {"max": "2020-06-01"}}),
        ({"day": np.datetime64("2020-05-01")}, {"day": "2020-05-01"}),
        ({"at": {"min": dt.datetime(2020, 5, 1, 12)}}, {"at": {"min": "2020-05-01T12:00:00"}}),
        ({"at": {"max": pd.Timestamp("2020-05-01")}}, {"at": {"max": "2020-05-01T00:00:00"}}),
        ({"at": {"max": np.datetime64("2020-05-01", "ns")}}, {"at": {"max": "2020-05-01"}}),
        ({"price": Decimal("2.25")}, {"price": 2.25}),
        ({"gap": [Decimal(3), pd.NA, pd.NaT]}, {"gap": [3, None, None]}),
        ({"at": {"max": np.array(np.datetime64("2020-05-01", "ns"))}}, {"at": {"max": "2020-05-01"}}),
        ({"kind": ("a", "b")}, {"kind": ["a", "b"]}),
        ({"kind": {"b", "a"}}, {"kind": ["a", "b"]}),
        ({"kind": np.array(["a", "b"])}, {"kind": ["a", "b"]}),
        ({"count": np.array([3, 4])}, {"count": [3, 4]}),
        ({"count": {"min": np.int64(3)}}, {"count": {"min": 3}}),
    ],
)
def test_conditions_are_what_they_say(model, conditions, as_written):
    rows = model.sample(50, seed=2, conditions=conditions)

    assert rows.num_rows == 50
    assert rows.equals(model.sample(50, seed=2, conditions=as_written))


def test_shares_may_be_numpys(model):
    shares = {"kind": {"a": np.float64(0.5), "b": np.float32(0.5)}}

    kinds = model.sample(100, seed=1, distribution=shares)["kind"].to_pylist()

    assert (kinds.count("a"), kinds.count("b")) == (50, 50)


@pytest.mark.parametrize(("name", "keys"), [("is", (True, np.False_)), ("grade", (1, np.int64(2)))])
def test_shares_may_be_of_what_is_no_text(name, keys):
    values = [bool(n % 2) if name == "is" else n % 2 + 1 for n in range(200)]
    table = pd.DataFrame({name: pd.Series(values, dtype="category" if name == "grade" else None), "x": range(200)})

    drawn = GaussianCopula(seed=1).fit(table).sample(100, seed=1, distribution={name: dict.fromkeys(keys, 0.5)})

    counts = drawn[name].to_pylist()
    assert [counts.count(key) for key in keys] == [50, 50]


def test_moments_without_a_zone_are_of_the_clocks_that_the_column_shows():
    hours = pd.date_range("2023-03-01", periods=3000, freq="h", tz="America/New_York")
    model = GaussianCopula(seed=1).fit(pd.DataFrame({"at": hours, "x": range(3000)}))

    for bound in ("2023-06-10", pd.Timestamp("2023-06-10"), "2023-06-10T04:00:00Z"):
        rows = model.sample(200, seed=1, conditions={"at": {"min": bound, "max": "2023-06-10T23:00"}}).to_pandas()

        assert set(rows["at"].dt.date) == {dt.date(2023, 6, 10)}
        assert rows["at"].dt.hour.nunique() == 24


def test_times_of_day_are_asked_for_as_they_are_written():
    shown = [f"{n % 24:02}:{n % 60:02}" for n in range(2400)]
    model = GaussianCopula(seed=1).fit(pd.DataFrame({"at": shown, "x": range(2400)}))

    for asked in ({"min": "9:00", "max": "10:00:00"}, {"min": dt.time(9), "max": dt.time(10)}):
        times = model.sample(100, seed=1, conditions={"at": asked})["at"].to_pylist()

        assert all("09:00" <= time <= "10:00" for time in times)
    assert set(model.sample(9, seed=1, conditions={"at": "13:13"})["at"].to_pylist()) == {"13:13"}
    with pytest.raises(InvalidRequest, match="or a time of day such as 14:15"):
        model.sample(9, conditions={"at": "24:00 o'clock"})


def test_options_may_be_tuples_and_numpys():
    options = {"generator_dim": (64, 32), "epochs": np.int64(5), "refine": np.True_, "generator_lr": np.float64(1e-3)}

    assert CTGAN(**options).params == CTGAN(generator_dim=[64, 32], epochs=5, refine=True, generator_lr=1e-3).params


@pytest.mark.parametrize(
    "value", [object(), b"a", dt.timedelta(1), float("nan"), np.timedelta64(1, "D"), dt.datetime, 1j]
)
def test_what_json_has_no_word_for_is_refused(model, value):
    with pytest.raises(InvalidRequest, match=r"conditions\.kind"):
        model.sample(10, seed=1, conditions={"kind": value})
