"""Assessments made by hand, to draw pages of."""

import math
from datetime import UTC, datetime
from itertools import combinations, starmap
from uuid import UUID

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.quality.assessment import (
    Assessment,
    Associations,
    Attack,
    Bin,
    BinKind,
    ColumnResult,
    CopiedValues,
    Fidelity,
    Finding,
    LeftOut,
    Level,
    Measure,
    MissingTogether,
    PairResult,
    Privacy,
    Scope,
    Utility,
)
from synthgen_ray.quality.definitions import DEFINITIONS
from synthgen_ray.quality.page import About
from tests.unit.quality.tables import only_copies

NAMES = ("age", "fnlwgt", "education", "occupation", "capital_gain", "hours_per_week", "country", "income")
NONE = Measure(value=None)


def an_about(**changes) -> About:
    facts = {
        "model_name": "Census",
        "model_type": ModelType.TVAE,
        "model_id": UUID("6a1f8e70-0000-4000-8000-000000000001"),
        "config": {"epochs": 300, "compress_dims": [128, 128], "max_training_seconds": None},
        "dataset_name": "adult",
        "dataset_version": 0,
        "losses": tuple((e, {"reconstruction": 30 / (e + 3), "kl": 4 - math.exp(-e / 40)}) for e in range(300)),
        "seed": 42,
        "conditions": {},
        "versions": {"synthgen-ray": "0.1.0", "torch": "2.13.0"},
        "created_at": datetime(2026, 2, 25, 10, tzinfo=UTC),
    }
    return About(**{**facts, **changes})


def an_assessment(names: tuple[str, ...] = NAMES, **changes) -> Assessment:
    """Of a table with these columns, numbers and categories in turn, with a hold-out unless `changes` say otherwise."""
    columns = tuple(a_column(name, place) for place, name in enumerate(names))
    parts = {
        "scope": Scope(
            real_rows=29_305,
            synthetic_rows=32_561,
            generated_rows=32_561,
            holdout_rows=3_256,
            max_rows=50_000,
            columns=names,
            left_out=(LeftOut(column="customer_id", kind=ColumnKind.ID, reason="An id tells rows apart, no more."),),
            seed=7,
            k=5,
        ),
        "verdict": (
            a_finding(Level.WARN, "fidelity", "A classifier tells real from synthetic rows.", "Train for longer."),
            a_finding(Level.GOOD, "fidelity", "Columns are shaped as the hold-out's are.", ""),
            a_finding(Level.GOOD, "utility", "Models that learn from it come close to those of the real table.", ""),
            a_finding(Level.GOOD, "privacy", "It is no closer to the training rows than to rows never seen.", ""),
        ),
        "fidelity": Fidelity(
            column_shapes=Measure(value=0.952, ceiling=0.991),
            pair_trends=Measure(value=0.905, ceiling=0.984),
            accuracy_1way=Measure(value=0.961, ceiling=0.988),
            accuracy_2way=Measure(value=0.912, ceiling=0.969),
            accuracy_3way=Measure(value=0.853, low=0.848, high=0.858, ceiling=0.932),
            validity=Measure(value=1.0, ceiling=1.0),
            coverage=Measure(value=0.914, ceiling=0.941),
            key_uniqueness=NONE,
            missing_values=Measure(value=0.982, ceiling=0.995),
            detection_auc=Measure(value=0.731, low=0.722, high=0.739, ceiling=0.503),
        ),
        "columns": columns,
        "pairs": tuple(starmap(a_pair, combinations(names, 2))) if "pairs" not in changes else (),
        "associations": some_associations(names),
        "missing_together": (
            MissingTogether(columns=(names[0], names[0]), real=0.05, synthetic=0.04),
            MissingTogether(columns=(names[0], names[-1]), real=None, synthetic=0.0002),
        ),
        "utility": Utility(
            target=names[-1],
            chosen="Guessed: the last column of 2 to 20 categories.",
            task="classification",
            metric="auc",
            tested_on="hold-out",
            synthetic=Measure(value=0.887, low=0.874, high=0.899, ceiling=0.924),
            real=Measure(value=0.924, low=0.914, high=0.934),
        ),
        "privacy": Privacy(
            copies=Measure(value=0.0004, ceiling=0.0011),
            copied_values=(
                CopiedValues(column="customer_id", kind=ColumnKind.ID, copies=Measure(value=0.02, ceiling=0.03)),
            ),
            remembered=Measure(value=0.013, low=0.0, high=0.041, ceiling=0.0),
            distance_share=Measure(value=0.508, low=0.498, high=0.518, ceiling=0.5),
            distance_ratio=Measure(value=0.61, low=0.6, high=0.62, ceiling=0.6),
            singling_out=(an_attack("singling_out", "age, country, education", 0.012),),
            inference=tuple(an_attack("inference", name, 0.021 - place / 500) for place, name in enumerate(names[:6])),
        ),
        "definitions": DEFINITIONS,
    }
    return Assessment(**{**parts, **changes})


