"""Why the workers of a training ended."""

import logging
from contextlib import nullcontext
from typing import Any

import pytest
from ray.exceptions import RayActorError, RayTaskError
from ray.train.v2._internal.exceptions import (
    InsufficientClusterResourcesError,
    WorkerGroupStartupFailedError,
    WorkerGroupStartupTimeoutError,
    WorkerHealthCheckFailedError,
    WorkerHealthCheckTimeoutError,
)
from ray.train.v2._internal.execution.worker_group.thread_runner import ThreadRunner
from ray.train.v2.api.exceptions import ControllerError, WorkerGroupError

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Assignment
from synthgen_ray.domain.errors import Cancelled, InvalidRequest, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime import train as training
from synthgen_ray.runtime.capacity import Workers
from synthgen_ray.runtime.samplers import cause_of
from synthgen_ray.runtime.train import _reason
from tests.given import a_job, an_artifact
from tests.unit.jobs.test_checkpoints import given_assignment


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        ({}, WorkerLost),
        ({1: RayActorError()}, WorkerLost),
        ({1: WorkerHealthCheckFailedError("it is gone", RayActorError())}, WorkerLost),
        ({0: WorkerHealthCheckTimeoutError("it hangs")}, WorkerLost),
        ({0: WorkerLost(), 1: RayActorError()}, WorkerLost),
        ({0: Cancelled(), 1: WorkerLost()}, Cancelled),
        ({0: WorkerLost(), 1: MemoryError()}, MemoryError),
        ({0: ZeroDivisionError(), 1: RayActorError()}, ZeroDivisionError),
    ],
)
def test_what_one_did_comes_before_what_others_noticed(failures, reason):
    assert isinstance(_reason(WorkerGroupError("", failures)), reason)


def test_a_controller_that_failed_is_a_loss():
    assert isinstance(_reason(ControllerError(WorkerGroupStartupFailedError("a node died"))), WorkerLost)


def test_workers_for_which_no_room_came_are_postponed():
    assert isinstance(_reason(ControllerError(WorkerGroupStartupTimeoutError(3))), Postponed)


def test_workers_for_which_no_nodes_may_be_started_are_refused_for_that():
    reason = _reason(ControllerError(InsufficientClusterResourcesError("8 GPUs of 4")))

    assert isinstance(reason, InvalidRequest)
    assert reason.code == "resources_unavailable"


def test_a_store_that_goes_away_as_ray_train_begins_is_waited_for(monkeypatch, tmp_path):
    class Beginning:
        def __init__(self, *_: object, **__: object) -> None: ...

        def fit(self) -> None:
            raise OSError("AWS Error SLOW_DOWN")

    monkeypatch.setattr("ray.train.torch.TorchTrainer", Beginning)
    monkeypatch.setattr(training, "free_leftovers", lambda: None)
    assignment, artifacts = Assignment(a_job(JobType.TRAIN), an_artifact()), DiskArtifacts(tmp_path)

    with pytest.raises(Unavailable):
        training._fit({"assignment": assignment, "artifacts": artifacts}, Workers(2, 1, use_gpu=False))


def test_of_many_workers_only_the_first_tells_of_itself_and_keeps_anything(monkeypatch, tmp_path):
    told: list[object] = []

    class Telling:
        def __init__(self, _job: object) -> None: ...

        def progress(self, progress: object) -> None:
            told.append(progress)

        def checkpoint(self, checkpoint: object) -> bool:
            told.append(checkpoint)
            return True

    monkeypatch.setattr(training, "Teller", Telling)
    monkeypatch.setattr(training, "working_on", lambda *_, **__: nullcontext())
    assignment = given_assignment(tmp_path, "tvae", epochs=1, early_stop=False, calibrate=False, refine=False)
    order = {"assignment": assignment, "artifacts": DiskArtifacts(tmp_path), "cpus": 1, "checkpoint_seconds": 1e-6}

    assert training._work({**order, "log_format": "text"}, is_first=False) is None
    assert (told, (tmp_path / "jobs").exists()) == ([], False)


@pytest.mark.parametrize("error", [Postponed(), WorkerLost(), Cancelled(), MemoryError()])
def test_what_a_process_raises_of_ours_arrives_as_it_was(error):
    assert cause_of(RayTaskError("train", "", error)) is error


def test_of_a_workers_bug_ray_train_logs_and_shows_only_where_it_is(monkeypatch, caplog):
    def broken(*_: object, **__: object) -> None:
        raise ValueError("could not convert 'secret-cell' to float")

    monkeypatch.setattr(training, "_work", broken)
    monkeypatch.setattr(logging.getLogger("ray"), "propagate", True)
    order: dict[str, Any] = {}
    worker = ThreadRunner()

    worker.run(lambda: training._train_loop(order))
    worker._monitor_thread.join(20)

    assert "Error in training function" in caplog.text
    for told in (caplog.text, str(worker.get_error())):
        assert "ValueError" in told
        assert "test_train.py" in told
        assert "secret-cell" not in told
