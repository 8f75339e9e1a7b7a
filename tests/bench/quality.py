"""How good the rows are at the default settings, over tables and seeds; and that nothing rare is among them.

A result is a line of a file, so that hours of measuring can be broken off and go on.
"""

import json
import statistics
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer
from tests.bench import tables
from tests.bench.rows import BARE, IN_FLOATS, NARROW, REFINED, SEED, Bench, Figure, Row, given_model, seconds
from tests.bench.scores import Scores, like, plain, scores, target_auc
from tests.bench.tables import Task

OURS = "synthgen"
EPOCHS = 300
NAMES = {
    ModelType.CTGAN: "CTGAN",
    ModelType.COPULAGAN: "CopulaGAN",
    ModelType.TVAE: "TVAE",
    ModelType.GAUSSIAN_COPULA: "Gaussian copula",
}
GANS = (ModelType.CTGAN, ModelType.COPULAGAN)
# How a model can be trained: which types, and their options that are not the defaults.
WAYS: dict[str, tuple[Collection[ModelType], dict[str, Any]]] = {
    "quality": (NAMES, {}),
    "quality of all epochs": ((ModelType.TVAE,), {"early_stop": False}),
    "quality not refined": ((ModelType.TVAE,), BARE),
    "quality of fewer epochs": (GANS, {"early_stop": True}),
    "quality in floats": ((*GANS, ModelType.TVAE), IN_FLOATS),
    "quality in bf16": ((*GANS, ModelType.TVAE), NARROW),
    "quality refined": ((ModelType.GAUSSIAN_COPULA,), REFINED),
}
MEASURES = {"shapes": "column shapes", "pairs": "2-way accuracy", "auc": "AUC"}
# (must, aim) on Adult, by measure and model.
GOALS = {
    "shapes": dict.fromkeys(NAMES, (".985", ".993")),
    "pairs": {
        ModelType.CTGAN: (".945", ".965"),
        ModelType.COPULAGAN: (".945", ".965"),
        ModelType.TVAE: (".965", ".98"),
        ModelType.GAUSSIAN_COPULA: (".937", ".95"),
    },
    "auc": {
        ModelType.CTGAN: (".89", ".905"),
        ModelType.COPULAGAN: (".89", ".905"),
        ModelType.TVAE: (".90", ".915"),
        ModelType.GAUSSIAN_COPULA: (".86", ".89"),
    },
}


@dataclass(frozen=True)
class Result:
    table: str
    who: str
    model: str
    seed: int
    epochs: int
    fit_s: float
    sample_s: float
    shapes: float
    pairs: float
    auc: float


def scored(task: Task, model: Synthesizer, seed: int) -> Scores:
    """As many rows as it learnt from, against the table."""
    made = model.sample(len(task.train), seed=seed).to_pandas()
    return scores(task.train, task.holdout, made, task.target)


def measured(bench: Bench, task: Task, model_type: ModelType, seed: int, **options: Any) -> Result:
    """Trained, at the defaults but for the options, sampled and scored, unless that was done before."""
    epochs = bench.epochs(EPOCHS)
    who = " ".join([OURS, *(f"{name}={value}" for name, value in options.items())])
    before = kept(bench.results, task.name, who, model_type, seed)
    if before is not None:
        return before
    model = given_model(model_type, epochs, seed, **options)
    fit_s = seconds(lambda: model.fit(task.arrow))
    sample_s = seconds(lambda: model.sample(len(task.train), seed=seed))
    result = Result(
        task.name, who, model_type, seed, epochs, round(fit_s, 2), round(sample_s, 3), *scored(task, model, seed)
    )
    keep(bench.results, result)
    return result


def keep(path: Path, result: Result) -> None:
    with path.open("a") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def kept(path: Path, table: str, who: str, model_type: ModelType, seed: int) -> Result | None:
    key = (table, who, model_type, seed)
    return next((one for one in _results(path) if (one.table, one.who, one.model, one.seed) == key), None)


def rows(names: Iterable[str]) -> Iterable[Row]:
    for name in names:
        for measure in MEASURES:
            yield Row(f"quality, {name}, the other half, {MEASURES[measure]}", _ceiling(name, measure))
        for way, (model_types, options) in WAYS.items():
            for model_type, measure in product(model_types, MEASURES):
                goals = GOALS[measure][model_type] if name == "adult" else ("", "")
                row = f"{way}, {name}, {NAMES[model_type]}, {MEASURES[measure]}"
                yield Row(row, _quality(name, model_type, measure, options), *goals)
    yield Row("seconds of a TVAE, table to model", _tvae_seconds({}), "90 s", "40 s")
    yield Row("seconds of a TVAE of all epochs, table to model", _tvae_seconds({"early_stop": False}))
    yield Row("rare values in 100,000 rows of every model", _rare_values, "0", "0")