def without_holdout() -> Assessment:
    whole = an_assessment()
    return an_assessment(
        scope=whole.scope.model_copy(update={"holdout_rows": None}),
        verdict=(*whole.verdict[1:3], a_finding(Level.WARN, "privacy", "Nothing was held out.", "Hold rows out.")),
        fidelity=Fidelity(**{name: _without_ceiling(measure) for name, measure in whole.fidelity}),
        columns=tuple(
            column.model_copy(
                update={"shape": _without_ceiling(column.shape), "accuracy": _without_ceiling(column.accuracy)}
            )
            for column in whole.columns
        ),
        pairs=(),
        utility=None,
        privacy=only_copies(Measure(value=0.0)),
    )


def _without_ceiling(measure: Measure) -> Measure:
    return measure.model_copy(update={"ceiling": None})


def a_finding(level: Level, area: str, sentence: str, advice: str) -> Finding:
    return Finding(level=level, area=area, sentence=sentence, advice=advice)


def a_column(name: str, place: int = 0, distribution: tuple[Bin, ...] | None = None) -> ColumnResult:
    numeric = place % 2 == 0
    return ColumnResult(
        name=name,
        kind=ColumnKind.INTEGER if numeric else ColumnKind.CATEGORICAL,
        shape=Measure(value=0.9 + place % 9 / 100, ceiling=0.99),
        shape_by="ks_complement" if numeric else "tv_complement",
        accuracy=Measure(value=0.91, ceiling=0.98),
        validity=Measure(value=1.0),
        coverage=Measure(value=0.88),
        real_nulls=0.05 if place == 0 else None,
        synthetic_nulls=0.04 if place == 0 else 0.0,
        distribution=distribution or (a_histogram() if numeric else some_categories()),
    )


def a_histogram() -> tuple[Bin, ...]:
    def heights(centre: float) -> list[float]:
        bells = [math.exp(-((place - centre) ** 2) / 18) for place in range(20)]
        return [0.95 * bell / sum(bells) for bell in bells]

    both = zip(heights(7), heights(8.2), strict=True)
    bins = [
        Bin(kind=BinKind.RANGE, label=None, low=17 + 3.65 * place, high=20.65 + 3.65 * place, real=r, synthetic=s)
        for place, (r, s) in enumerate(both)
    ]
    return (*bins, a_bin(BinKind.NULL, None, 0.05, 0.04))


def some_categories() -> tuple[Bin, ...]:
    named = [("HS-grad", 0.32, 0.35), ("Some-college", 0.22, 0.2), ("Bachelors", 0.17, 0.19), ("Masters", 0.05, 0.04)]
    return (*(a_bin(BinKind.CATEGORY, *one) for one in named), a_bin(BinKind.REST, None, 0.24, 0.22))


def a_bin(kind: BinKind, label: str | None, real: float, synthetic: float) -> Bin:
    return Bin(kind=kind, label=label, low=None, high=None, real=real, synthetic=synthetic)


def a_pair(one: str, other: str) -> PairResult:
    return PairResult(
        columns=(one, other),
        related=other != "income",
        trend=Measure(value=0.83, ceiling=0.97),
        trend_by="contingency_similarity",
        accuracy=Measure(value=0.86, ceiling=0.95),
    )


def some_associations(names: tuple[str, ...]) -> Associations:
    places = range(len(names))
    real = tuple(tuple(1.0 if i == j else 0.6 / (1 + abs(i - j)) for j in places) for i in places)
    synthetic = tuple(tuple(1.0 if i == j else real[i][j] * (i + j) / 9 % 1 for j in places) for i in places)
    difference = tuple(tuple(synthetic[i][j] - real[i][j] for j in places) for i in places)
    return Associations(columns=names, real=real, synthetic=synthetic, difference=difference)


def an_attack(name: str, by: str, risk: float) -> Attack:
    return Attack(
        name=name,
        by=by,
        attempts=1_000,
        success=Measure(value=0.034, low=0.025, high=0.046),
        baseline=Measure(value=0.011, low=0.006, high=0.019),
        control=Measure(value=0.022, low=0.015, high=0.032),
        risk=Measure(value=risk, low=0.0, high=risk + 0.015),
    )
