"""Models as earlier versions wrote them, one of each type at least, and the rows they must still give.

`python -m tests.unit.synthesizers.golden` writes those that are new, and with `--anew` all others too: to be done when
the format changes, and not otherwise.
"""

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer, create

FOLDER = Path(__file__).parent
EXPECTED = FOLDER / "expected.json"
ROWS, SEED = 500, 3
TINY = {"batch_size": 100, "embedding_dim": 4, "seed": 1}
GAN = {"epochs": 2, "refine": False, "generator_dim": [8], "discriminator_dim": [8], **TINY}
VAE = {"epochs": 2, "compress_dims": [8], "decompress_dims": [8], **TINY}
# The first of a type has its name.
CONFIGS: dict[str, tuple[ModelType, dict[str, Any]]] = {
    "ctgan": (ModelType.CTGAN, {**GAN, "quantize": False}),
    "copulagan": (ModelType.COPULAGAN, {**GAN, "quantize": False}),
    "tvae": (ModelType.TVAE, {**VAE, "quantize": False}),
    "gaussian_copula": (ModelType.GAUSSIAN_COPULA, {"refine": True, "seed": 1}),
    "ctgan_quantized": (ModelType.CTGAN, GAN),
    "tvae_quantized": (ModelType.TVAE, VAE),
    "gaussian_copula_of_trips": (ModelType.GAUSSIAN_COPULA, {"refine": True, "seed": 1}),
    "copulagan_of_trips": (ModelType.COPULAGAN, {**GAN, "embed_above": 10}),
}
OF_TRIPS, TRIPS_BEGIN = "of_trips", np.datetime64("2023-01-02T00:00", "s")
SHARES = {
    "city": ["Rome", "Oslo", "Lima"],
    "member": [True, False],
    "source": ["web"],
    "tariff": ["day", "night"],
    "stop": ["stop 1", "stop 2"],
}
NUMBERS = ("amount", "day", "start", "end", "price", "salary")
FRESH = ("code", "key", "note")
NAMES = tuple(dict.fromkeys([*CONFIGS, *ModelType]))


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.synthgen"


def given_golden(name: str) -> Synthesizer:
    """A small model of its table."""
    columns = _trips() if name.endswith(OF_TRIPS) else _members()
    table = pa.table({name: values for name, (_, values) in columns.items()})
    model_type, options = CONFIGS[name] if name in CONFIGS else (ModelType(name), {"seed": 1})
    return create(model_type, options).fit(table, columns=[Column(name, kind) for name, (kind, _) in columns.items()])


def _members() -> dict[str, tuple[ColumnKind, Any]]:
    """A column of most kinds."""
    rng = np.random.default_rng(12)
    rows = 200
    city = rng.choice(["Rome", "Oslo", "Lima"], rows, p=[0.6, 0.3, 0.1])
    is_member = np.where(rng.random(rows) < 0.9, city == "Rome", rng.random(rows) < 0.3)  # or there is no refinement
    return {
        "code": (ColumnKind.ID, [f"AB-{n:05}" for n in rng.permutation(90_000)[:rows]]),
        "key": (ColumnKind.ID, np.arange(rows)),
        "city": (ColumnKind.CATEGORICAL, city),
        "member": (ColumnKind.BOOLEAN, pa.array(is_member, mask=rng.random(rows) < 0.2)),
        "amount": (ColumnKind.FLOAT, np.where(rng.random(rows) < 0.5, 0, np.round(rng.lognormal(3, 1, rows), 1))),
        "day": (ColumnKind.DATETIME, pa.array(rng.integers(0, 900, rows).astype(np.int32)).view(pa.date32())),
        "note": (ColumnKind.TEXT, [f"the quick note {n}" for n in range(rows)]),
        "source": (ColumnKind.CONSTANT, ["web"] * rows),
    }


def _trips() -> dict[str, tuple[ColumnKind, Any]]:
    """Moments that other columns, and each other, follow from; round numbers, prices with endings, many categories."""
    rng = np.random.default_rng(13)
    rows = 400
    start = TRIPS_BEGIN + rng.integers(0, 180 * 24 * 60, rows) * np.timedelta64(60, "s")
    hour = start.astype("datetime64[h]").astype(int) % 24
    by_day = (hour >= 7) & (hour < 21)
    minutes = 5 + rng.exponential(np.where(by_day, 30, 10)).astype(int)
    salary = rng.lognormal(10, 0.5, rows).astype(int)
    salary = np.where(rng.random(rows) < 0.7, salary // 500 * 500, salary)
    return {
        "start": (ColumnKind.DATETIME, pa.array(start)),
        "end": (ColumnKind.DATETIME, pa.array(start + minutes * np.timedelta64(60, "s"))),
        "tariff": (ColumnKind.CATEGORICAL, np.where(by_day, "day", "night")),
        "stop": (ColumnKind.CATEGORICAL, [f"stop {n}" for n in rng.integers(0, 15, rows)]),
        "price": (ColumnKind.FLOAT, rng.integers(1, 60, rows) + rng.choice([0.95, 0.99, 0.49], rows)),
        "salary": (ColumnKind.INTEGER, salary),
        "note": (ColumnKind.TEXT, [f"{('red', 'blue')[n % 2]} bus {n}/{n % 7}" for n in range(rows)]),
    }


def digest(rows: pa.Table) -> str:
    return hashlib.sha256(repr(rows.to_pydict()).encode()).hexdigest()


def machine() -> str:
    """Where float kernels give the same bits."""
    return (
        f"{platform.system()} {platform.machine()} {torch.backends.cpu.get_cpu_capability()} torch {torch.__version__}"
    )


def outline(rows: pa.Table) -> dict[str, list[float]]:
    """Shares of categories and quartiles of numbers, which hold on any machine."""
    shares = {
        name: [pc.mean(pc.equal(rows[name], value).fill_null(False)).as_py() for value in values]
        for name, values in SHARES.items()
        if name in rows.column_names
    }
    numbers = {name: _numbers(rows[name]) for name in NUMBERS if name in rows.column_names}
    return shares | {name: np.quantile(values, [0.25, 0.5, 0.75]).tolist() for name, values in numbers.items()}


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Moments as days, of times since the trips began."""
    if pa.types.is_timestamp(column.type):
        return np.asarray((column.to_numpy() - TRIPS_BEGIN) / np.timedelta64(1, "D"))
    return np.asarray(column.cast(pa.int32()).to_numpy().astype(float) if pa.types.is_date(column.type) else column)


def write(anew: bool) -> None:
    """Those that there are none of, or all."""
    expected: dict[str, Any] = {} if anew else json.loads(EXPECTED.read_text())
    for name in (one for one in NAMES if one not in expected):
        model = given_golden(name)
        model.save(file_of(name))
        rows = model.sample(ROWS, seed=SEED)
        fresh = {column: digest(rows.select([column])) for column in FRESH if column in rows.column_names}
        said = {"machine": machine(), "sha256": digest(rows), "fresh": fresh, "outline": outline(rows)}
        expected[name] = said
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n")
