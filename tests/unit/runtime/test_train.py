"""Why the workers of a training ended."""

import pytest
from ray.exceptions import RayActorError
from ray.train.v2.api.exceptions import TrainingFailedError, WorkerGroupError

from synthgen_ray.domain.errors import Cancelled, WorkerLost
from synthgen_ray.runtime.train import _reason


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        ({}, WorkerLost),
        ({1: RayActorError()}, WorkerLost),
        ({0: WorkerLost(), 1: RayActorError()}, WorkerLost),
        ({0: Cancelled(), 1: WorkerLost()}, Cancelled),
        ({0: WorkerLost(), 1: MemoryError()}, MemoryError),
        ({0: ZeroDivisionError(), 1: RayActorError()}, ZeroDivisionError),
    ],
)
def test_what_one_did_comes_before_what_others_noticed(failures, reason):
    assert isinstance(_reason(WorkerGroupError("", failures)), reason)


def test_a_controller_that_failed_is_a_loss():
    assert isinstance(_reason(TrainingFailedError()), WorkerLost)
