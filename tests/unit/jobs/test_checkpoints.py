"""A training that was killed goes on from its checkpoint, and makes the model that it would have made."""

import dataclasses
import hashlib
import io
import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from pydantic import TypeAdapter

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Assignment, LossCurve, Progress, checkpoints_folder
from synthgen_ray.domain.errors import Cancelled, Unavailable
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.log_context import about, subject
from synthgen_ray.domain.params import ModelType
from synthgen_ray.domain.validation import parse_train_params
from synthgen_ray.jobs.checkpoints import FILE, JobCheckpoints
from synthgen_ray.jobs.train import keep, learn
from synthgen_ray.synthesizers import neural
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tests.given import a_job
from tests.marks import nightly_but
from tests.unit.synthesizers.conftest import SMALL, given_table

JOB_ID = UUID(int=7)
EPOCHS = 12
BATCHES_BETWEEN_LOOKS = 5  # of early stopping: one after each epoch
STEP = Checkpoint(3, 10, {"weights": np.arange(4, dtype=np.float32)}, {1: {"loss": 0.1}})

# Trains as a worker does, and kills itself at one of its signs of life.
WORKER = """
import os
import signal
import sys
from pathlib import Path

import torch

from synthgen_ray.synthesizers import neural
from tests.unit.jobs.test_checkpoints import BATCHES_BETWEEN_LOOKS, given_assignment, trained

torch.set_num_threads(1)
neural.BATCHES_BETWEEN_LOOKS = BATCHES_BETWEEN_LOOKS
folder, model_type, lives = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def report(progress):
    global lives
    lives -= 1
    if lives == 0:
        os.kill(os.getpid(), signal.SIGKILL)


trained(given_assignment(folder, model_type), folder, report)
"""


@pytest.fixture(autouse=True)
def looks_after_each_epoch(monkeypatch):
    """As in the trainings that are killed."""
    monkeypatch.setattr(neural, "BATCHES_BETWEEN_LOOKS", BATCHES_BETWEEN_LOOKS)


def given_assignment(folder: Path, model_type: str, attempt: int = 1, **options) -> Assignment:
    """A training of the table of all kinds of column, in a folder that it is written to once."""
    artifacts, (table, columns) = DiskArtifacts(folder), given_table()
    if not artifacts.path("table", "table.parquet").exists():
        with artifacts.writing("table", "table.parquet") as file:
            pq.write_table(table, file)
    source = artifacts.seal("table", [artifacts.part("table", "table.parquet", len(table))])
    config = {**SMALL[ModelType(model_type)], "epochs": EPOCHS, "early_stop": True, **options}
    job = a_job(
        JobType.TRAIN,
        id=JOB_ID,
        model_type=ModelType(model_type),
        config=parse_train_params(ModelType(model_type), config).model_dump(mode="json"),
        attempt=attempt,
    )
    return Assignment(job, source, columns=columns)


class Eager(JobCheckpoints):
    """Makes one after each step, however slow the disk is."""

    def is_due(self) -> bool:
        if self._writing is not None:
            self._writing.result()
        return super().is_due()


def trained(assignment: Assignment, folder: Path, report=lambda progress: None) -> tuple[str, LossCurve]:
    """The hash of the model that it makes, and its losses; `row` in the folder names the latest checkpoint."""

    def name(checkpoint: Artifact) -> bool:
        (folder / "row.new").write_bytes(TypeAdapter(Artifact).dump_json(checkpoint))
        (folder / "row.new").rename(folder / "row")
        return True

    artifacts = DiskArtifacts(folder)
    with Eager(assignment, artifacts, 1e-6, name) as checkpoints:
        learnt = learn(assignment, artifacts, report, checkpoints)
    made = keep(learnt, assignment, artifacts)
    return made.artifact.sha256, made.losses


def named(folder: Path) -> Artifact:
    return TypeAdapter(Artifact).validate_json((folder / "row").read_bytes())


def resuming(assignment: Assignment, checkpoint: Artifact) -> Assignment:
    job = dataclasses.replace(assignment.job, attempt=assignment.job.attempt + 1)
    return dataclasses.replace(assignment, job=job, checkpoint=checkpoint)


