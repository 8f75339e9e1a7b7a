"""Files of an earlier version load, and give the rows they gave."""

import json

import pyarrow as pa
import pytest

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create, load
from tests.unit.synthesizers import golden

EXPECTED = json.loads(golden.EXPECTED.read_text())


@pytest.fixture(scope="module", params=golden.NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def rows(name):
    return load(golden.file_of(name)).sample(golden.ROWS, seed=golden.SEED)


def test_what_they_make_up_is_the_same_everywhere(rows, name):
    for column, digest in EXPECTED[name]["fresh"].items():
        assert golden.digest(rows.select([column])) == digest, column


def test_what_they_learnt_is_close_on_any_machine(rows, name):
    outline = golden.outline(rows)

    for column, expected in EXPECTED[name]["outline"].items():
        assert outline[column] == pytest.approx(expected, rel=0.02, abs=0.02), column


def test_rows_are_the_same_where_float_kernels_are(rows, name):
    if golden.machine() != EXPECTED[name]["machine"]:
        pytest.skip("other float kernels than those that wrote the file")

    assert golden.digest(rows) == EXPECTED[name]["sha256"]


def test_files_are_small(name):
    assert golden.file_of(name).stat().st_size < 300_000


def test_a_copula_of_an_earlier_version_learns_as_a_new_one():
    table = pa.table({"kind": ["a", "b", None, "c"] * 50, "x": [float(n) for n in range(200)]})
    earlier = load(golden.file_of(ModelType.GAUSSIAN_COPULA))
    new = create(ModelType.GAUSSIAN_COPULA, earlier.params.model_dump())

    assert earlier.fit(table).sample(100, seed=1) == new.fit(table).sample(100, seed=1)
