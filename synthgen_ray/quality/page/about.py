"""Where a synthetic table comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from synthgen_ray.domain.params import ModelType


@dataclass(frozen=True)
class About:
    """The model, what it learnt and how, and what else a reader needs to make the same table again."""

    model_name: str
    model_type: ModelType
    model_id: UUID
    config: Mapping[str, Any]  # JSON
    dataset_name: str
    dataset_version: int
    losses: tuple[tuple[int, Mapping[str, float]], ...]  # (epoch, its losses by name), in order; none of a copula
    seed: int | None  # of the synthetic rows
    conditions: Mapping[str, Any]  # JSON; that they were made under, and that the real rows beside them fit
    versions: Mapping[str, str]  # of the packages that had a part in it
    created_at: datetime  # of the report
