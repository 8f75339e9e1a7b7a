"""How many real rows other rows are like is told where they are none, or k and more."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.fidelity import Tables
from synthgen_ray.quality.page import render
from synthgen_ray.quality.privacy import copied, repeated_values
from tests.unit.quality.page.assessments import an_about
from tests.unit.quality.page.reading import Page
from tests.unit.quality.tables import given_columns

K, ROWS = 5, 1000


@pytest.mark.parametrize(("repeated", "told_share"), [(0, 0.0), (2, None), (4, None), (6, 0.006), (998, 0.995)])
def test_rows_that_few_have_in_common_are_not_told(repeated, told_share):
    values = np.arange(ROWS) * 1.0
    values[:repeated] = 0.0
    real = Cells({"x": values})

    assert copied(Tables(real, real, None), K).ceiling == told_share
    holdout = Cells({"x": np.where(np.arange(ROWS) < repeated, 5000.0, -1.0 - np.arange(ROWS))})
    with_one = Cells({"x": np.append(values, 5000.0)})
    assert copied(Tables(with_one, real, holdout), K).ceiling == told_share


def test_texts_that_few_rows_of_the_holdout_share_are_not_told():
    real, holdout = (pa.table({"name": [f"{who} {place}" for place in range(40)]}) for who in ("Ann", "Bob"))
    three, ten = (
        pa.table({"name": real["name"].to_pylist()[:few] + holdout["name"].to_pylist()[few:]}) for few in (3, 10)
    )
    columns = given_columns({"name": ColumnKind.TEXT})

    found = [
        repeated_values(real, holdout, other, columns, K).fresh[0].copies.ceiling for other in (holdout, three, ten)
    ]

    assert found == [0.0, None, 0.25]


def test_the_page_says_that_fewer_than_k_rows_are_repeated():
    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(2, 200))
    x[1], y[1] = x[0], y[0]
    columns = given_columns({"x": ColumnKind.FLOAT, "y": ColumnKind.FLOAT})

    found = assess(pa.table({"x": x, "y": y}), pa.table({"x": y, "y": x}), None, columns)

    assert found.privacy.copies.ceiling is None
    assert "Fewer than 5 real rows are there more than once." in Page(render(found, an_about())).text
