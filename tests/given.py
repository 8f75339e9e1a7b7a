"""Small values that tests start from."""

from uuid import uuid4

from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.domain.columns import Column, ColumnKind, LearnedColumn
from synthgen_ray.domain.entities import Artifact, Part, TrainedModel
from synthgen_ray.domain.reports import ReportScores

COLUMNS = (Column("age", ColumnKind.INTEGER, cardinality=60), Column("income", ColumnKind.CATEGORICAL, cardinality=2))
ADMIN = Principal(uuid4(), Role.ADMIN)
LEARNED = (
    LearnedColumn("age", ColumnKind.INTEGER, nullable=False, minimum=17, maximum=90),
    LearnedColumn("income", ColumnKind.CATEGORICAL, nullable=False, categories=("<=50K", ">50K")),
)

SCORES = ReportScores("good", 0.98, 0.96, 0.53, 0.91, 0.92, 0.0, 0.5)


def an_artifact(num_rows: int = 100) -> Artifact:
    artifact_id = uuid4()
    return Artifact(artifact_id, f"somewhere/{artifact_id}", (Part("part-00000", num_rows, 1234),), "ab" * 32)


def a_trained_model() -> TrainedModel:
    return TrainedModel(an_artifact(), LEARNED, chunk_rows=1000)
