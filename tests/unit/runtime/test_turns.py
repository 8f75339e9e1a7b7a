"""Who draws when: no more at a time than there are CPUs, and first what somebody waits for."""

import asyncio
import gc
import threading
from collections.abc import Callable

import pytest

from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.log_context import about, subject
from synthgen_ray.runtime.turns import Turns

MORE_THAN_ASYNCIO = 33  # who has 32 threads of its own at most


class Work:
    """Goes on when the test says so."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log
        self.may_rest, self.may_end = threading.Event(), threading.Event()

    def rows(self) -> None:
        self._log.append(self._name)
        assert self.may_end.wait(20)

    def part(self, end_early: Callable[[], None]) -> None:
        self._log.append(self._name)
        assert self.may_rest.wait(20)
        end_early()
        assert self.may_end.wait(20)


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def given(log):
    made: list[Work] = []

    def given(name: str) -> Work:
        made.append(Work(name, log))
        return made[-1]

    yield given
    for work in made:
        work.may_rest.set()
        work.may_end.set()


async def until(log: list[str], *names: str) -> None:
    """These have begun, in this order, and a while later no other has."""
    async with asyncio.timeout(20):
        while len(log) < len(names):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert log == list(names)


def begun(calls) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(call) for call in calls]


async def test_what_somebody_waits_for_goes_before_parts_that_came_earlier(given, log):
    turns = Turns(1)
    first, second, rows = given("part 1"), given("part 2"), given("rows")
    tasks = begun([turns.part(first.part), turns.part(second.part)])
    await until(log, "part 1")
    tasks += begun([turns.rows(rows.rows)])

    first.may_rest.set()
    first.may_end.set()
    await until(log, "part 1", "rows")
    rows.may_end.set()
    await until(log, "part 1", "rows", "part 2")

    second.may_rest.set()
    second.may_end.set()
    await asyncio.gather(*tasks)


async def test_a_part_that_only_waits_leaves_its_turn_to_the_next(given, log):
    turns = Turns(1)
    parts = [given(f"part {number}") for number in range(3)]
    tasks = begun(turns.part(part.part) for part in parts)

    await until(log, "part 0")
    parts[0].may_rest.set()
    await until(log, "part 0", "part 1")  # and not the third: one turn was left, not two
    parts[0].may_end.set()
    await tasks[0]
    await until(log, "part 0", "part 1")

    for part in parts:
        part.may_rest.set()
        part.may_end.set()
    await asyncio.gather(*tasks)
    assert log == ["part 0", "part 1", "part 2"]


async def test_rows_do_not_wait_for_parts_that_only_wait_however_many_they_are(given, log):
    turns = Turns(1)
    parts, rows = [given(f"part {number}") for number in range(MORE_THAN_ASYNCIO)], given("rows")
    for part in parts:
        part.may_rest.set()
    tasks = begun(turns.part(part.part) for part in parts)
    await until(log, *(f"part {number}" for number in range(MORE_THAN_ASYNCIO)))

    rows.may_end.set()
    await asyncio.wait_for(turns.rows(rows.rows), 20)

    for part in parts:
        part.may_end.set()
    await asyncio.gather(*tasks)


async def test_what_only_waits_takes_nobodys_turn_and_none_of_asyncios_threads(given, log):
    turns = Turns(1)
    files, rows = [given(f"file {number}") for number in range(MORE_THAN_ASYNCIO)], given("rows")
    tasks = begun(turns.aside(file.rows) for file in files)
    await until(log, *(f"file {number}" for number in range(MORE_THAN_ASYNCIO)))

    rows.may_end.set()
    await asyncio.wait_for(turns.rows(rows.rows), 20)
    assert await asyncio.wait_for(asyncio.to_thread(len, files), 20) == MORE_THAN_ASYNCIO

    for file in files:
        file.may_end.set()
    await asyncio.gather(*tasks)


async def test_what_is_brief_comes_one_at_a_time_beside_what_is_not(given, log):
    turns = Turns(3)
    first, second, rows = given("brief 1"), given("brief 2"), given("rows")
    tasks = begun([turns.rows(first.rows, brief=True), turns.rows(second.rows, brief=True)])
    await until(log, "brief 1")
    tasks += begun([turns.rows(rows.rows)])
    await until(log, "brief 1", "rows")

    first.may_end.set()
    await until(log, "brief 1", "rows", "brief 2")

    second.may_end.set()
    rows.may_end.set()
    await asyncio.gather(*tasks)


async def test_what_is_done_in_a_thread_is_about_what_its_caller_is_about():
    with about(request_id="r-1"):
        assert (await Turns(1).rows(subject))["request_id"] == "r-1"


async def test_whom_nobody_waits_for_any_more_keeps_his_turn_while_he_works(given, log):
    turns = Turns(1)
    left, waiting, after = given("left"), given("waiting"), given("after")
    leaving, given_up = begun([turns.rows(left.rows), turns.part(waiting.part)])
    await until(log, "left")

    given_up.cancel()
    leaving.cancel()
    await asyncio.gather(leaving, given_up, return_exceptions=True)
    last = asyncio.create_task(turns.rows(after.rows))
    await until(log, "left")
    left.may_end.set()

    await until(log, "left", "after")
    after.may_end.set()
    await last


async def test_a_part_that_nobody_waits_for_any_more_hears_so_before_it_is_kept(given, log):
    part = given("part")

    def work(end_early: Callable[[], None]) -> None:
        try:
            part.part(end_early)
        except Cancelled:
            log.append("not kept")

    leaving = asyncio.create_task(Turns(1).part(work))
    await until(log, "part")
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    part.may_rest.set()

    await until(log, "part", "not kept")


async def test_as_many_work_as_there_are_turns_and_an_error_gives_its_own_back():
    turns, inside, most = Turns(2), 0, 0
    lock = threading.Lock()

    def work(end_early: Callable[[], None]) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.01)
        with lock:
            inside -= 1
        end_early()
        raise ValueError

    failed = await asyncio.gather(*(turns.part(work) for _ in range(20)), return_exceptions=True)

    assert [type(one) for one in failed] == [ValueError] * 20
    assert most == 2


def test_what_fails_after_its_caller_has_left_is_logged_by_nobody(caplog):
    began, may_end = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        assert may_end.wait(20)
        raise ValueError("could not convert 'secret-cell' to float")

    async def leave() -> None:
        turns = Turns(1)
        leaving = asyncio.create_task(turns.rows(work))
        assert await asyncio.to_thread(began.wait, 20)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        may_end.set()
        await turns.rows(subject)  # after it

    asyncio.run(leave())
    gc.collect()

    assert "secret-cell" not in caplog.text


async def test_where_no_thread_can_be_started_the_turn_is_given_back(monkeypatch):
    turns = Turns(1)

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(turns._threads_of_rows, "submit", fail)
        with pytest.raises(RuntimeError):
            await turns.rows(subject)

    assert await asyncio.wait_for(turns.rows(subject), 20) == subject()
