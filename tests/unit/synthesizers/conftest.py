import datetime as dt
import decimal
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers import base
from synthgen_ray.synthesizers.base import Synthesizer, create
from tests.unit.synthesizers.tables_of_moments import MODELS, trips

torch.set_num_threads(1)

NETS = {"generator_dim": [32], "discriminator_dim": [32], "embedding_dim": 16, "batch_size": 100}
# What makes a training short, where its defaults do not.
SMALL: dict[ModelType, dict[str, Any]] = defaultdict(
    dict,
    {
        ModelType.CTGAN: {"epochs": 4, **NETS},
        ModelType.COPULAGAN: {"epochs": 4, **NETS},
        ModelType.TVAE: {
            "epochs": 8,
            "compress_dims": [32],
            "decompress_dims": [32],
            "embedding_dim": 16,
            "batch_size": 100,
        },
    },
)
RARE = "rare-diagnosis"
NEAR_LIMIT = 2**63 - 5000


def given_table(rows: int = 500) -> tuple[pa.Table, tuple[Column, ...]]:
    """A table with a column of every kind, and what is known of its columns."""
    rng = np.random.default_rng(5)
    some_null = rng.random(rows) < 0.2
    city = rng.choice(["Rome", "Oslo", "Lima"], rows, p=[0.6, 0.3, 0.1]).astype(object)
    city[:2] = RARE
    amount = np.where(rng.random(rows) < 0.6, 0, np.round(rng.lognormal(3, 1, rows), 2))
    day = [dt.date(1850, 1, 1) + dt.timedelta(days=int(days)) for days in rng.integers(0, 900, rows)]
    moment = pa.array(1_600_000_000_000_000 + rng.integers(0, 10**6, rows) * 1_000_000, pa.timestamp("us", "UTC"))
    kinds = ColumnKind
    columns: list[tuple[Column, pa.Array]] = [
        (Column("key", kinds.ID), pa.array(np.arange(rows) + 1000)),
        (Column("code", kinds.ID), pa.array([f"AB-{n:05}" for n in rng.permutation(90_000)[:rows]])),
        (Column("city", kinds.CATEGORICAL), pa.array(city)),
        (Column("grade", kinds.CATEGORICAL), pa.array(rng.integers(1, 4, rows), pa.int16())),
        (Column("plan", kinds.CATEGORICAL), pa.array(rng.choice(["a", "b"], rows)).dictionary_encode()),
        (Column("member", kinds.BOOLEAN, nullable=True), pa.array(rng.random(rows) < 0.3, mask=some_null)),
        (Column("age", kinds.INTEGER), pa.array(rng.integers(18, 90, rows), pa.int8())),
        (
            Column("far", kinds.INTEGER, nullable=True),
            pa.array(NEAR_LIMIT + rng.integers(0, 4999, rows), pa.int64(), mask=some_null),
        ),
        (Column("amount", kinds.FLOAT, nullable=True), pa.array(amount, mask=rng.random(rows) < 0.1)),
        (Column("weight", kinds.FLOAT), pa.array(rng.normal(70, 9, rows).astype(np.float32))),
        (
            Column("price", kinds.FLOAT),
            pa.array([decimal.Decimal(int(c)) / 100 for c in rng.integers(100, 9999, rows)], pa.decimal128(9, 2)),
        ),
        (Column("born", kinds.DATETIME), pa.array(day, pa.date32())),
        (Column("seen", kinds.DATETIME), moment),
        (Column("name", kinds.TEXT, pii="name"), pa.array([f"Zyx{n} Qwv{n}" for n in range(rows)])),
        (
            Column("note", kinds.TEXT, nullable=True),
            pa.array([f"the quick note {n}" for n in range(rows)], mask=some_null),
        ),
        (Column("source", kinds.CONSTANT), pa.array(["web"] * rows)),
        (Column("empty", kinds.CONSTANT, nullable=True), pa.nulls(rows, pa.float64())),
    ]
    table = pa.table([array for _, array in columns], names=[column.name for column, _ in columns])
    return table, tuple(column for column, _ in columns)


def given_model(model_type, table=None, columns=None, seed=7, on_progress=None, checkpoints=None, **options):
    if table is None:
        table, columns = given_table()
    config = {**SMALL[model_type], "seed": seed, **options}
    return create(model_type, config).fit(table, columns=columns, on_progress=on_progress, checkpoints=checkpoints)


@pytest.fixture(scope="session")
def table():
    return given_table()[0]


@pytest.fixture(scope="session", params=list(ModelType))
def model_type(request):
    return request.param


@pytest.fixture(scope="session")
def usual_model():
    """That of a type and the table above: nobody changes it, so all share it."""
    return cache(given_model)


@pytest.fixture(scope="module")
def model_of_trips() -> Synthesizer:
    return MODELS["refined"]().fit(trips())


@pytest.fixture(scope="session")
def model(usual_model, model_type):
    return usual_model(model_type)


@pytest.fixture(scope="session")
def rows(model):
    """Rows over a chunk's end."""
    return model.sample(model.chunk_rows + 500, seed=1)


@pytest.fixture
def few_own_rows(monkeypatch):
    """Where it matters that a model fills gaps, not how well: one that is not refined learns that from its own rows."""
    monkeypatch.setattr(base, "SAMPLE_ROWS", 1000)


def numbers_in(part) -> list[float]:
    """All that are anywhere in a JSON value."""
    if isinstance(part, dict | list):
        return [number for one in (part.values() if isinstance(part, dict) else part) for number in numbers_in(one)]
    return [float(part)] if isinstance(part, int | float) else []
