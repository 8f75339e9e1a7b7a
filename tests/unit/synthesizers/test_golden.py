"""Files of an earlier version load, and give the rows they gave."""

import json

import pytest

from synthgen_ray.synthesizers.base import load
from tests.unit.synthesizers import golden

EXPECTED = json.loads(golden.EXPECTED.read_text())


@pytest.fixture(scope="module")
def rows(model_type):
    return load(golden.file_of(model_type)).sample(golden.ROWS, seed=golden.SEED)


def test_what_they_make_up_is_the_same_everywhere(rows, model_type):
    for name, digest in EXPECTED[model_type]["fresh"].items():
        assert golden.digest(rows.select([name])) == digest, name


def test_what_they_learnt_is_close_on_any_machine(rows, model_type):
    outline = golden.outline(rows)

    for name, expected in EXPECTED[model_type]["outline"].items():
        assert outline[name] == pytest.approx(expected, rel=0.02, abs=0.02), name


def test_rows_are_the_same_where_float_kernels_are(rows, model_type):
    if golden.machine() != EXPECTED[model_type]["machine"]:
        pytest.skip("other float kernels than those that wrote the file")

    assert golden.digest(rows) == EXPECTED[model_type]["sha256"]


def test_files_are_small(model_type):
    assert golden.file_of(model_type).stat().st_size < 200_000
