"""The page of an assessment."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthgen_ray.quality.assessment import Assessment, ColumnResult
from synthgen_ray.quality.page import formatting
from synthgen_ray.quality.page.about import About
from synthgen_ray.quality.page.distribution import distribution
from synthgen_ray.quality.page.heat_map import heat_map, most_telling
from synthgen_ray.quality.page.score_bar import score_bar
from synthgen_ray.quality.page.text import name, prose, visible
from synthgen_ray.quality.page.training_curve import training_curves
from synthgen_ray.quality.page.verdict import areas, judgement

# How much of a long list is on the page, so that one of 400 columns stays below 2 MB.
LIMITS = {
    "findings": 20,  # in each area
    "shown": 6,  # distributions that are open, others are folded
    "drawn": 24,
    "columns": 500,
    "pairs": 10,
    "folded_pairs": 40,
    "missing": 30,
    "missing_pairs": 10,
    "told_attacks": 3,  # of each kind, in words; all are in numbers
    "options": 60,
}


def render(assessment: Assessment, about: About) -> str:
    """One HTML file with its styles and pictures in it, the same for the same arguments."""
    level, headline = judgement(assessment)
    page = _templates().get_template("page.html")
    return page.render(
        assessment=assessment,
        about=about,
        scope=assessment.scope,
        has_holdout=assessment.scope.holdout_rows is not None,
        definitions=assessment.definitions,
        headline=headline,
        level=level,
        areas=areas(assessment),
        with_gaps=_with_gaps(assessment.columns),
        missing_pairs=[pair for pair in assessment.missing_together if pair.columns[0] != pair.columns[1]],
        telling=most_telling(assessment.associations),
        curves=training_curves(about),
        limits=LIMITS,
    )


def _with_gaps(columns: tuple[ColumnResult, ...]) -> list[ColumnResult]:
    """Columns that lack values in a table, those first in which the two differ most."""

    def difference(column: ColumnResult) -> float:
        return abs((column.real_nulls or 0) - column.synthetic_nulls)

    gaps = [column for column in columns if column.real_nulls or column.synthetic_nulls]
    return sorted(gaps, key=difference, reverse=True)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("synthgen_ray.quality.page"),
        autoescape=True,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": name,
        "prose": prose,
        "score": formatting.score,
        "share": formatting.share,
        "count": formatting.count,
        "score_interval": formatting.score_interval,
        "share_interval": formatting.share_interval,
        "json": _json,
        "distribution": distribution,
        "heat_map": heat_map,
        "score_bar": score_bar,
    }
    return environment


def _printed(value: Any) -> Any:
    """Whatever a template prints that is not markup already is made fit to be shown, so that none can forget it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
