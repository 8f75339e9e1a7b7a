"""A few cases of each fuzzer of files; `make fuzz` tries thousands, and uploads them."""

from pathlib import Path

import pytest

from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.errors import SynthGenError
from tests.fuzz import csv_mutations, parquet_mutations
from tests.fuzz.uploads import TAKEN, convert_here

COUNT, COUNT_APART, SEED = 100, 4, 7
MUTANTS = [pytest.param(fuzzer.mutant, id=fuzzer.__name__) for fuzzer in (csv_mutations, parquet_mutations)]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_changed_files_are_taken_or_refused(mutant, tmp_path: Path):
    outcomes = [convert_here(mutant, SEED, number, tmp_path) for number in range(COUNT)]

    assert [outcome for outcome in outcomes if outcome.finding] == []
    assert len({outcome.answer for outcome in outcomes} - {TAKEN}) > 1


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_process_of_their_own_says_the_same_of_them(mutant, tmp_path: Path):
    expected = [convert_here(mutant, SEED, number, tmp_path).answer for number in range(COUNT_APART)]

    answers = [await _answer_apart(mutant, number, tmp_path) for number in range(COUNT_APART)]

    assert answers == expected


async def _answer_apart(mutant, number: int, folder: Path) -> str:
    content, filename = mutant(SEED, number)
    (folder / "upload").write_bytes(content)
    try:
        await Converter(UploadLimits()).convert(folder / "upload", filename, folder / "table.parquet")
    except SynthGenError as error:
        return error.code
    return TAKEN


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_case_of_a_seed_is_always_the_same(mutant):
    assert mutant(SEED, 3) == mutant(SEED, 3)
    assert mutant(SEED, 3) != mutant(SEED + 1, 3)
