"""How good rows were when it was last measured; prints `gates.json` anew.

    python -m tests.quality.gates --seeds 1 2 3

Every table is learnt with fewer epochs than by default, so that all gates are tried in minutes: what makes rows worse
shows in a short training as well.
"""

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from synthgen_ray.domain.params import ModelType
from tests.bench.quality import scored
from tests.bench.rows import given_model
from tests.bench.scores import Scores
from tests.bench.tables import REAL, SHARED, Task, given_tasks

FILE = Path(__file__).with_name("gates.json")
ROWS = 3_000
EPOCHS = {ModelType.CTGAN: 20, ModelType.COPULAGAN: 20, ModelType.TVAE: 20, ModelType.GAUSSIAN_COPULA: 0}
SPREADS = 3.0


class Gate(NamedTuple):
    mean: float
    sd: float
    seeds: int

    def least(self, usual_sd: float) -> float:
        """A seed below this is no bad luck. Seeds that lie close by chance count as spread as usual."""
        return self.mean - SPREADS * max(self.sd, usual_sd)


def trained_scores(task: Task, model_type: ModelType, seed: int) -> Scores:
    torch.set_num_threads(1)  # the same numbers wherever it runs
    return scored(task, given_model(model_type, EPOCHS[model_type], seed).fit(task.arrow), seed)


def real_tasks() -> dict[str, Task]:
    return given_tasks(SHARED, list(REAL), ROWS)


def known_gates() -> dict[str, Gate]:
    """By "table, model, measure"."""
    return {name: Gate(*gate) for name, gate in json.loads(FILE.read_text()).items()}


def usual_sd(gates: dict[str, Gate], measure: str) -> float:
    """The spread between seeds of one measure, over all tables and models."""
    return math.sqrt(statistics.mean(gate.sd**2 for name, gate in gates.items() if name.endswith(measure)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.quality.gates", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    seeds = parser.parse_args(arguments).seeds
    gates = {}
    for task in real_tasks().values():
        for model_type in EPOCHS:
            found = [trained_scores(task, model_type, seed) for seed in seeds]
            for measure in Scores._fields:
                values = [getattr(one, measure) for one in found]
                gate = Gate(round(statistics.mean(values), 4), round(statistics.stdev(values), 4), len(seeds))
                gates[f"{task.name}, {model_type}, {measure}"] = gate
                print(f"{task.name}, {model_type}, {measure}: {gate}", flush=True)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(gate)}" for name, gate in gates.items())
    FILE.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
