"""What only a terminal can do: say yes or no, and press Ctrl-C."""

import asyncio
import json
import os
import signal

import pytest


@pytest.fixture
async def pending_job(synthgen, accounts) -> str:
    """A training in a queue that nobody works on."""
    await synthgen("upload", accounts, "--project", "Bank")
    made = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--json")
    return json.loads(made.stdout)["synthgen_job_id"]


async def test_without_a_terminal_nothing_is_deleted_before_a_yes(synthgen):
    await synthgen("projects", "create", "Bank")

    result = await synthgen("projects", "delete", "Bank")

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert (await synthgen("projects", "show", "Bank")).exit_code == 0


@pytest.mark.parametrize(("said", "exit_code", "left"), [(b"y\n", 0, 0), (b"n\n", 1, 1)], ids=["yes", "no"])
async def test_on_a_terminal_the_question_decides(synthgen, synthgen_process, said, exit_code, left):
    await synthgen("projects", "create", "Bank")
    terminal, theirs = os.openpty()

    process = await synthgen_process("projects", "delete", "Bank", stdin=theirs)
    os.write(terminal, said)
    _, notes = await process.communicate()

    assert process.returncode == exit_code
    assert b"Delete project 'Bank'?" in notes
    assert json.loads((await synthgen("projects", "list", "--json")).stdout)["total"] == left
    os.close(terminal)
    os.close(theirs)


async def test_ctrl_c_ends_the_wait_and_not_the_job(synthgen, synthgen_process, pending_job):
    process = await synthgen_process("jobs", "watch", pending_job)
    first_line = await asyncio.wait_for(process.stderr.readline(), 60)

    process.send_signal(signal.SIGINT)
    answer, notes = await process.communicate()

    assert first_line == b"train accounts-gaussian_copula: pending 0%\n"
    assert (process.returncode, answer) == (130, b"")
    assert notes.decode().endswith(f"The job goes on: 'synthgen jobs watch {pending_job}'\n")
    assert json.loads((await synthgen("jobs", "show", pending_job, "--json")).stdout)["status"] == "pending"


async def test_a_reader_that_has_seen_enough_is_no_trouble(synthgen_process):
    reading, writing = os.pipe()
    os.close(reading)

    process = await synthgen_process("models", "types", "--json", stdout=writing)
    _, notes = await process.communicate()

    assert notes == b""
    os.close(writing)
