"""A training between two steps, as one file: what another process needs to go on as if nothing had happened.

Random numbers are not in it: those of a step follow from the seed and the step's number. It is a safetensors file whose
header holds the rest as JSON; nothing in it can run.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np
from pydantic import Field
from safetensors import safe_open

from synthgen_ray.synthesizers.columns.stored import Stored
from synthgen_ray.synthesizers.model_file import BROKEN, Tensors

HEADER = "checkpoint"


Losses = dict[int, dict[str, float]]  # by the epochs, counted from 1, and their names


@dataclass(frozen=True)
class Checkpoint:
    step: int  # steps that are done
    steps: int  # of the whole training
    tensors: Tensors
    losses: Losses = field(default_factory=dict)  # of these steps
    seconds: float = 0.0  # that these steps took

    @property
    def fraction(self) -> float:
        return self.step / self.steps


class Checkpoints(Protocol):
    """Where a training's checkpoints are kept."""

    seconds_used: float  # by earlier attempts at this training

    def latest(self) -> Checkpoint | None:
        """The one to go on from. To be asked for once: it is as large as the training's state."""

    def is_due(self) -> bool: ...

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep it, now or soon: the training goes on meanwhile. What it raises ends the training."""


class NoCheckpoints:
    seconds_used = 0.0

    def latest(self) -> None:
        return None

    def is_due(self) -> bool:
        return False

    def save(self, checkpoint: Checkpoint) -> None:  # noqa: ARG002
        raise AssertionError("none is ever due")


class Unusable(Exception):
    """A checkpoint is damaged, or of another training."""


class Header(Stored):
    format: Literal["synthgen checkpoint"] = "synthgen checkpoint"
    version: Literal[1] = 1
    training: str  # a fingerprint of all that the training follows from
    step: int = Field(ge=1)
    steps: int = Field(ge=1)
    losses: Losses = Field(default_factory=dict)  # those of earlier releases have none
    seconds: float = Field(0.0, ge=0)  # nor this


def write_checkpoint(file: BinaryIO, checkpoint: Checkpoint, training: str) -> None:
    """One tensor after the other: `safetensors.numpy.save` makes two copies of all of them, while the training goes on.

    Source: the README of safetensors, "Format".
    """
    header = Header(
        training=training,
        step=checkpoint.step,
        steps=checkpoint.steps,
        losses=checkpoint.losses,
        seconds=checkpoint.seconds,
    )
    described: dict[str, object] = {"__metadata__": {HEADER: header.model_dump_json()}}
    end = 0
    for name, tensor in checkpoint.tensors.items():
        start, end = end, end + tensor.nbytes
        dtype = f"{tensor.dtype.kind.upper()}{8 * tensor.dtype.itemsize}"
        described[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": [start, end]}
    text = json.dumps(described).encode()
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in checkpoint.tensors.values():
        file.write(tensor.reshape(-1).view(np.uint8).data)


def read_checkpoint(path: Path, training: str) -> Checkpoint:
    """Raises: Unusable."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = Header.model_validate_json(file.metadata()[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (MemoryError, *BROKEN) as error:
        raise Unusable("it cannot be read") from error
    if header.training != training:
        raise Unusable("it is of another training")
    return Checkpoint(header.step, header.steps, tensors, header.losses, header.seconds)
