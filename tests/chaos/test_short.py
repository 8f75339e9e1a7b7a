"""Short forms of what `make chaos` does at length."""

import subprocess
import sys

import pytest

from tests.chaos import drain, races
from tests.chaos.claim_speed import claims
from tests.chaos.soak import Growth, Size


async def test_a_completion_is_never_overwritten_by_the_reaper(tmp_path):
    print(await races.reaper_against_completion(tmp_path, 15))


async def test_a_cancel_at_any_moment_has_one_outcome(tmp_path):
    print(await races.cancel_at_any_moment(tmp_path, 15))


async def test_a_call_that_is_repeated_at_any_moment_makes_one_job(tmp_path):
    print(await races.repeat_at_any_moment(tmp_path, 15))


async def test_a_delete_at_any_moment_leaves_nothing(tmp_path):
    print(await races.delete_at_any_moment(tmp_path, 12))


async def test_how_long_a_claim_takes_is_measured(tmp_path):
    assert (await claims(tmp_path, count=30, looks=2)).startswith("with 30 jobs that wait the next is found in ")


def test_all_that_make_chaos_does_can_be_begun():
    done = subprocess.run([sys.executable, "-m", "tests.chaos", "--help"], capture_output=True, text=True)

    assert (done.returncode, "claims" in done.stdout) == (0, True), done.stderr


async def test_a_queue_whose_dispatchers_are_killed_is_drained_and_each_job_ends_once(tmp_path):
    print(await drain.drained(tmp_path, 60, dispatchers=2, kill_every=20, limit_s=250))


@pytest.mark.parametrize("action", ["crash", pytest.param("error", marks=pytest.mark.nightly), "stop"])
def test_a_publication_that_breaks_at_any_step_leaves_one_end_and_its_file(action):
    # In a process of its own, which has no threads and so can fork.
    sweep = f"from tests.chaos.failpoints import *; print(swept(JobType.GENERATE, Action('{action}'), 2, stride=9))"

    done = subprocess.run([sys.executable, "-c", sweep], capture_output=True, text=True, timeout=250)

    assert "0 broken promises" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("mib_a_minute", "files_a_minute", "found"), [(0.5, 0, []), (2, 0, ["memory"]), (0, 3, ["files"]), (-2, -3, [])]
)
def test_what_grows_is_found(mib_a_minute, files_a_minute, found):
    sizes = [Size(minute, 200 + mib_a_minute * minute, 50 + files_a_minute * minute) for minute in range(10)]

    findings = Growth.over("ray::Metadata", sizes).findings()

    assert [word for finding in findings for word in ("memory", "files") if word in finding] == found
