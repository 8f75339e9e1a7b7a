"""A trained model as one file: a stored zip of `model.json` and `weights.safetensors`. Nothing in it can run.

The reader refuses what it does not know: it is the border to files that others may have touched.
"""

import secrets
import struct
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import safetensors.numpy
from pydantic import Field, ValidationError
from safetensors import SafetensorError

from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.errors import JobError, corrupt_model, is_disk_away
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.columns.bins import Bins
from synthgen_ray.synthesizers.columns.stored import Stored

CARD, WEIGHTS = "model.json", "weights.safetensors"
MOST_BYTES = {CARD: 256 << 20, WEIGHTS: 8 << 30}
UNREADABLE = (FileNotFoundError, IsADirectoryError, PermissionError)
# What a file that others have touched can make of the code that reads it.
BROKEN = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)
LIBRARIES = ("synthgen-ray", "numpy", "pyarrow", "scikit-learn", "torch", "ctgan")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes, whenever it is written

Tensors = dict[str, np.ndarray]


def releases() -> dict[str, str]:
    """Of this package and of what it computes with: others may learn and draw otherwise."""
    return {library: version(library) for library in LIBRARIES}


class RefinementCard(Stored):
    """The bins of each learnt column, none for categories; the size of the dependency network; the places of the
    columns that are left as they are drawn."""

    bins: tuple[Bins | None, ...] = Field(min_length=1)
    hidden: int = Field(ge=1, le=4096)
    left: tuple[Annotated[int, Field(ge=0)], ...] = ()  # in files of before there are none
    quantized: bool = False  # whether it refines by whole numbers; in files of before none does
    sweeps: Annotated[int, Field(ge=1, le=10)] = 1  # in files of before there is one


class ModelCard(Stored):
    """All of a model but its weights."""

    format: Literal["synthgen"] = "synthgen"
    version: Literal[1] = 1
    model_type: ModelType
    config: dict[str, Any]
    columns: tuple[Column, ...]
    chunk_rows: int = Field(ge=1, le=1_000_000)
    rows: int = Field(ge=1)  # that it was trained on
    libraries: dict[str, str]
    codec: TableCodec
    refinement: RefinementCard | None


def write_model(path: Path, card: ModelCard, tensors: Tensors) -> None:
    """A file that is there already is replaced by a whole one, or stays.

    Raises: JobError, code "model_too_large", for what `read_model` would refuse.
    """
    contiguous = {name: tensor.copy(order="C") for name, tensor in tensors.items()}
    members = {CARD: card.model_dump_json().encode(), WEIGHTS: safetensors.numpy.save(contiguous)}
    if any(len(members[name]) > MOST_BYTES[name] for name in members):
        detail = "The model is too large for a file: learn fewer columns, or columns of fewer or shorter values."
        raise JobError(detail, "model_too_large")
    unfinished = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with unfinished.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                member = zipfile.ZipInfo(name, LONG_AGO)
                member.external_attr = 0o600 << 16
                archive.writestr(member, content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_model(path: Path) -> tuple[ModelCard, Tensors]:
    """Raises: JobError, code "model_corrupt"; OSError, for no file, or a disk that is away."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), path.stat().st_size)
            card = ModelCard.model_validate_json(archive.read(CARD))
            tensors = safetensors.numpy.load(archive.read(WEIGHTS))
    except ValidationError as error:
        # Not pydantic's own text, which quotes the input.
        places = sorted({".".join(map(str, found["loc"][:3])) for found in error.errors()})
        raise corrupt_model(f"its card does not fit at {', '.join(places[:3])}") from None
    except BROKEN as error:
        if isinstance(error, UNREADABLE) or is_disk_away(error):
            raise
        raise corrupt_model("it cannot be read") from error
    if [column.name for column in card.columns] != [codec.name for codec in card.codec.columns]:
        raise corrupt_model("its columns do not fit together")
    return card, tensors


def check_tensors(tensors: Tensors, expected: dict[str, tuple[tuple[int, ...], np.dtype]]) -> None:
    """Refuse weights that are not exactly those expected, or not finite."""
    if tensors.keys() != expected.keys():
        raise corrupt_model("its tensors are not those of its type")
    for name, (shape, dtype) in expected.items():
        if tensors[name].shape != shape or tensors[name].dtype != dtype:
            raise corrupt_model("a tensor has another shape or type than its config says")
        if not np.isfinite(tensors[name]).all():
            raise corrupt_model("a tensor is not finite")


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    if sorted(member.filename for member in members) != sorted(MOST_BYTES):
        raise corrupt_model("it holds other files than a model does")
    for member in members:
        is_stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not is_stored or member.file_size > MOST_BYTES[member.filename]:
            raise corrupt_model("it is compressed or too large")
    if sum(member.file_size for member in members) > size:
        raise corrupt_model("it claims to hold more than it does")  # and reading it would make room for the claim