@pytest.mark.parametrize("model_type", nightly_but({"ctgan"}, ["ctgan", "copulagan", "tvae"]))
def test_a_killed_training_that_goes_on_makes_the_same_file_and_has_the_same_losses(tmp_path, model_type):
    undisturbed = trained(given_assignment(tmp_path / "one", model_type), tmp_path / "one")
    folder = tmp_path / "other"
    # Of its signs of life the first two come before the networks learn, the last ones after it.
    lives = random.Random(model_type).randint(5, EPOCHS)

    killed = subprocess.run([sys.executable, "-c", WORKER, str(folder), model_type, str(lives)], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    seen: list[Progress] = []
    resumed = trained(resuming(given_assignment(folder, model_type), named(folder)), folder, seen.append)

    assert seen[1].fraction > 0  # the first is of who has not looked at the checkpoint yet
    assert any(progress.message.startswith("going on after") for progress in seen)
    assert resumed == undisturbed


def test_a_training_goes_on_after_its_networks_are_done(tmp_path):
    assignment = given_assignment(tmp_path, "tvae")
    undisturbed = trained(assignment, tmp_path)
    seen: list[Progress] = []

    resumed = trained(resuming(assignment, named(tmp_path)), tmp_path, seen.append)

    assert not any(progress.message.startswith(f"epoch {EPOCHS - 1} of") for progress in seen)
    assert resumed == undisturbed


def lost_after_a_checkpoint(folder: Path) -> Assignment:
    """The second attempt at a training whose first one was lost after `STEP`."""
    names: list[Artifact] = []
    first = given_assignment(folder, "tvae")
    with JobCheckpoints(first, DiskArtifacts(folder), 1e-6, given_row(names)) as kept:
        kept.save(STEP)
    return resuming(first, names[0])


class Begun(Exception):
    """What a training says when its networks begin to learn."""


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory) -> Path:
    """The folder of a training that has made checkpoints."""
    folder = tmp_path_factory.mktemp("checkpoints")
    trained(given_assignment(folder, "tvae", refine=False), folder)
    return folder


class TestOnesThatCannotBeUsed:
    @pytest.fixture
    def assignment(self, left_behind, tmp_path) -> Assignment:
        shutil.copytree(left_behind, tmp_path, dirs_exist_ok=True)
        return given_assignment(tmp_path, "tvae", refine=False)

    def starts_anew(self, assignment: Assignment, folder: Path) -> bool:
        def report(progress: Progress) -> None:
            if progress.message.startswith(("epoch", "going on")):
                raise Begun(progress.message)

        with pytest.raises(Begun) as begun:
            trained(assignment, folder, report)
        return str(begun.value) == f"epoch 1 of {EPOCHS}"

    def test_but_this_one_can(self, assignment, tmp_path):
        assert not self.starts_anew(resuming(assignment, named(tmp_path)), tmp_path)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps({"step": 3})])
    def test_replaced_by_another_file(self, assignment, tmp_path, content):
        checkpoint = named(tmp_path)
        DiskArtifacts(tmp_path).path(checkpoint.location, FILE).write_bytes(content)

        assert self.starts_anew(resuming(assignment, checkpoint), tmp_path)

    def test_damaged_in_one_bit(self, assignment, tmp_path):
        checkpoint = named(tmp_path)
        path = DiskArtifacts(tmp_path).path(checkpoint.location, FILE)
        damaged = bytearray(path.read_bytes())
        damaged[-1] ^= 1
        path.write_bytes(damaged)

        assert self.starts_anew(resuming(assignment, checkpoint), tmp_path)

    def test_erased(self, assignment, tmp_path):
        checkpoint = named(tmp_path)
        DiskArtifacts(tmp_path).erase(checkpoint.location)

        assert self.starts_anew(resuming(assignment, checkpoint), tmp_path)

    def test_whole_but_no_checkpoint(self, assignment, tmp_path):
        checkpoint, content = named(tmp_path), pickle.dumps({"step": 3})
        DiskArtifacts(tmp_path).path(checkpoint.location, FILE).write_bytes(content)
        (part,) = checkpoint.parts
        part = dataclasses.replace(part, size_bytes=len(content))
        sha256 = hashlib.sha256(content).hexdigest()

        assert self.starts_anew(
            resuming(assignment, dataclasses.replace(checkpoint, parts=(part,), sha256=sha256)), tmp_path
        )


def given_row(names: list[Artifact], answers: bool = True):
    """The row of a job as a worker sees it."""

    def name(checkpoint: Artifact) -> bool:
        names.append(checkpoint)
        return answers

    return name


def files(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in (folder / checkpoints_folder(JOB_ID)).rglob(FILE))


