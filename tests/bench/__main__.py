"""`make bench`: SynthGen beside the packages its models come from, in one process, as ratios.

Both sides learn the same table with the same hyperparameters on the same threads; each pair is run
several times in turn, and the medians are compared. Prints a table; asserts nothing.
"""

import argparse
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from copulas.multivariate import GaussianMultivariate
from copulas.univariate import BetaUnivariate
from ctgan import CTGAN as PeerCTGAN
from ctgan import TVAE as PeerTVAE
from rich.console import Console
from rich.table import Table

from synthgen_ray.synthesizers import CTGAN, TVAE, GaussianCopula

EPOCHS = 2
DISCRETE = ["city", "plan", "active"]
Pair = tuple[str, Callable[[], Any], Callable[[], Any]]


def a_table(num_rows: int) -> pd.DataFrame:
    """Mixed columns: skewed and two-humped numbers, categories of three sizes."""
    chance = np.random.default_rng(0)
    age = np.concatenate([chance.normal(30, 5, num_rows // 2), chance.normal(60, 8, num_rows - num_rows // 2)])
    return pd.DataFrame(
        {
            "age": age.round().astype("int64"),
            "balance": chance.lognormal(6, 1, num_rows).round(2),
            "visits": chance.poisson(4, num_rows),
            "city": chance.choice([f"city {i}" for i in range(50)], num_rows),
            "plan": chance.choice(["free", "basic", "pro"], num_rows, p=[0.7, 0.2, 0.1]),
            "active": np.where(age + chance.normal(0, 10, num_rows) > 45, "yes", "no"),
        }
    )


def pairs(table: pd.DataFrame) -> Iterator[Pair]:
    """What is timed: a name, SynthGen, the peer."""
    numbers = table[["age", "balance", "visits"]].astype(float)
    rows = len(table)
    for name, ours, peers in (("CTGAN", CTGAN, PeerCTGAN), ("TVAE", TVAE, PeerTVAE)):
        yield (
            f"{name} fit, {EPOCHS} epochs",
            lambda ours=ours: ours(epochs=EPOCHS, seed=1).fit(table),
            lambda peers=peers: peers(epochs=EPOCHS).fit(table, DISCRETE),
        )
        model, peer = ours(epochs=EPOCHS, seed=1).fit(table), peers(epochs=EPOCHS)
        peer.fit(table, DISCRETE)
        yield f"{name} sample", lambda model=model: model.sample(rows, seed=1), lambda peer=peer: peer.sample(rows)
    # Beta marginals are what SDV gives its users; left to choose, copulas takes minutes.
    peer = GaussianMultivariate(distribution=BetaUnivariate)
    yield "Gaussian copula fit", lambda: GaussianCopula(seed=1).fit(numbers), lambda: peer.fit(numbers)
    copula = GaussianCopula(seed=1).fit(numbers)
    peer.fit(numbers)
    yield "Gaussian copula sample", lambda: copula.sample(rows, seed=1), lambda: peer.sample(rows)


def medians(ours: Callable[[], Any], peers: Callable[[], Any], times: int) -> tuple[float, float]:
    """Seconds of each side, in turn, so that both see the same machine."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for side, run in zip(taken, (ours, peers), strict=True):
            started = time.perf_counter()
            run()
            side.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore")  # the peers', about their own use of pandas and torch

    versions = ", ".join(f"{name} {version(name)}" for name in ("ctgan", "copulas", "torch"))
    title = f"{options.rows:,} rows, {options.threads} thread(s), medians of {options.times}; {versions}"
    shown = Table(title=title, caption=f"{platform.machine()}, Python {platform.python_version()}")
    for heading in ("what", "SynthGen s", "peer s", "times faster"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    for name, ours, peers in pairs(a_table(options.rows)):
        own_s, peer_s = medians(ours, peers, options.times)
        shown.add_row(name, f"{own_s:.2f}", f"{peer_s:.2f}", f"{peer_s / own_s:.1f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
