"""How good the peers' own rows are: SDV's four models at their defaults, kept where the quality rows look for them.

    python -m tests.bench.peers --tables telco --seeds 1 2 3 --to results.jsonl    needs the `bench` extra

A result that is there already is not measured again: hours of it can be broken off.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import sdv
import torch
from sdv.metadata import Metadata
from sdv.single_table import CopulaGANSynthesizer, CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

from synthgen_ray.domain.params import ModelType
from tests.bench.quality import EPOCHS, NAMES, Result, keep, kept
from tests.bench.rows import seconds
from tests.bench.scores import scores
from tests.bench.tables import REAL, Task, given_tasks
from tests.real_tables import SHARED

WHO = f"sdv {sdv.__version__}"
SYNTHESIZERS = {
    ModelType.CTGAN: CTGANSynthesizer,
    ModelType.COPULAGAN: CopulaGANSynthesizer,
    ModelType.TVAE: TVAESynthesizer,
    ModelType.GAUSSIAN_COPULA: GaussianCopulaSynthesizer,
}


class SDV:
    """A synthesizer of SDV's at its defaults."""

    def __init__(self, model_type: ModelType, epochs: int) -> None:
        self._kind = SYNTHESIZERS[model_type]
        self._options = {} if model_type is ModelType.GAUSSIAN_COPULA else {"epochs": epochs}

    def fit(self, train: pd.DataFrame) -> Self:
        self._model = self._kind(_metadata(train), **self._options)
        self._model.fit({"table": train})
        return self

    def sample(self, rows: int) -> pd.DataFrame:
        sampled: Any = self._model.sample(rows)
        table: pd.DataFrame = sampled["table"] if isinstance(sampled, dict) else sampled
        return table


def measured(task: Task, model_type: ModelType, seed: int, epochs: int) -> Result:
    seed_all(seed)
    model = SDV(model_type, epochs)
    made: list[pd.DataFrame] = []
    fit_s = seconds(lambda: model.fit(task.train))
    sample_s = seconds(lambda: made.append(model.sample(len(task.train))))
    found = scores(task.train, task.holdout, made[0], task.target)
    return Result(task.name, WHO, model_type, seed, epochs, round(fit_s, 2), round(sample_s, 3), *found)


def seed_all(seed: int) -> None:
    """SDV has no seed of its own: all its random numbers come from these three."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _metadata(table: pd.DataFrame) -> Metadata:
    """As SDV detects it, but that every column is learnt: none is an id or made up."""
    columns = Metadata.detect_from_dataframes({"table": table}).to_dict()["tables"]["table"]["columns"]
    kinds = {name: column["sdtype"] for name, column in columns.items()}
    for name, kind in kinds.items():
        if kind not in ("categorical", "numerical", "datetime", "boolean"):
            kinds[name] = "numerical" if pd.api.types.is_numeric_dtype(table[name]) else "categorical"
    return Metadata.load_from_dict(
        {"tables": {"table": {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}}}
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--tables", nargs="+", default=list(REAL), choices=list(REAL))
    parser.add_argument("--models", type=ModelType, nargs="+", default=list(NAMES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--to", type=Path, required=True, metavar="JSONL")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for task in given_tasks(options.data, options.tables).values():
        for model_type in options.models:
            for seed in options.seeds:
                if kept(options.to, task.name, WHO, model_type, seed) is None:
                    keep(options.to, measured(task, model_type, seed, options.epochs))


if __name__ == "__main__":
    main()
