"""Conversion in a process of its own: it says what the conversion says, and may die without harm."""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from synthgen_ray.datasets import sandbox
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import MIB, UploadLimits
from synthgen_ray.datasets.messages import Conversion
from synthgen_ray.datasets.nursery import ENVIRONMENT
from synthgen_ray.datasets.reading import convert
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InsufficientStorage, InvalidTable, SynthGenError, Unavailable
from tests.parquet_cases import parquet
from tests.servers import wait_until

TABLE = "name,n,day\nJosé,1,2024-01-31\nZoë,,2024-02-01\n".encode()
SLOW = b"a,b\n" + b"2024-01-31 10:20:30,x1\n" * 8_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(TABLE)
    return path


@pytest.fixture
def slow_source(source: Path) -> Path:
    source.write_bytes(SLOW)
    return source


@pytest.fixture
def large_parquet(source: Path) -> Path:
    """Of 320 MB once it is read."""
    numbers = pa.array(np.zeros(4_000_000))
    source.write_bytes(parquet(pa.table({f"x{place}": numbers for place in range(10)})))
    return source


@pytest.fixture
def bad_source(source: Path) -> Path:
    source.write_bytes(b"n\n9223372036854775808\n")
    return source


def nurseries() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "synthgen_ray.datasets.sandbox" in child.cmdline()]


def children() -> list[psutil.Process]:
    """Those that convert: each has a keeper, and that one the nursery."""
    found = []
    for keeper in (keeper for one in nurseries() for keeper in one.children()):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += keeper.children()
    return found


def names_of_threads(process: psutil.Process) -> set[str]:
    return {Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text().strip() for thread in process.threads()}


async def a_child() -> psutil.Process:
    await asyncio.to_thread(wait_until, lambda: children() and children()[0].cpu_times().user > 0.3, "a busy child", 30)
    return children()[0]


async def test_it_answers_what_the_conversion_answers(source: Path, tmp_path: Path):
    apart = await Converter(UploadLimits()).convert(source, "t.csv", tmp_path / "apart")
    here = convert(source, "t.csv", tmp_path / "here", UploadLimits())

    assert apart == here
    assert (tmp_path / "apart").read_bytes() == (tmp_path / "here").read_bytes()
    assert not children()


async def test_it_refuses_what_the_conversion_refuses(bad_source: Path, tmp_path: Path):
    with pytest.raises(SynthGenError) as refusal:
        await Converter(UploadLimits()).convert(bad_source, "t.csv", tmp_path / "out")
    with pytest.raises(SynthGenError) as expected:
        convert(bad_source, "t.csv", tmp_path / "out", UploadLimits())

    assert type(refusal.value) is type(expected.value) is InvalidTable
    assert (refusal.value.detail, refusal.value.code, refusal.value.errors) == (
        expected.value.detail,
        expected.value.code,
        expected.value.errors,
    )


async def test_a_correction_travels_with_it(source: Path, tmp_path: Path):
    correction = SchemaCorrection.model_validate({"columns": {"n": {"kind": "text"}}})

    summary = await Converter(UploadLimits()).convert(source, "t.csv", tmp_path / "out", correction)

    assert [column.kind for column in summary.columns if column.name == "n"] == ["text"]


async def test_limits_travel_with_it(source: Path, tmp_path: Path):
    with pytest.raises(SynthGenError) as refused:
        await Converter(UploadLimits(max_rows=1)).convert(source, "t.csv", tmp_path / "out")

    assert refused.value.code == "too_many_rows"


def test_the_process_imports_neither_ray_nor_what_learns_nor_the_service():
    script = "import sys, synthgen_ray.datasets.sandbox; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-s", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )

    loaded = set(done.stdout.split())
    assert "pyarrow.parquet" in loaded
    assert not loaded & {"ray", "torch", "pandas", "scipy", "fastapi", "sqlalchemy", "synthgen_ray.service"}


@pytest.mark.parametrize(("number", "refusal"), [(errno.ENOSPC, InsufficientStorage), (errno.EIO, Unavailable)])
def test_what_the_disk_says_is_told_as_such(tmp_path, monkeypatch, number, refusal):
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sandbox, "convert", fail)

    outcome = sandbox._outcome(Conversion(tmp_path / "upload", "a.csv", tmp_path / "table", UploadLimits()))

    assert outcome.refusal
    assert type(outcome.refusal.error) is refusal


