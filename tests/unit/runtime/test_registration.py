"""What a batch leaves in its server's metadata when it ends before its time."""

import pytest

from synthgen_ray.domain.entities import BATCH_STOPPED
from synthgen_ray.domain.errors import JobError, WorkerLost
from synthgen_ray.runtime.registration import _reason


@pytest.mark.parametrize("error", [WorkerLost(), KeyboardInterrupt(), SystemExit(143)])
def test_one_that_can_be_gone_on_with_was_stopped(error):
    assert _reason(error) == BATCH_STOPPED


def test_an_error_of_ours_is_the_reason():
    failure = _reason(JobError("The rows are too large.", "rows_too_large"))

    assert (failure.code, failure.retryable) == ("rows_too_large", False)
