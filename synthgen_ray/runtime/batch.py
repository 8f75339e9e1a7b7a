"""Ray Data around `jobs/batch.py`: one row of its dataset is one file to make."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TypeVar

import ray

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import AWAY_RESTS
from synthgen_ray.domain.log_context import about, subject
from synthgen_ray.jobs.batch import DoneFile, Manifest, OnRows, Order, Place, check_ours, finish, make_file, model_in
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.own_ray import start_ray
from synthgen_ray.runtime.raising import without_data
from synthgen_ray.runtime.spread import Row, made_by_all
from synthgen_ray.settings import LogFormat
from synthgen_ray.synthesizers.numerics.threads import compute_with

Answer = TypeVar("Answer")
RESTS_S = tuple(rest.total_seconds() for rest in AWAY_RESTS)


class FileMaker:
    """Holds the model; makes a file a call. Lines here are about what the batch's are."""

    def __init__(
        self,
        model: ray.ObjectRef,
        order: Order,
        place: Place,
        log_format: LogFormat,
        subject: Mapping[str, str | None],
    ) -> None:
        write_logs(log_format)
        compute_with(1)
        self._model = model_in(ray.get(model))
        self._order, self._place, self._subject = order, place, subject

    @without_data
    def __call__(self, row: Row) -> Row:
        name = str(row["file"])
        with about(**self._subject):
            return _waited_for(lambda: self._made(name))

    def _made(self, name: str) -> Row:
        check_ours(self._place, self._order)
        return make_file(self._model, self._order, name, self._place).model_dump()


def run(
    model: bytes, order: Order, place: Place, on_rows: OnRows, log_format: LogFormat, workers: int | None = None
) -> Manifest:
    """Make all files of an order that was begun, on a cluster that this process has joined.

    Raises: WorkerLost; Conflict, where a node does not see the folder, or another run has it; Unavailable; what the
    drawing raises.
    """
    done: dict[str, DoneFile] = {}
    rows = made = 0
    files = [{"file": name} for name in order.files]
    from_before = _waited_for(lambda: place.sizes(list(order.files)))
    given = (ray.put(model), order, place, log_format, subject())
    for line in made_by_all(FileMaker, given, files, workers):
        file = DoneFile.model_validate(line)
        done[file.name] = file
        rows += file.num_rows
        made += 0 if file.name in from_before else file.num_rows
        on_rows(rows, made)
    _waited_for(lambda: check_ours(place, order))
    return _waited_for(lambda: finish(place, order, done))


def _waited_for(call: Callable[[], Answer]) -> Answer:
    """What the call answers once the storage does. Raises: Unavailable, when it stays away; what the call raises."""
    for rest_s in RESTS_S:
        try:
            return call()
        except Unavailable:
            time.sleep(rest_s)
    return call()


@contextmanager
def on_a_cluster(own_folder: Path | None) -> Iterator[None]:
    """That of the Ray job that this process is the driver of; or one of its own, with its files in this private folder.

    In a folder of it: Ray opens the one that it is given to everybody. What Ray says, as of a node that is lost, goes
    where errors go: the output is one document.
    """
    with redirect_stdout(sys.stderr):
        try:
            if own_folder is None:
                ray.init(log_to_driver=False)
            else:
                start_ray(own_folder / "ray", unseen=True)
            yield
        finally:
            ray.shutdown()