async def test_the_process_inherits_nothing_and_leads_its_own_session(slow_source, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_ADMIN_KEY", "secret")
    conversion = asyncio.create_task(Converter(UploadLimits()).convert(slow_source, "t.csv", tmp_path / "out"))

    child = await a_child()
    environment, session, limits = child.environ(), os.getsid(child.pid), child.rlimit(psutil.RLIMIT_AS)

    assert set(environment) <= {*ENVIRONMENT, "LC_CTYPE"}
    assert session == child.pid
    assert limits == (UploadLimits().max_memory_bytes,) * 2
    await conversion


async def test_one_nursery_has_them_all_and_another_follows_it(source: Path, tmp_path: Path):
    converter = Converter(UploadLimits())
    await converter.convert(source, "t.csv", tmp_path / "first")
    (first,) = nurseries()
    await asyncio.gather(*(Converter(UploadLimits()).convert(source, "t.csv", tmp_path / str(n)) for n in range(5)))
    assert nurseries() == [first]
    assert len(names_of_threads(first) - {"jemalloc_bg_thd"}) == 1  # any other would be missing in what it forks

    first.kill()
    first.wait()
    await converter.convert(source, "t.csv", tmp_path / "second")

    assert nurseries() != [first]
    assert (tmp_path / "second").read_bytes() == (tmp_path / "first").read_bytes()


async def test_503_at_once_where_the_nursery_dies_before_it_takes_a_conversation(source: Path, tmp_path: Path):
    converter = Converter(UploadLimits())
    await converter.convert(source, "t.csv", tmp_path / "first")
    (first,) = nurseries()

    first.suspend()
    waiting = asyncio.create_task(converter.convert(source, "t.csv", tmp_path / "second"))
    await asyncio.sleep(0)
    first.kill()
    with pytest.raises(Unavailable):
        await waiting

    await converter.convert(source, "t.csv", tmp_path / "third")
    assert (tmp_path / "third").read_bytes() == (tmp_path / "first").read_bytes()


def test_none_of_them_outlives_the_one_that_asked(slow_source: Path, tmp_path: Path):
    script = "import asyncio, sys; from pathlib import Path; from synthgen_ray.datasets.converter import *;"
    script += "asyncio.run(Converter(UploadLimits()).convert(Path(sys.argv[1]), 't.csv', Path(sys.argv[2])))"
    asking = subprocess.Popen([sys.executable, "-c", script, str(slow_source), str(tmp_path / "out")])
    family: list[psutil.Process] = []

    def all_there() -> bool:
        family[:] = psutil.Process(asking.pid).children(recursive=True)
        return len(family) == 3

    wait_until(all_there, "the nursery, the keeper and the process that converts")
    asking.kill()
    asking.wait()

    wait_until(lambda: not any(process.is_running() for process in family), "all of them are gone", 10)


class TestDeath:
    async def refusal_of(self, source: Path, tmp_path: Path, filename: str = "t.csv", **limits: int) -> InvalidTable:
        with pytest.raises(InvalidTable) as refusal:
            await Converter(UploadLimits(**limits)).convert(source, filename, tmp_path / "out")
        assert not children()
        return refusal.value

    async def test_422_for_too_much_computing(self, slow_source: Path, tmp_path: Path):
        error = await self.refusal_of(slow_source, tmp_path, max_cpu_seconds=1)

        assert (error.status, error.code) == (422, "table_too_complex")
        assert "1 seconds of computing" in error.detail

    async def test_422_for_too_much_memory(self, slow_source: Path, tmp_path: Path):
        error = await self.refusal_of(slow_source, tmp_path, max_memory_bytes=500 * MIB)

        assert (error.status, error.code) == (422, "table_too_complex")
        assert "memory" in error.detail

    async def test_a_sound_parquet_that_takes_too_much_memory_is_not_said_to_be_damaged(
        self, large_parquet: Path, tmp_path: Path
    ):
        error = await self.refusal_of(large_parquet, tmp_path, "t.parquet", max_memory_bytes=500 * MIB)

        assert error.code == "table_too_complex"

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (signal.SIGKILL, "table_too_complex"),
            (signal.SIGSEGV, "unreadable_table"),
            (signal.SIGABRT, "table_too_complex"),
        ],
    )
    async def test_422_for_a_process_that_dies(self, slow_source: Path, tmp_path: Path, number: int, code: str):
        refusal = asyncio.create_task(self.refusal_of(slow_source, tmp_path))

        (await a_child()).send_signal(number)

        assert (await refusal).code == code

    async def test_it_is_ended_when_nobody_waits_for_it_any_more(self, slow_source: Path, tmp_path: Path):
        conversion = asyncio.create_task(Converter(UploadLimits()).convert(slow_source, "t.csv", tmp_path / "out"))
        child = await a_child()

        conversion.cancel()
        with pytest.raises(asyncio.CancelledError):
            await conversion

        assert not child.is_running()

    async def test_others_go_on_while_its_end_is_waited_for(self, slow_source: Path, tmp_path: Path):
        conversion = asyncio.create_task(Converter(UploadLimits()).convert(slow_source, "t.csv", tmp_path / "out"))
        keeper = (await a_child()).parent()
        late = threading.Timer(20, keeper.resume)  # where they do not
        late.start()

        keeper.suspend()
        await asyncio.to_thread(wait_until, lambda: keeper.status() == psutil.STATUS_STOPPED, "it stands still", 15)
        for _ in range(3):
            conversion.cancel()
            await asyncio.sleep(0)
        assert keeper.status() == psutil.STATUS_STOPPED
        assert not conversion.done()

        keeper.resume()
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await conversion
        assert not children()
