"""A worker of a batch, on whichever node it is."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from unittest.mock import MagicMock
from uuid import uuid4

import pyarrow as pa
import pytest
import ray
from ray.exceptions import OutOfDiskError, RayTaskError

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.errors import Conflict, Postponed, Unavailable, WorkerLost, told
from synthgen_ray.jobs.batch import MANIFEST, PLAN, RUN, SUCCESS, Order, Place, begin
from synthgen_ray.runtime import batch
from synthgen_ray.runtime.batch import RESTS_S, FileMaker
from synthgen_ray.runtime.spread import Row, made_by_all
from synthgen_ray.settings import LogFormat
from synthgen_ray.synthesizers import GaussianCopula

ORDER = Order(model_sha256="ab", chunk_rows=10_000, num_rows=10, seed=1)
(NAME,) = ORDER.files
ABOUT = {"job_id": "its job", "model_id": "its model"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> bytes:
    file = tmp_path_factory.mktemp("model") / "model.synthgen"
    GaussianCopula(seed=1).fit(pa.table({"n": [n / 7 for n in range(100)]})).save(file)
    return file.read_bytes()


@pytest.fixture(autouse=True)
def _without_ray(monkeypatch) -> None:
    monkeypatch.setattr(ray, "get", lambda model: model)
    monkeypatch.setattr(batch, "RESTS_S", (0.0,) * len(RESTS_S))


def a_maker(model: bytes, order: Order, place: Place) -> FileMaker:
    return FileMaker(model, order, place, LogFormat.JSON, {"request_id": None, **ABOUT})


class OftenAway(DiskArtifacts):
    """Takes a file only at the last of so many tries."""

    tries = 0

    @contextmanager
    def writing(self, location: str, name: str) -> Iterator[BinaryIO]:
        self.tries -= 1
        if self.tries > 0:
            raise Unavailable("The artifact store cannot be reached now; try again.", "artifacts_unavailable")
        with super().writing(location, name) as sink:
            yield sink


def test_a_node_that_does_not_see_the_folder_makes_no_files_of_its_own(model, tmp_path):
    here, elsewhere = (Place(DiskArtifacts(tmp_path / node), "rows") for node in ("here", "elsewhere"))
    begin(here, ORDER, resume=False)

    with pytest.raises(Conflict) as refused:
        a_maker(model, ORDER, elsewhere)({"file": NAME})

    assert refused.value.code == "not_shared"
    assert not (tmp_path / "elsewhere").exists()
    assert a_maker(model, ORDER, here)({"file": NAME})["num_rows"] == 10


def test_of_two_runs_that_began_there_at_once_one_makes_all_files_and_the_other_none(model, tmp_path):
    place, other = Place(DiskArtifacts(tmp_path), "rows"), ORDER.model_copy(update={"seed": 2})
    begin(place, ORDER, resume=False)
    place.remove(PLAN)  # neither has seen that of the other
    begin(place, other, resume=False)

    with pytest.raises(Conflict) as refused:
        a_maker(model, ORDER, place)({"file": NAME})

    assert (refused.value.code, place.has(NAME)) == ("begun", False)
    assert a_maker(model, other, place)({"file": NAME})["num_rows"] == 10


def test_storage_that_is_away_is_waited_for_and_not_for_ever(model, tmp_path):
    place = Place(artifacts := OftenAway(tmp_path), "rows")
    begin(place, ORDER, resume=False)
    maker = a_maker(model, ORDER, place)

    artifacts.tries = len(RESTS_S) + 2
    with pytest.raises(Unavailable):
        maker({"file": NAME})
    artifacts.tries = len(RESTS_S) + 1

    assert maker({"file": NAME})["num_rows"] == 10


@pytest.mark.parametrize("name", [MANIFEST, SUCCESS, RUN])
def test_storage_that_is_away_at_the_end_is_waited_for_too(model, tmp_path, monkeypatch, name):
    class AwayOnce(DiskArtifacts):
        has_begun = False

        def writing(self, location, written):
            self._try(written)
            return super().writing(location, written)

        def remove(self, location, removed):
            super().remove(location, removed)
            self._try(removed)

        def _try(self, asked):
            if asked == name and self.has_begun:
                self.has_begun = False
                raise Unavailable("The artifact store cannot be reached now; try again.", "artifacts_unavailable")

    place = Place(artifacts := AwayOnce(tmp_path), "rows")
    begin(place, ORDER, resume=False)
    artifacts.has_begun = True
    monkeypatch.setattr(batch, "made_by_all", lambda kind, given, files, _: map(kind(*given), files))
    monkeypatch.setattr(ray, "put", lambda content: content)

    manifest = batch.run(model, ORDER, place, lambda *_: None, LogFormat.JSON)

    assert [file.num_rows for file in manifest.files] == [10]
    assert (artifacts.has_begun, place.has(SUCCESS), place.has(RUN)) == (False, True, False)


def test_a_run_that_another_has_taken_over_does_not_say_that_all_is_there(model, tmp_path, monkeypatch):
    place, other = (Place(DiskArtifacts(tmp_path), "rows") for _ in range(2))
    begin(place, ORDER, resume=False)

    def made_and_taken(kind, given, files, _):
        yield from map(kind(*given), files)
        begin(other, ORDER, resume=True)

    monkeypatch.setattr(batch, "made_by_all", made_and_taken)
    monkeypatch.setattr(ray, "put", lambda content: content)

    with pytest.raises(Conflict):
        batch.run(model, ORDER, place, lambda *_: None, LogFormat.JSON)

    assert not place.has(SUCCESS)


def test_what_it_logs_are_lines_of_ours_about_the_batch(model, s3, tmp_path, capfd):
    place = Place(open_artifacts(s3.url(f"bucket-{uuid4()}"), tmp_path), "rows")  # which is not there

    with pytest.raises(Unavailable):
        a_maker(model, ORDER, place)({"file": NAME})

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {(line["job_id"], line["model_id"]) for line in lines} == {tuple(ABOUT.values())}


class GaveUp(Exception):
    """Ray Data did, since nothing came for as long as it was told to wait."""


@pytest.fixture
def data(monkeypatch) -> MagicMock:
    """Stands for Ray Data, on a cluster of two CPUs."""
    data = MagicMock()
    data.from_items().map().iter_rows.return_value = []
    monkeypatch.setattr(ray, "data", data, raising=False)
    monkeypatch.setitem(sys.modules, "ray.data", data)
    monkeypatch.setitem(sys.modules, "ray.data.exceptions", MagicMock(ExecutionTimeoutError=GaveUp))
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2})
    return data


def test_what_a_worker_raises_is_told_without_the_traceback_that_ray_has_of_it(data):
    failed = RayTaskError("map", "Traceback:\nof many lines", Conflict("A node does not see the folder.", "not_shared"))
    data.from_items().map().iter_rows.side_effect = failed.as_instanceof_cause()

    with pytest.raises(Conflict) as raised:
        list(made_by_all(FileMaker, (), [{"file": NAME}]))

    assert told(raised.value) == "A node does not see the folder."


@pytest.mark.parametrize(("made", "means"), [([], Postponed), ([{"file": NAME}], WorkerLost)])
def test_where_nothing_comes_for_long_there_is_no_room_and_where_something_came_who_makes_it_hangs(data, made, means):
    def rows() -> Iterator[Row]:
        yield from made
        raise GaveUp

    data.from_items().map().iter_rows.return_value = rows()

    with pytest.raises(means):
        list(made_by_all(FileMaker, (), [{"file": NAME}], patience_s=900))

    assert data.DataContext.get_current().execution_no_progress_timeout_s == 900


def test_a_store_of_objects_that_is_full_as_the_work_begins_is_a_loss(data):
    data.from_items.side_effect = OutOfDiskError("the local disk is full")

    with pytest.raises(WorkerLost):
        list(made_by_all(FileMaker, (), [{"file": NAME}]))


def test_what_its_process_dies_of_ends_it_and_not_what_ray_tries_while_a_node_goes(data):
    list(made_by_all(FileMaker, (), [{"file": NAME}]))

    asked = data.from_items().map.call_args.kwargs
    assert (asked["max_restarts"], asked["max_task_retries"]) == (3, -1)


@pytest.mark.parametrize(("workers", "rows", "actors"), [(None, 9, 2), (None, 1, 1), (1, 9, 1)])
def test_there_is_an_actor_for_each_cpu_and_half_of_it_stays_for_others(data, workers, rows, actors):
    list(made_by_all(FileMaker, (), [{"file": NAME}] * rows, workers))

    data.ActorPoolStrategy.assert_called_once_with(size=actors)
    assert data.from_items().map.call_args.kwargs["num_cpus"] == 0.5