def _quality(name: str, model_type: ModelType, measure: str, options: dict[str, Any]) -> Callable[[Bench], Figure]:
    def figure(bench: Bench) -> Figure:
        task = bench.tasks[name]
        ours = [getattr(measured(bench, task, model_type, seed, **options), measure) for seed in bench.seeds]
        spread = f"{len(ours)} seeds, sd {statistics.stdev(ours):.4f}" if len(ours) > 1 else "1 seed"
        return Figure(statistics.mean(ours), _peers(bench, task, model_type, measure), "score", spread)

    return figure


def _ceiling(name: str, measure: str) -> Callable[[Bench], Figure]:
    def figure(bench: Bench) -> Figure:
        return Figure(getattr(ceiling(bench.tasks[name]), measure), None, "score")

    return figure


@cache
def ceiling(task: Task) -> Scores:
    """What real rows get: those that nobody saw in the place of generated ones, and a classifier taught by those that
    were learnt."""
    train = plain(task.train)
    auc = target_auc(train, like(task.holdout, train), task.target)
    return scores(task.train, task.holdout, task.holdout)._replace(auc=auc)


def _peers(bench: Bench, task: Task, model_type: ModelType, measure: str) -> float | None:
    """Of the results kept for the same table, else of the rows that SDV published."""
    found = [
        getattr(result, measure)
        for result in _results(bench.results)
        if not result.who.startswith(OURS) and (result.table, result.model) == (task.name, model_type)
    ]
    if found:
        return statistics.mean(found)
    if bench.folder is None or task.name != "adult" or bench.quick:
        return None
    score: float = getattr(published_scores(bench.folder, task, model_type), measure)
    return score


@cache
def published_scores(folder: Path, task: Task, model_type: ModelType) -> Scores:
    return scores(task.train, task.holdout, tables.published(folder, model_type), task.target)


def _tvae_seconds(options: dict[str, Any]) -> Callable[[Bench], Figure]:
    def figure(bench: Bench) -> Figure:
        results = [measured(bench, bench.task, ModelType.TVAE, seed, **options) for seed in bench.seeds]
        reached = " / ".join(f"{statistics.mean(getattr(one, measure) for one in results):.3f}" for measure in MEASURES)
        note = f"{len(results)} seeds; {' / '.join(MEASURES.values())}: {reached}"
        return Figure(statistics.median(one.fit_s for one in results), None, "s", note)

    return figure


def _rare_values(bench: Bench) -> Figure:
    """With the number of each row as an id and a name that is unique."""
    table = bench.task.arrow
    persons = [f"Person {place:07} Nobody" for place in np.random.default_rng(SEED).permutation(table.num_rows)]
    table = table.append_column("id", pa.array([f"ID-{place:07}" for place in range(table.num_rows)]))
    table = table.append_column("person", pa.array(persons))
    found = 0
    for model_type in NAMES:
        model = given_model(model_type, epochs=1).fit(table)
        found += rare_values(table, model.sample(bench.rows(100_000), seed=SEED), model.params.min_category_count)
    return Figure(found, None, "values")


def rare_values(table: pa.Table, made: pa.Table, k: int) -> int:
    """Cells of `made` with a text that fewer than k rows of `table` hold, or a number outside its k-th extremes."""
    found = 0
    for name in table.column_names:
        if pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type):
            counts = table[name].drop_null().value_counts()
            counts = pa.table({"value": counts.field("values"), "count": counts.field("counts")})
            rare = counts.filter(pc.less(counts["count"], k))["value"]
            generated = made[name].cast(rare.type)
            found += pc.sum(pc.is_in(generated, rare)).as_py() or 0
        elif pa.types.is_floating(table[name].type) or pa.types.is_integer(table[name].type):
            real = np.sort(table[name].drop_null().to_numpy())
            generated = made[name].drop_null().to_numpy()
            found += int(((generated < real[k - 1]) | (generated > real[-k])).sum())
    return found


def _results(path: Path) -> list[Result]:
    if not path.exists():
        return []
    return [Result(**json.loads(line)) for line in path.read_text().splitlines()]
