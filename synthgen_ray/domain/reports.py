"""Reports: what may be asked for, and what they are made of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from synthgen_ray.domain.params import Params, Seed

# Rows that a report draws where nobody says how many: more change no score that it shows.
DRAWN_ROWS = 100_000
MIN_ROWS, MAX_ROWS = 10, 1_000_000


class ReportKind(StrEnum):
    SYNTHGEN = "synthgen"  # of a model's rows


class ReportFormat(StrEnum):
    HTML = "html"
    JSON = "json"

    @property
    def file(self) -> str:
        """In the folder of the artifact."""
        return f"report.{self}"


@dataclass(frozen=True)
class ReportScores:
    """The few numbers of a report that its row shows; `None` where the tables do not have one."""

    verdict: str  # good, warn or bad: the worst that it finds
    column_shapes: float | None
    pair_trends: float | None
    detection_auc: float | None
    utility: float | None  # of what is learnt from the synthetic rows, tried on real ones
    utility_real: float | None  # of what is learnt from real rows
    copies: float | None  # share of the synthetic rows that are real ones
    distance_share: float | None  # 0.5 is best: closer to the rows that were learnt than to others


class ReportParams(Params):
    """Which rows are judged, and for what they are to be of use."""

    synthgen_job_id: UUID | None = Field(
        None,
        strict=False,
        description="A completed generation of the model, whose rows are judged. Those made under `conditions` are"
        " compared with the real rows that fit the same conditions, if there are enough. One with a `distribution`"
        " is refused: the real rows have other shares than those that were asked for.",
    )
    num_rows: int | None = Field(
        None,
        ge=MIN_ROWS,
        le=MAX_ROWS,
        description=f"Rows to draw and judge; null for as many as the model has learnt, at most {DRAWN_ROWS:,}.",
    )
    seed: Seed | None = Field(None, description="The same seed gives the same report.")
    target: str | None = Field(
        None, min_length=1, max_length=255, description="Column to predict from the others; null for one that fits."
    )

    @model_validator(mode="after")
    def _rows_are_made_or_drawn(self) -> Self:
        if self.synthgen_job_id is not None and self.num_rows is not None:
            raise PydanticCustomError(
                "conflicting_options",
                "the rows are those of synthgen_job_id, or num_rows are drawn: leave one of them out",
            )
        return self
