"""How good rows were when it was last measured; writes `gates.json` anew, or what is asked for of it.

    python -m tests.quality.gates --seeds 1 2 3

Tables are cut and trainings are short, so that all gates are tried in minutes: what makes rows worse shows there too.
"""

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create
from tests.bench.quality import scored
from tests.bench.scores import Scores
from tests.bench.tables import REAL, Task, given_tasks
from tests.real_tables import SHARED

FILE = Path(__file__).with_name("gates.json")
ROWS = 3_000
# With these a game of seconds learns what columns have to do with each other: at the usual rates rows were as good
# after one epoch, or with a generator that went uphill, since their marginals are calibrated.
QUICK = {
    "generator_dim": [64, 64],
    "discriminator_dim": [64, 64],
    "embedding_dim": 32,
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
    "batch_size": 200,
}
# A short training shows little of a model once its rows are refined: some are also looked at as they are.
TRAININGS: dict[str, tuple[ModelType, dict[str, Any]]] = {
    "ctgan": (ModelType.CTGAN, {"epochs": 20}),
    "ctgan not refined": (ModelType.CTGAN, {"epochs": 100, "refine": False, **QUICK}),
    "copulagan": (ModelType.COPULAGAN, {"epochs": 20}),
    "tvae": (ModelType.TVAE, {"epochs": 20}),
    "tvae not refined": (ModelType.TVAE, {"epochs": 60, "refine": False}),
    "gaussian_copula": (ModelType.GAUSSIAN_COPULA, {"refine": True}),
    "gaussian_copula not refined": (ModelType.GAUSSIAN_COPULA, {}),
}
SPREADS = 3.0
CHANCE = 0.5  # the AUC of a classifier that has learnt nothing
# Seeds of these come near to chance (eleven of the flights' copula have .51 to .63): they have no gate.
UNTOLD = {
    "adult, ctgan not refined, auc",
    "flights, ctgan not refined, auc",
    "flights, gaussian_copula not refined, auc",
}
BARE = "not refined"


class Gate(NamedTuple):
    mean: float
    sd: float
    seeds: int

    def least(self, usual_sd: float) -> float:
        """A seed below this is no bad luck: three standard deviations of its distance from the mean of the seeds.

        Seeds that lie close by chance count as spread as usual.
        """
        return self.mean - SPREADS * max(self.sd, usual_sd) * math.sqrt(1 + 1 / self.seeds)


def trained_scores(task: Task, training: str, seed: int) -> Scores:
    torch.set_num_threads(1)  # the same numbers wherever it runs
    model_type, options = TRAININGS[training]
    return scored(task, create(model_type, {"holdout_fraction": 0.0, **options, "seed": seed}).fit(task.arrow), seed)


def real_tasks() -> dict[str, Task]:
    return given_tasks(SHARED, list(REAL), ROWS)


def known_gates() -> dict[str, Gate]:
    """By "table, training, measure"."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    return {name: Gate(*gate) for name, gate in known.items()}


def usual_sd(gates: dict[str, Gate], training: str, measure: str) -> float:
    """The spread between seeds of one measure, over all tables: of refined trainings together, of each other alone.
    Refined rows spread alike; a GAN that is not moves ten times as far as a copula."""
    alike = {training} if BARE in training else {name for name in TRAININGS if BARE not in name}
    sds = [gate.sd for name, gate in gates.items() if name.split(", ")[1] in alike and name.endswith(measure)]
    return math.sqrt(statistics.mean(sd**2 for sd in sds))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.quality.gates", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tables", nargs="+", default=list(REAL), choices=list(REAL))
    parser.add_argument("--trainings", nargs="+", default=list(TRAININGS), choices=list(TRAININGS))
    options = parser.parse_args(arguments)
    tasks = real_tasks()
    for name in options.tables:
        for training in options.trainings:
            found = [trained_scores(tasks[name], training, seed) for seed in options.seeds]
            for measure in Scores._fields:
                values = [getattr(one, measure) for one in found]
                gate = Gate(round(statistics.mean(values), 4), round(statistics.stdev(values), 4), len(values))
                _write({**known_gates(), f"{name}, {training}, {measure}": gate})
                print(f"{name}, {training}, {measure}: {gate}", flush=True)


def _write(gates: dict[str, Gate]) -> None:
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(gate)}" for name, gate in sorted(gates.items()))
    FILE.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
