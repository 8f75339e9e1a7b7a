"""The published table: our four types beside SDV's own rows and the hold-out, in means and spreads over seeds.

    python -m tests.quality.published --seeds 1 2 3 --to results.jsonl

Where none were published `--peers` trains SDV's four here, at their defaults; that needs the `bench` extra.
A result is a line of a file, so that hours of training can be broken off and go on; with `--rows` the rows are kept
too, so that a measure that changed needs no training.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import torch

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.params import ModelType
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Assessment
from synthgen_ray.synthesizers.base import create
from tests.real_tables import SHARED

FOLDER = SHARED / "fidelity2023_adult"
TABLES = {
    "fidelity2023_adult": (FOLDER / "adult_trn.csv.gz", FOLDER / "adult_val.csv.gz"),
    "adult_train": (SHARED / "adult_train.csv.gz", SHARED / "adult_test.csv"),
}
TARGET = "income"
HEADINGS = {
    "shapes": "column shapes",
    "trends": "pair trends",
    "pairs": "2-way accuracy",
    "triples": "3-way accuracy",
    "detection": "detection AUC",
    "utility": "AUC of what learns from it",
    "closer": "closer to training rows",
}


Maker = Callable[[pa.Table, ModelType, int, int], pa.Table]


class Result(NamedTuple):
    table: str
    who: str
    seed: int
    epochs: int
    measures: dict[str, float]


class Entry(NamedTuple):
    who: str
    seed: int
    epochs: int
    assess: Callable[[], Assessment]


def read(path: Path) -> pa.Table:
    """`?` is a value, as it was where the scores were published."""
    return csv.read_csv(path)


def assessed(real: pa.Table, synthetic: pa.Table, holdout: pa.Table) -> Assessment:
    return assess(real, synthetic, holdout, infer_columns(real), target=TARGET)


def measures(found: Assessment) -> dict[str, float]:
    fidelity = found.fidelity
    known = {
        "shapes": fidelity.column_shapes,
        "trends": fidelity.pair_trends,
        "pairs": fidelity.accuracy_2way,
        "triples": fidelity.accuracy_3way,
        "detection": fidelity.detection_auc,
        "utility": found.utility and found.utility.synthetic,
        "closer": found.privacy.distance_share,
    }
    return {name: one.value for name, one in known.items() if one is not None and one.value is not None}


def entries(
    table: str, models: Sequence[str], seeds: Sequence[int], epochs: int, peers: bool = False, kept: Path | None = None
) -> Iterator[Entry]:
    """The hold-out, half of it in the place of synthetic rows; SDV's rows where they were published; then ours."""
    real, holdout = (read(path) for path in TABLES[table])
    half = holdout.num_rows // 2
    yield Entry("the hold-out", 0, 0, partial(assessed, real, holdout.slice(0, half), holdout.slice(half)))
    are_published = table == FOLDER.name
    for model in models if are_published else ():
        rows = read(FOLDER / f"adult_{model}.csv.gz")
        yield Entry(f"SDV 1.1 {model}", 0, 0, partial(assessed, real, rows, holdout))
    makers = {"": made, **({"SDV 2.0 ": made_by_sdv} if peers and not are_published else {})}
    for who, model, seed in product(makers, models, seeds):
        taken = 0 if model == ModelType.GAUSSIAN_COPULA else epochs
        make = partial(makers[who], real, ModelType(model), seed, epochs)
        file = kept and kept / f"{table} {who}{model} {seed} {taken}.parquet"
        yield Entry(f"{who}{model}", seed, taken, partial(assessed_rows, make, real, holdout, file))


def assessed_rows(make: Callable[[], pa.Table], real: pa.Table, holdout: pa.Table, file: Path | None) -> Assessment:
    """Of the rows in the file, which are made if they are not there yet."""
    rows = parquet.read_table(file) if file and file.exists() else make()
    if file and not file.exists():
        parquet.write_table(rows, file)
    return assessed(real, rows, holdout)


def made_by_sdv(real: pa.Table, model_type: ModelType, seed: int, epochs: int) -> pa.Table:
    from tests.bench.peers import SDV, seed_all

    seed_all(seed)
    rows = SDV(model_type, epochs).fit(real.to_pandas()).sample(real.num_rows)
    return pa.Table.from_pandas(rows, preserve_index=False).select(real.column_names).cast(real.schema)


def made(real: pa.Table, model_type: ModelType, seed: int, epochs: int) -> pa.Table:
    """As many rows as it learnt from, at the default settings."""
    options = {} if model_type is ModelType.GAUSSIAN_COPULA else {"epochs": epochs}
    return (
        create(model_type, {"holdout_fraction": 0.0, **options, "seed": seed})
        .fit(real)
        .sample(real.num_rows, seed=seed)
    )


def line(results: Sequence[Result]) -> str:
    """Of one model: means, and the spread between the seeds."""
    cells = []
    for name in HEADINGS:
        values = [result.measures[name] for result in results if name in result.measures]
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        cells.append(f"{statistics.mean(values):.4f}{spread}" if values else "")
    return f"| {' | '.join([results[0].who, str(len(results)), *cells])} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.quality.published", description=__doc__)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--models", nargs="+", default=list(ModelType), choices=list(ModelType))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=300, help="of the networks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peers", action="store_true", help="train SDV's four too, where it published no rows")
    parser.add_argument("--to", type=Path, metavar="JSONL", help="keep the results, and go on there")
    parser.add_argument("--rows", type=Path, metavar="FOLDER", help="keep the rows, and measure those that are there")
    options = parser.parse_args(arguments)
    if not SHARED.is_dir():
        print("The published table needs the folder of real tables, which is not there.")
        return
    torch.set_num_threads(options.threads)
    if options.rows:
        options.rows.mkdir(parents=True, exist_ok=True)
    before = {result[:4]: result for result in (Result(*json.loads(text)) for text in _lines(options.to))}
    for table in options.tables:
        print(f"\n{table}\n\n| {' | '.join(['rows of', 'seeds', *HEADINGS.values()])} |")
        print(f"|{'---|' * (2 + len(HEADINGS))}")
        found: list[Result] = []
        for entry in entries(table, options.models, options.seeds, options.epochs, options.peers, options.rows):
            if found and entry.who != found[0].who:
                print(line(found), flush=True)
                found = []
            key = (table, *entry[:3])
            result = before.get(key) or Result(*key, measures(entry.assess()))
            found.append(result)
            if options.to and key not in before:
                with options.to.open("a") as file:
                    file.write(json.dumps(result) + "\n")
        print(line(found), flush=True)


def _lines(path: Path | None) -> list[str]:
    return path.read_text().splitlines() if path and path.exists() else []


if __name__ == "__main__":
    main()