class TestWriting:
    def test_the_newest_two_are_kept(self, tmp_path):
        names: list[Artifact] = []
        with JobCheckpoints(
            given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 1e-6, given_row(names)
        ) as kept:
            for step in range(1, 5):
                kept.save(dataclasses.replace(STEP, step=step))

        assert files(tmp_path) == ["1-3", "1-4"]
        assert names[-1].location.endswith("/1-4")

    def test_what_the_next_attempt_goes_on_from_is_kept_until_it_has_two_of_its_own(self, tmp_path):
        names: list[Artifact] = []
        assignment = given_assignment(tmp_path, "tvae")
        with JobCheckpoints(assignment, DiskArtifacts(tmp_path), 1e-6, given_row(names)) as kept:
            kept.save(STEP)

        with JobCheckpoints(resuming(assignment, names[0]), DiskArtifacts(tmp_path), 1e-6, given_row(names)) as kept:
            latest = kept.latest()
            assert (latest.step, latest.losses) == (STEP.step, STEP.losses)
            assert latest.tensors["weights"].tolist() == [0, 1, 2, 3]
            kept.save(dataclasses.replace(STEP, step=4))

        assert files(tmp_path) == ["1-3", "2-4"]

    def test_a_superseded_attempt_ends_and_takes_along_what_the_row_does_not_name(self, tmp_path):
        assignment = given_assignment(tmp_path, "tvae")
        names: list[Artifact] = []
        with JobCheckpoints(assignment, DiskArtifacts(tmp_path), 1e-6, given_row(names)) as kept:
            kept.save(STEP)

        with (
            pytest.raises(Cancelled),
            JobCheckpoints(resuming(assignment, names[0]), DiskArtifacts(tmp_path), 1e-6, given_row([], False)) as kept,
        ):
            kept.save(dataclasses.replace(STEP, step=4))

        assert files(tmp_path) == ["1-3"]

    @pytest.mark.parametrize("error", [Unavailable("The store is away.", "store_unavailable"), OSError("no disk")])
    def test_a_training_goes_on_without_one_that_could_not_be_kept(self, tmp_path, error):
        def fail(checkpoint: Artifact) -> bool:
            raise error

        with JobCheckpoints(given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 1e-6, fail) as kept:
            kept.save(STEP)
            kept.save(STEP)

    def test_one_of_which_it_stays_unknown_whether_the_row_names_it_goes_as_others_do(self, tmp_path):
        names: list[Artifact] = []

        def name(checkpoint: Artifact) -> bool:
            names.append(checkpoint)
            if len(names) == 1:
                raise Unavailable("The store is away.", "store_unavailable")
            return True

        with JobCheckpoints(given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 1e-6, name) as kept:
            for step in range(1, 4):
                kept.save(dataclasses.replace(STEP, step=step))

        assert files(tmp_path) == ["1-2", "1-3"]

    def test_what_is_logged_of_it_is_about_the_job(self, tmp_path):
        said: list[dict[str, str | None]] = []

        def name(checkpoint: Artifact) -> bool:
            said.append(subject())
            return True

        with (
            about(job_id=JOB_ID),
            JobCheckpoints(given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 1e-6, name) as kept,
        ):
            kept.save(STEP)

        assert [line["job_id"] for line in said] == [str(JOB_ID)]

    def test_a_training_goes_on_while_old_ones_cannot_be_erased(self, tmp_path):
        class Holding(DiskArtifacts):
            held = True

            def erase(self, location: str) -> None:
                if self.held:
                    raise Unavailable("The store is away.", "store_unavailable")
                super().erase(location)

        artifacts, names = Holding(tmp_path), []
        with JobCheckpoints(given_assignment(tmp_path, "tvae"), artifacts, 1e-6, given_row(names)) as kept:
            for step in (1, 2, 3, 4):
                kept.save(dataclasses.replace(STEP, step=step))
            kept.save(dataclasses.replace(STEP, step=5))  # waits for the one before
            while not kept.is_due():
                time.sleep(0.01)
            artifacts.held = False
            kept.save(dataclasses.replace(STEP, step=6))

        assert [name.location[-3:] for name in names] == ["1-1", "1-2", "1-3", "1-4", "1-5", "1-6"]
        assert files(tmp_path) == ["1-5", "1-6"]

    def test_one_is_due_so_many_seconds_after_the_last(self, tmp_path, monkeypatch):
        now = [100.0]
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        due: list[bool] = []
        with JobCheckpoints(given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 60, given_row([])) as kept:
            for seconds in (59, 1, 59, 1):
                now[0] += seconds
                due.append(kept.is_due())
                if due[-1]:
                    kept.save(STEP)
                    kept._writing.result()

        assert due == [False, True, False, True]

    def test_none_is_due_where_they_are_switched_off(self, tmp_path):
        assert not JobCheckpoints(
            given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 0, given_row([])
        ).is_due()


def test_the_file_holds_tensors_and_json_alone(tmp_path):
    names: list[Artifact] = []
    with JobCheckpoints(given_assignment(tmp_path, "tvae"), DiskArtifacts(tmp_path), 1e-6, given_row(names)) as kept:
        kept.save(STEP)

    content = DiskArtifacts(tmp_path).path(names[0].location, FILE).read_bytes()

    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert sorted(header) == ["__metadata__", "weights"]
    assert json.loads(header["__metadata__"]["checkpoint"])["step"] == STEP.step


def test_it_is_written_one_tensor_after_the_other(tmp_path):
    class Told(io.BytesIO):
        most = 0

        def write(self, part):
            self.most = max(self.most, len(part))
            return super().write(part)

    tensors = {
        "weights": np.arange(3000, dtype=np.float32).reshape(3, 1000),
        "more": np.arange(6.0).reshape(2, 3).T,
        "steps": np.array(7, dtype=np.int64),
        "nothing": np.empty(0),
    }
    told = Told()

    write_checkpoint(told, Checkpoint(3, 10, tensors), "the same")
    (tmp_path / FILE).write_bytes(told.getvalue())

    assert told.most == tensors["weights"].nbytes
    read = safetensors.numpy.load_file(tmp_path / FILE)
    assert all((read[name] == tensor).all() and read[name].shape == tensor.shape for name, tensor in tensors.items())
    assert read_checkpoint(tmp_path / FILE, "the same").step == 3
