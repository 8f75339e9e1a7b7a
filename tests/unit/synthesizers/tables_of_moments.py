"""Tables whose rows have several moments, and models of them."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgen_ray.synthesizers import CTGAN, TVAE, CopulaGAN, GaussianCopula

ROWS = 4000
MODELS = {
    "copula": lambda: GaussianCopula(seed=1),
    "refined": lambda: GaussianCopula(seed=1, refine=True),
    "tvae": lambda: TVAE(seed=1, epochs=20),
    "ctgan": lambda: CTGAN(seed=1, epochs=20),
    "copulagan": lambda: CopulaGAN(seed=1, epochs=20),
}


def later(moments: pd.Series, more: np.ndarray, unit: str) -> pd.Series:
    return moments + pd.Series(pd.to_timedelta(more.astype(np.int64), unit=unit))


def trips() -> pd.DataFrame:
    """By day they take 5 to 60 minutes and more, by night a third of that."""
    rng = np.random.default_rng(1)
    start = later(pd.Series([pd.Timestamp("2023-01-02")] * ROWS), rng.integers(0, 180 * 24 * 60, ROWS), "min")
    by_day = start.dt.hour.between(7, 20)
    minutes = 5 + rng.exponential(np.where(by_day, 30, 10))
    end = later(start, minutes, "min")
    return pd.DataFrame({"start": start, "end": end, "tariff": np.where(by_day, "day", "night")})


def orders() -> pd.DataFrame:
    """Shipped after some days, delivered after some more, but for those that are not."""
    rng = np.random.default_rng(2)
    ordered = later(pd.Series([pd.Timestamp("2022-01-03")] * ROWS), rng.integers(0, 700, ROWS), "D")
    express = rng.random(ROWS) < 0.3
    shipped = later(ordered, np.where(express, 1, 2 + rng.poisson(2, ROWS)), "D")
    delivered = later(shipped, 1 + rng.poisson(3, ROWS), "D").where(rng.random(ROWS) < 0.9)
    return pd.DataFrame({"ordered": ordered, "shipped": shipped, "delivered": delivered, "express": express})


def open_orders(share: float) -> pa.Table:
    """Such a share of them has not been shipped: that has no end."""
    table = orders().drop(columns="delivered")
    is_open = np.random.default_rng(5).random(ROWS) < share
    ends = [datetime(9999, 12, 31) if one else end for one, end in zip(is_open, table["shipped"], strict=True)]
    return pa.table(table.drop(columns="shipped")).append_column("shipped", pa.array(ends, pa.timestamp("s")))


def staff() -> pd.DataFrame:
    """Who has left did so within the years that the table spans."""
    rng = np.random.default_rng(3)
    born = later(pd.Series([pd.Timestamp("1960-01-01")] * ROWS), rng.integers(0, 35 * 365, ROWS), "D")
    hired = later(pd.Series([pd.Timestamp("2005-01-01")] * ROWS), rng.integers(0, 20 * 365, ROWS), "D")
    left = later(hired, rng.exponential(4 * 365, ROWS), "D")
    return pd.DataFrame({"born": born, "hired": hired, "left": left.where(left < pd.Timestamp("2025-01-01"))})


def hours_between(rows: pd.DataFrame, first: str, last: str) -> pd.Series:
    return ((rows[last] - rows[first]).dt.total_seconds() / 3600).dropna()


def visits() -> pd.DataFrame:
    """Days after the call, and paid within three years."""
    rng = np.random.default_rng(3)
    called = later(pd.Series([pd.Timestamp("2020-01-01")] * ROWS), rng.integers(0, 1000, ROWS), "D")
    visited = later(called, 1 + rng.integers(0, 10, ROWS), "D")
    paid = later(visited, 200 + rng.integers(0, 900, ROWS), "D")
    return pd.DataFrame({"called": called, "visited": visited, "paid": paid})
