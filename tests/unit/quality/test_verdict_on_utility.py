"""What is said of what synthetic rows teach."""

import numpy as np
import pandas as pd
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Finding, Level, Measure, NoUtility, Utility
from synthgen_ray.quality.verdict import verdict
from tests.unit.quality.tables import (
    NONE,
    UNKNOWN,
    a_scope,
    as_table,
    given_columns,
    only_copies,
)


@pytest.mark.parametrize(
    ("kept", "half_width", "level"),
    [
        (1.0, 0.1, Level.GOOD),
        (0.9, 0.06, Level.GOOD),
        (0.9, 0.03, Level.WARN),
        (0.75, 0.1, Level.WARN),
        (0.75, 0.3, Level.WARN),
        (0.98, 0.3, Level.GOOD),
        (0.6, 0.1, Level.BAD),
    ],
)
def test_what_rows_teach_is_judged_by_the_interval_of_what_is_lost(kept, half_width, level):
    lost = [0.4 * (1 - kept + off) for off in (0, -half_width, half_width)]
    utility = Utility(
        target="t",
        chosen="",
        task="classification",
        metric="auc",
        tested_on="hold-out",
        synthetic=Measure(value=0.9 - lost[0], low=0.6, high=0.99),
        real=Measure(value=0.9),
        lost=Measure(value=lost[0], low=lost[1], high=lost[2]),
    )

    found = verdict(UNKNOWN, (), (), utility, only_copies(NONE), a_scope(900, 100))

    said = next(finding for finding in found if finding.area == "utility")
    assert said.level is level
    assert ("too few to tell: it may be" in said.sentence) == (kept == 0.75 and half_width == 0.3)


def _of_utility(**changes) -> Finding | None:
    facts = {"target": "t", "chosen": "", "task": "classification", "metric": "auc", "tested_on": "hold-out"}
    utility = Utility(**(facts | {"real": Measure(value=0.9), "synthetic": Measure(value=0.5)} | changes))
    found = verdict(UNKNOWN, (), (), utility, only_copies(NONE), a_scope(900, 100))
    return next((finding for finding in found if finding.area == "utility"), None)


def test_what_rows_teach_is_never_bad_without_an_interval():
    unsure = _of_utility(lost=Measure(value=0.4))

    assert unsure.level is Level.WARN
    assert unsure.sentence.endswith("How sure that is is not known.")
    assert _of_utility(lost=Measure(value=0.4, low=0.3, high=0.5)).level is Level.BAD
    assert _of_utility(synthetic=Measure(value=0.5, low=0.45, high=0.55)).level is Level.BAD


@pytest.mark.parametrize("was_named", [True, False])
def test_who_named_a_target_is_told_why_it_was_not_measured(was_named):
    lacking = NoUtility(target="t", was_named=was_named, reason="there is no other column to learn it from")

    found = verdict(UNKNOWN, (), (), None, only_copies(NONE), a_scope(900, 100), lacking)

    said = [(finding.level, finding.sentence) for finding in found if finding.area == "utility"]
    sentence = "What synthetic rows teach of 't' is not measured: there is no other column to learn it from."
    assert said == ([(Level.WARN, sentence)] if was_named else [])


def test_a_table_that_teaches_nothing_of_a_rare_class_is_not_good_to_hand_out():
    def frauds(seed: int, rows: int, *, all_well: bool = False) -> pd.DataFrame:
        amount = np.random.default_rng(seed).normal(size=rows)
        return pd.DataFrame({"amount": amount, "kind": np.where((amount > 1.8) & (not all_well), "fraud", "fine")})

    columns = given_columns({"amount": ColumnKind.FLOAT, "kind": ColumnKind.CATEGORICAL})
    tables = [as_table(frame) for frame in (frauds(0, 900), frauds(1, 900, all_well=True), frauds(2, 400))]
    found = assess(*tables, columns, target="kind")

    assert (found.verdict[0].level, found.verdict[0].area) == (Level.BAD, "utility")
    assert found.verdict[0].sentence.startswith("Synthetic rows teach 0% of what real rows teach of 'kind'")
