"""What an assessment says: numbers with their intervals, what a page draws from, and a verdict.

All of it may be handed out with the synthetic table: it holds no row of the real one, no category, null or bin that
fewer than k of its rows have, and no number or moment of one of them: the ends of a range are means of k. Scores are
told in steps as wide as k rows, so that no smaller count follows from them (`telling.py`).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from synthgen_ray.domain.columns import ColumnKind

Edge = float | str  # of a number, or of a moment in ISO 8601
HOLDOUT = "hold-out"
Matrix = tuple[tuple[float, ...], ...]


class Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Measure(Result):
    """A number. `value` is `None` where the tables do not have it: a correlation with a constant."""

    value: float | None
    low: float | None = None  # 95 % interval, where rows or groups of columns were sampled
    high: float | None = None
    ceiling: float | None = None  # what the hold-out gets in the place of the synthetic table
    # What one half of the real rows gets beside the other, where too few were held out to tell a ceiling.
    halves: float | None = None
    # What as many synthetic rows get in the place of the hold-out, or of that other half, where the verdict needs it.
    matched: float | None = None


class Definition(Result):
    """What a measure is, for who reads its number."""

    title: str
    meaning: str
    best: float
    source: str


class LeftOut(Result):
    column: str
    kind: ColumnKind
    reason: str


class Groups(Result):
    """Of columns: of a wide table some, drawn by `seed`, stand for all."""

    looked_at: int
    among: int


class Scope(Result):
    """What was looked at, and how much of it."""

    real_rows: int
    synthetic_rows: int
    generated_rows: int  # of which the synthetic ones are so many, spread evenly over them
    holdout_rows: int | None
    max_rows: int  # of larger tables so many rows, drawn by `seed`, stand for all in what is dear; see `definitions`
    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...]  # not compared value by value
    pairs: Groups = Groups(looked_at=0, among=0)
    triples: Groups = Groups(looked_at=0, among=0)
    seed: int
    k: int


class BinKind(StrEnum):
    RANGE = "range"  # from `low` to below `high`; the first and the last hold what lies beyond them
    CATEGORY = "category"  # named by `label`
    REST = "rest"  # whatever fewer than k real rows have, and what only the synthetic table has
    NULL = "null"


class Bin(Result):
    """A part of a column's distribution, as shares of all rows."""

    kind: BinKind
    label: str | None
    low: Edge | None
    high: Edge | None
    real: float
    synthetic: float


class ColumnResult(Result):
    """A column by itself. Scores are from 0 to 1, 1 is best."""

    name: str
    kind: ColumnKind
    shape: Measure
    shape_by: Literal["ks_complement", "tv_complement"]
    accuracy: Measure
    validity: Measure  # of the synthetic values, the share within the real range or among the real categories
    coverage: Measure  # of the real range or categories, the share that the synthetic table reaches
    real_nulls: float | None  # as a share; `None` where fewer than k rows have one, or fewer than k have none
    synthetic_nulls: float
    distribution: tuple[Bin, ...]


class PairResult(Result):
    """Two columns. Only the trends of pairs that are `related` in the real table count in their mean; of one that is
    `lost` there is none, since a column hardly varies in the synthetic table: the verdict counts it as 0."""

    columns: tuple[str, str]
    related: bool
    lost: bool = False
    trend: Measure
    trend_by: Literal["correlation_similarity", "contingency_similarity"]
    accuracy: Measure


class Associations(Result):
    """How much each two columns say of each other, 0 to 1; row and column i are `columns[i]`."""

    columns: tuple[str, ...]
    real: Matrix
    synthetic: Matrix
    difference: Matrix  # synthetic - real


class Fidelity(Result):
    """The table as a whole: means over its columns, pairs and triples."""

    column_shapes: Measure
    pair_trends: Measure
    accuracy_1way: Measure
    accuracy_2way: Measure
    accuracy_3way: Measure
    validity: Measure
    coverage: Measure
    key_uniqueness: Measure  # `None` without an id that is unique in the real table
    missing_values: Measure  # `None` where no table has any
    detection_auc: Measure


