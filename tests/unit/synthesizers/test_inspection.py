"""Model files that others have made: what reading them may take, and what may be said of them."""

import asyncio
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.datasets.limits import MIB, UploadLimits
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.corrections import MAX_FORMAT
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.synthesizers import inspection
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from synthgen_ray.synthesizers.inspection import Inspector

TABLE = pa.table({"word": ["a", "b"] * 15, "truth": [True, False, False] * 10, "number": range(30)})


def a_model(table: pa.Table = TABLE) -> GaussianCopula:
    return GaussianCopula(seed=0).fit(table)


@pytest.fixture
def read_here(monkeypatch):
    """What is said of a file is the same in this process, and one of its own takes a second to start."""

    def answer_of(command: list[str]) -> tuple[bytes, int]:
        return inspection.INSPECTED.dump_json(inspection._found(Path(command[-2]))), 0

    monkeypatch.setattr(inspection, "_answer_of", answer_of)


async def refusal(file: Path, **limits: int) -> str:
    with pytest.raises(InvalidRequest) as refused:
        await Inspector(UploadLimits(**limits)).inspect(file)
    assert refused.value.code == "model_corrupt"
    return refused.value.detail


def with_word(model: GaussianCopula, **changes: object) -> GaussianCopula:
    """The same with another codec of its first column."""
    word, *others = model.codec.columns
    changed = word.model_copy(update=changes)
    model._codec = model.codec.model_copy(update={"columns": (changed, *others)})
    model._columns = (replace(model.columns[0], name=changed.name), *model.columns[1:])
    return model


async def test_a_file_that_takes_too_much_memory_is_refused(tmp_path):
    many = 700_000
    tail = {"tail": tuple(f"{i:07}" for i in range(many)), "tail_counts": (1,) * many}
    with_word(a_model(), **tail).save(tmp_path / "model")

    assert "cannot be read" in await refusal(tmp_path / "model", max_memory_bytes=224 * MIB)


async def test_a_file_that_says_too_much_of_its_columns_is_refused(tmp_path):
    with_word(a_model(), name="w" * 9 * MIB).save(tmp_path / "model")

    assert "too great a length" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
async def test_a_file_whose_rows_cannot_be_written_is_refused(tmp_path):
    model = a_model(TABLE.append_column("day", pa.array(range(30), pa.date32())))
    model._columns = (*model.columns[:-1], Column("day", ColumnKind.DATETIME, format="%Z"))
    model.save(tmp_path / "model")

    assert "cannot be written" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("format", ["=1+%Y-%m-%d", '%Y-%m-%d","role":"admin'], ids=["formula", "JSON"])
async def test_a_file_with_dates_that_are_more_than_dates_is_refused(tmp_path, format):
    model = a_model(TABLE.append_column("day", pa.array(range(30), pa.date32())))
    model._columns = (*model.columns[:-1], Column("day", ColumnKind.DATETIME, format=format))
    model.save(tmp_path / "model")

    assert "in a format that is none" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("name", ["a\nb\x1b[31m", "", " ", "x" * 100_000, " number "])
async def test_names_that_no_table_may_have_are_refused(tmp_path, name):
    with_word(a_model(), name=name).save(tmp_path / "model")

    assert "names that no table may have" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
async def test_a_name_with_a_nul_is_refused(tmp_path):
    with_word(a_model(), name="a\x00b").save(tmp_path / "model")

    assert "NUL" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize(
    ("values", "fault"), [(("a\x00", "b"), "NUL"), (("a" * (MIB + 1), "b"), "too long")], ids=["NUL", "length"]
)
async def test_values_that_no_upload_may_have_are_refused(tmp_path, values, fault):
    with_word(a_model(), values=values).save(tmp_path / "model")

    assert fault in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("length", [MAX_FORMAT, MAX_FORMAT + 1])
async def test_a_format_is_as_long_as_that_of_an_upload_at_most(tmp_path, length):
    model = a_model()
    truth = replace(model.columns[1], format="Y" * (length - 2) + "/N")
    model._columns = (model.columns[0], truth, model.columns[2])
    model.save(tmp_path / "model")

    if length > MAX_FORMAT:
        assert "a format that is too long" in await refusal(tmp_path / "model")
    else:
        await Inspector(UploadLimits()).inspect(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
async def test_so_is_that_of_dates_which_are_kept_as_text(tmp_path):
    days = pa.array([f"2024-01-{day:02}" for day in range(1, 31)])
    model = a_model(TABLE.append_column("day", days))
    *others, day = model.codec.columns
    long = day.wrapped.model_copy(update={"format": day.wrapped.format + "x" * MAX_FORMAT})
    changed = day.model_copy(update={"wrapped": long})
    model._codec = model.codec.model_copy(update={"columns": (*others, changed)})
    model.save(tmp_path / "model")

    assert "a format that is too long" in await refusal(tmp_path / "model")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("values", [("a\\u0000", "b"), ("a" * MIB, "b"), ("\x1b[31m\n", "")])
async def test_values_that_an_upload_may_have_are_taken(tmp_path, values):
    with_word(a_model(), values=values).save(tmp_path / "model")

    facts = await Inspector(UploadLimits()).inspect(tmp_path / "model")

    assert facts.columns[0].name == "word"


async def test_whatever_type_a_library_has_learnt_is_taken(tmp_path):
    numbers = np.arange(30) % 20
    times = {str(type_): pa.array(numbers).cast(pa.int32()).view(type_) for type_ in (pa.time32("s"), pa.date32())}
    durations = {str(type_): pa.array(numbers).view(type_) for type_ in (pa.duration("ns"), pa.time64("us"))}
    decimals = pa.array(map(Decimal, numbers.tolist()), pa.decimal32(9, 2))
    others = {"half": pa.array(numbers.astype(np.float16)), "decimal": decimals}
    a_model(pa.table(times | durations | others)).save(tmp_path / "model")

    facts = await Inspector(UploadLimits()).inspect(tmp_path / "model")

    assert len(facts.columns) == 6


async def test_as_many_are_read_at_a_time_as_are_allowed(tmp_path):
    a_model().save(tmp_path / "model")
    inspector = Inspector(UploadLimits(max_running=1))
    reading = asyncio.gather(*(inspector.inspect(tmp_path / "model") for _ in range(2)))

    most = 0
    while not reading.done():
        most = max(most, len(inspections()))
        await asyncio.sleep(0.1)

    assert most == 1
    assert len(await reading) == 2


def inspections() -> list[int]:
    """Processes of ours that read a model's file."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, status = (folder / "cmdline").read_bytes(), (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(status.rpartition(")")[2].split()[1])
        if parent == os.getpid() and b"synthgen_ray.synthesizers.inspection" in command:
            found.append(int(folder.name))
    return found
