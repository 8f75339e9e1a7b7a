"""What every draw of rows refuses, and how large a chunk of long rows is."""

import pyarrow as pa
import pytest
from torch import OutOfMemoryError

from synthgen_ray.domain.errors import InvalidRequest, JobError
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.domain.widths import CHUNK_BYTES, listed, widest_row
from synthgen_ray.jobs.drawing import drawing
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula

TEXTS = ["a" * 900_000, "b" * 900_000, "c" * 900_000]


@pytest.fixture(scope="module")
def long_winded() -> GaussianCopula:
    return GaussianCopula(seed=0).fit(pa.table({"text": TEXTS * 10, "n": range(30)}))


def test_a_chunk_of_long_rows_has_few_of_them(long_winded):
    assert long_winded.chunk_rows * 900_000 < CHUNK_BYTES
    assert long_winded.sample(200, seed=1)["text"].combine_chunks().nbytes > CHUNK_BYTES  # more than a chunk


def test_a_chunk_of_rows_with_long_names_has_few_of_them():
    name = "\U0001f600" * 3000  # longer than an upload may have it
    model = GaussianCopula(seed=0).fit(pa.table({name: range(30)}))

    assert model.chunk_rows * len(name.encode()) < CHUNK_BYTES


def test_columns_with_too_much_to_list_are_not_listed_and_known_to_be_as_wide(long_winded):
    text, number = listed(long_winded.learned_columns)

    assert (text.categories, text.unlisted) == (None, True)
    assert number == long_winded.learned_columns[1]
    assert widest_row((text, number)) == widest_row(long_winded.learned_columns)


@pytest.mark.parametrize("asked", [{"conditions": {"text": "d"}}, {"distribution": {"text": {"d": 1.0}}}])
def test_what_was_not_listed_is_checked_when_it_is_drawn(long_winded, asked):
    with pytest.raises(InvalidRequest) as refused, drawing(long_winded, DrawParams(**asked)):
        pass

    assert refused.value.code == "unknown_value"


def test_rows_that_are_too_large_for_arrow_are_a_reason(long_winded):
    with pytest.raises(JobError) as failed, drawing(long_winded):
        pa.array(["what Arrow says quotes the cell"]).cast(pa.int64())

    assert failed.value.code == "rows_too_large"
    assert "cell" not in failed.value.detail


def test_a_gpu_without_room_for_them_is_a_reason_as_a_machine_is(long_winded):
    with pytest.raises(MemoryError), drawing(long_winded):
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
