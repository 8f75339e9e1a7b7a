"""A checkpoint of another training, release or form is nothing to go on from."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Assignment
from synthgen_ray.domain.params import ModelType
from synthgen_ray.jobs.checkpoints import FILE, JobCheckpoints
from synthgen_ray.synthesizers import model_file
from synthgen_ray.synthesizers.model_file import LIBRARIES
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint, Unusable, read_checkpoint
from tests.unit.jobs.test_checkpoints import STEP, given_row, lost_after_a_checkpoint

HEADER = {"format": "synthgen checkpoint", "version": 1, "training": "the same", "step": 3, "steps": 10}


@pytest.fixture
def assignment(tmp_path) -> Assignment:
    return lost_after_a_checkpoint(tmp_path)


def latest(assignment: Assignment, folder: Path) -> Checkpoint | None:
    return JobCheckpoints(assignment, DiskArtifacts(folder), 0, given_row([])).latest()


OTHERS: dict[str, Callable[[Assignment], Assignment]] = {
    "table": lambda its: replace(its, source=replace(its.source, sha256="00" * 32)),
    "columns": lambda its: replace(its, columns=its.columns[1:]),
    "type": lambda its: replace(its, job=replace(its.job, model_type=ModelType.CTGAN)),
    "options": lambda its: replace(its, job=replace(its.job, config={**its.job.config, "loss_factor": 3.0})),
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS.keys())
def test_of_another_training(assignment, tmp_path, change):
    assert latest(assignment, tmp_path) is not None
    assert latest(change(assignment), tmp_path) is None


def test_of_another_release_of_ours_or_of_what_we_compute_with(assignment, tmp_path, monkeypatch):
    for library in LIBRARIES:
        monkeypatch.setattr(model_file, "version", lambda name, new=library: "9" if name == new else version(name))

        assert latest(assignment, tmp_path) is None, library


def written(folder: Path, **header: Any) -> Path:
    file = folder / FILE
    file.write_bytes(safetensors.numpy.save(STEP.tensors, {"checkpoint": json.dumps({**HEADER, **header})}))
    return file


@pytest.mark.parametrize("change", [{"version": 2}, {"more": 1}, {"step": 0}, {"training": "another"}])
def test_of_another_form(tmp_path, change):
    with pytest.raises(Unusable):
        read_checkpoint(written(tmp_path, **change), "the same")


def test_one_of_an_earlier_release_has_no_losses(tmp_path):
    found = read_checkpoint(written(tmp_path), "the same")

    assert (found.step, found.losses) == (3, {})
