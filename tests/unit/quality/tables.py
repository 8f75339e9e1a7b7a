"""Small tables for the tests of the measures, and what SDMetrics is told of them."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessment import Fidelity, Measure, Privacy, Scope

NONE = Measure(value=None)
UNKNOWN = Fidelity(**dict.fromkeys(Fidelity.model_fields, NONE))

KINDS = {
    "size": ColumnKind.FLOAT,
    "step": ColumnKind.INTEGER,
    "twice": ColumnKind.INTEGER,
    "when": ColumnKind.DATETIME,
    "city": ColumnKind.CATEGORICAL,
    "land": ColumnKind.CATEGORICAL,
    "flag": ColumnKind.BOOLEAN,
}
SDTYPES = {
    ColumnKind.FLOAT: "numerical",
    ColumnKind.INTEGER: "numerical",
    ColumnKind.DATETIME: "datetime",
    ColumnKind.CATEGORICAL: "categorical",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.CONSTANT: "categorical",
}


def given_frame(seed: int, rows: int = 400, shift: float = 0.0) -> pd.DataFrame:
    """Columns of every kind that is compared, two of them with nulls, some that hang together."""
    chance = np.random.default_rng(seed)
    step = chance.binomial(9, 0.5 - shift / 5, rows)
    city = chance.choice(["a", "b", "c", "d"], rows, p=[0.5 - shift, 0.2, 0.2 + shift, 0.1])
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.exponential(5 + shift, rows), unit="D")
    return pd.DataFrame(
        {
            "size": np.where(chance.random(rows) < 0.1, np.nan, chance.normal(shift, 1, rows) + step),
            "step": step,
            "twice": 2 * step + chance.integers(0, 3, rows),
            "when": moments.round("s"),
            "city": np.where(chance.random(rows) < 0.1, None, city).astype(object),
            "land": np.where(np.isin(city, ["a", "b"]), "east", "west").astype(object),
            "flag": chance.random(rows) < step / 9,
        }
    )


def like_adult(seed: int, rows: int) -> pa.Table:
    """Columns like those of Adult: most have categories, many of them rare, and share a class of people."""
    chance = np.random.default_rng(seed)
    people = chance.integers(0, 6, rows)
    sizes = {"work": 8, "education": 16, "marital": 7, "job": 14, "relation": 6, "race": 5, "sex": 2, "country": 40}
    table = {name: np.minimum(people + chance.geometric(0.4, rows) - 1, most - 1) for name, most in sizes.items()}
    gain = np.where(chance.random(rows) < 0.9, 0, chance.integers(100, 9000, rows))
    numbers = {
        "age": 17 + 6 * people + chance.integers(0, 30, rows),
        "grade": table["education"],
        "gain": gain,
        "hours": np.where(chance.random(rows) < 0.5, 40, chance.integers(1, 99, rows)),
    }
    rich = people + chance.normal(0, 1, rows) > 4
    return pa.table(
        {name: [f"{name} {code}" for code in codes] for name, codes in table.items()} | numbers | {"rich": rich}
    )


def columns_like_adult() -> list[Column]:
    kinds = {pa.int64(): ColumnKind.INTEGER, pa.string(): ColumnKind.CATEGORICAL, pa.bool_(): ColumnKind.BOOLEAN}
    return [Column(field.name, kinds[field.type]) for field in like_adult(0, 1).schema]


def given_columns(kinds: dict[str, ColumnKind] | None = None) -> list[Column]:
    return [Column(name, kind, nullable=True) for name, kind in (kinds or KINDS).items()]


def given_table(seed: int, rows: int = 400, shift: float = 0.0) -> pa.Table:
    return as_table(given_frame(seed, rows, shift))


def as_table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def metadata(columns: list[Column]) -> dict[str, Any]:
    return {"columns": {column.name: {"sdtype": SDTYPES[column.kind]} for column in columns}}


def only_copies(copies: Measure, rare: Measure | None = None) -> Privacy:
    """A privacy of which nothing else was measured."""
    return Privacy(
        copies=copies,
        rare_copies=rare or copies,
        copied_values=(),
        remembered=None,
        distance_share=None,
        distance_ratio=None,
        singling_out=(),
        inference=(),
    )


def a_scope(rows: int, held_out: int | None, drawn: int | None = None) -> Scope:
    return Scope(
        real_rows=rows,
        synthetic_rows=drawn or rows,
        generated_rows=drawn or rows,
        holdout_rows=held_out,
        max_rows=50_000,
        columns=(),
        left_out=(),
        seed=0,
        k=5,
    )
