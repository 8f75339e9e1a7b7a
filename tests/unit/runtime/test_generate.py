"""A generation by Ray Data, in the process that leads it."""

from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pytest

from synthgen_ray.domain.entities import Artifact, Assignment, Part, Progress
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime import generate as generating
from synthgen_ray.runtime.generate import generate
from synthgen_ray.settings import Settings
from tests.given import a_job


class Superseded:
    """Tells the store, and hears that the attempt is no longer wanted."""

    def __init__(self, _job: object) -> None: ...

    def progress(self, _progress: Progress) -> None:
        raise Cancelled


def test_who_makes_its_parts_is_let_go_at_once_when_it_is_no_longer_wanted(monkeypatch, tmp_path):
    at_work = True

    def make(*_: object, patience_s: float) -> Generator[dict[str, Any], None, None]:
        nonlocal at_work
        try:
            yield {"index": 0, "part": asdict(Part("part-00000.csv", 10, 100))}
        finally:
            at_work = False

    monkeypatch.setattr(generating, "made_by_all", make)
    monkeypatch.setattr(generating, "Teller", Superseded)
    monkeypatch.setattr(generating, "working_on", lambda *_: nullcontext())
    job = a_job(JobType.GENERATE, config={"num_rows": 20})

    with pytest.raises(Cancelled) as raised:  # which holds all that was there
        generate(Assignment(job, Artifact(job.id, "models/m", (), ""), chunk_rows=10), Settings(data_dir=tmp_path))

    assert raised.tb
    assert not at_work
