"""What a batch leaves in its server's metadata when it ends before its time."""

from typing import Any

import pytest
from ray.exceptions import GetTimeoutError

from synthgen_ray.domain.entities import BATCH_STOPPED
from synthgen_ray.domain.errors import Cancelled, JobError, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime import registration
from synthgen_ray.runtime.registration import _reason, _State
from tests.given import a_job


@pytest.mark.parametrize("error", [WorkerLost(), KeyboardInterrupt(), SystemExit(143)])
def test_one_that_can_be_gone_on_with_was_stopped(error):
    assert _reason(error) == BATCH_STOPPED


def test_an_error_of_ours_is_the_reason():
    failure = _reason(JobError("The rows are too large.", "rows_too_large"))

    assert (failure.code, failure.retryable) == ("rows_too_large", False)


class Superseding:
    """A store that takes the batch for stopped."""

    async def renew_batch(self, *_: object) -> bool:
        return False


def test_a_head_that_does_not_answer_for_a_while_does_not_keep_a_batch_from_hearing_that_it_is_not_wanted(monkeypatch):
    answers = iter([GetTimeoutError("the GCS server is dead or under high load"), Superseding()])

    def find() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(registration, "metadata_store", find)
    monkeypatch.setattr(registration, "HEARTBEAT_S", 0.0)
    state = _State(a_job(JobType.BATCH), 10)

    state.beat()

    with pytest.raises(Cancelled):
        state.on_rows(5)