class MissingTogether(Result):
    """How often two columns, or one with itself, lack a value in the same row, as a share of all rows."""

    columns: tuple[str, str]
    real: float | None  # `None`: fewer than k rows, though not none, have both, either or none of the two
    synthetic: float


class Utility(Result):
    """What a classifier or regressor learns from the synthetic table, tried on real rows."""

    target: str
    chosen: str  # how the target came to be chosen
    was_named: bool = True
    task: Literal["classification", "regression"]
    metric: Literal["auc", "r2"]
    tested_on: str
    synthetic: Measure  # its ceiling is `real`
    real: Measure
    lost: Measure | None = None  # what `real` is above `synthetic`, with the interval of that difference


class NoUtility(Result):
    """Why there is no `Utility`."""

    target: str | None  # `None`: there is no column to learn
    was_named: bool
    reason: str


class Attack(Result):
    """An attacker with the synthetic table, in shares of `attempts` that succeeded.

    `risk` is what the rows that training saw lose beyond those that it did not see (`control`).
    """

    name: Literal["singling_out", "inference"]
    by: str  # the attributes that the attacker uses, or the secret that is guessed
    attempts: int
    success: Measure
    baseline: Measure  # the same attack by guesses that need no synthetic table
    control: Measure
    risk: Measure
    certain_risk: float | None = None  # less what one of so many attacks has by chance: the verdict goes by it


class CopiedValues(Result):
    """Of an id, a text, personal data, or numbers that look like ids: the share of the synthetic values that the real
    column has too."""

    column: str
    kind: ColumnKind
    copies: Measure
    scattered: bool = False  # ids that do not count up, so that a new one hits an old one by no chance


class Privacy(Result):
    """Without a hold-out there is nothing to compare with: then distances are `None`, and no attacks are tried."""

    # The share of synthetic rows that are rows of the real table in all that is compared. The ceiling is the share of
    # the hold-out's; without one, the share of real rows that are there more than once. `None`: of fewer than 2 k.
    copies: Measure
    # The same of rows that are there fewer than k times, and of those in all columns but one. Their ceilings are what
    # the real rows get, each beside the others.
    rare_copies: Measure = Measure(value=None)
    near_copies: Measure = Measure(value=None)
    copied_values: tuple[CopiedValues, ...]
    id_like: tuple[CopiedValues, ...] = ()  # of learnt numbers that look like ids
    remembered: Measure | None  # share of synthetic rows that lie closer to a real row than chance explains
    distance_share: Measure | None  # of those that lie closer to one of some real rows than to as many of the hold-out
    distance_ratio: Measure | None  # median of the distances to the closest and the second closest real row, divided
    singling_out: tuple[Attack, ...]
    inference: tuple[Attack, ...]


class Level(StrEnum):
    """From good to bad."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"

    @property
    def severity(self) -> int:
        return list(Level).index(self)

    @classmethod
    def worst_of(cls, levels: "Iterable[Level]") -> "Level | None":
        """`None` of none."""
        return max(levels, key=lambda level: level.severity, default=None)


class Finding(Result):
    """A sentence for who decides whether to hand the table out, and what to do about it (empty for good news)."""

    level: Level
    area: Literal["fidelity", "utility", "privacy"]
    sentence: str
    advice: str


class Assessment(Result):
    """Columns, pairs and attacks come worst first, findings too."""

    scope: Scope
    verdict: tuple[Finding, ...]
    fidelity: Fidelity
    columns: tuple[ColumnResult, ...]
    pairs: tuple[PairResult, ...]
    associations: Associations
    missing_together: tuple[MissingTogether, ...]
    utility: Utility | None  # `None` where there is nothing to learn, or too few rows to try it on
    no_utility: NoUtility | None = None  # which of the two
    privacy: Privacy
    definitions: dict[str, Definition]  # by the names of the fields of `Fidelity` and `Privacy`, and of some of these


class Estimate(Result):
    """What a training ends with: two numbers, each from 0 to 1; `None` where no column, or no pair, can be compared."""

    column_shapes: float | None
    pair_trends: float | None
