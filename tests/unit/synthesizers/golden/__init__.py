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
}
NAMES = tuple(dict.fromkeys([*CONFIGS, *ModelType]))


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.synthgen"


def given_golden(name: str) -> Synthesizer:
    """A small model with a column of most kinds."""
    rng = np.random.default_rng(12)
    rows = 200
    city = rng.choice(["Rome", "Oslo", "Lima"], rows, p=[0.6, 0.3, 0.1])
    is_member = np.where(rng.random(rows) < 0.9, city == "Rome", rng.random(rows) < 0.3)  # or there is no refinement
    columns = {
        "code": (ColumnKind.ID, [f"AB-{n:05}" for n in rng.permutation(90_000)[:rows]]),
        "key": (ColumnKind.ID, np.arange(rows)),
        "city": (ColumnKind.CATEGORICAL, city),
        "member": (ColumnKind.BOOLEAN, pa.array(is_member, mask=rng.random(rows) < 0.2)),
        "amount": (ColumnKind.FLOAT, np.where(rng.random(rows) < 0.5, 0, np.round(rng.lognormal(3, 1, rows), 1))),
        "day": (ColumnKind.DATETIME, pa.array(rng.integers(0, 900, rows).astype(np.int32)).view(pa.date32())),
        "note": (ColumnKind.TEXT, [f"the quick note {n}" for n in range(rows)]),
        "source": (ColumnKind.CONSTANT, ["web"] * rows),
    }
    table = pa.table({name: values for name, (_, values) in columns.items()})
    model_type, options = CONFIGS[name] if name in CONFIGS else (ModelType(name), {"seed": 1})
    return create(model_type, options).fit(table, columns=[Column(name, kind) for name, (kind, _) in columns.items()])


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
        for name, values in {"city": ["Rome", "Oslo", "Lima"], "member": [True, False], "source": ["web"]}.items()
    }
    numbers = {
        "amount": rows["amount"].to_numpy(),
        "day": rows["day"].cast(pa.int32()).to_numpy().astype(float),
    }
    return shares | {name: np.quantile(values, [0.25, 0.5, 0.75]).tolist() for name, values in numbers.items()}


def write(anew: bool) -> None:
    """Those that there are none of, or all."""
    expected: dict[str, Any] = {} if anew else json.loads(EXPECTED.read_text())
    for name in (one for one in NAMES if one not in expected):
        model = given_golden(name)
        model.save(file_of(name))
        rows = model.sample(ROWS, seed=SEED)
        fresh = {column: digest(rows.select([column])) for column in ("code", "key", "note")}
        said = {"machine": machine(), "sha256": digest(rows), "fresh": fresh, "outline": outline(rows)}
        expected[name] = said
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n")
