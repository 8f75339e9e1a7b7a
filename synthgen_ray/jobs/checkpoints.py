"""The checkpoints of a training job: written aside while it trains, named by the job's row once they are whole."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from types import TracebackType
from typing import Self

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Job, checkpoints_folder
from synthgen_ray.domain.errors import Cancelled, Gone, InsufficientStorage, Unavailable, frames_of
from synthgen_ray.domain.lifecycle import AWAY_RESTS
from synthgen_ray.synthesizers.model_file import releases
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint, Unusable, read_checkpoint, write_checkpoint

log = logging.getLogger(__name__)
FILE = "checkpoint.safetensors"
KEPT = 2  # the one that the row names, and the one before it


class JobCheckpoints:
    """Of one attempt. `name` has the job's row name one as the newest, and answers False to an attempt that is
    superseded; it may raise `Unavailable`. Leaving the block waits for what is being written.

    Nothing that goes wrong with a checkpoint ends a training, but that its attempt is superseded.
    """

    def __init__(
        self, assignment: Assignment, artifacts: Artifacts, every_s: float, name: Callable[[Artifact], bool]
    ) -> None:
        self.seconds_used = assignment.job.progress.seconds
        self._job, self._artifacts, self._every_s, self._name = assignment.job, artifacts, every_s, name
        self._training = _fingerprint(assignment)
        self._latest = self._find(assignment.checkpoint) if assignment.checkpoint else None
        self._kept = [assignment.checkpoint] if assignment.checkpoint else []
        self._saved = time.monotonic()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)
        if self._writing is not None and error is None:
            self._writing.result()

    def latest(self) -> Checkpoint | None:
        latest, self._latest = self._latest, None
        return latest

    def is_due(self) -> bool:
        is_free = self._writing is None or self._writing.done()
        return is_free and self._every_s > 0 and time.monotonic() - self._saved >= self._every_s

    def save(self, checkpoint: Checkpoint) -> None:
        """Raises: Cancelled, when the attempt was found to be superseded by the one before."""
        if self._writing is not None:
            self._writing.result()
        self._saved = time.monotonic()
        self._writing = self._thread.submit(copy_context().run, self._write, checkpoint)

    def _write(self, checkpoint: Checkpoint) -> None:
        location = _location(self._job, checkpoint.step)
        try:
            with self._artifacts.writing(location, FILE) as file:
                write_checkpoint(file, checkpoint, self._training)
            artifact = self._artifacts.seal(location, [self._artifacts.part(location, FILE, num_rows=0)])
            self._kept.append(artifact)  # also where it stays unknown whether the row names it
            if not self._name(artifact):
                with suppress(Unavailable):  # then it lies there until the next sweep
                    self._artifacts.erase(location)
                raise Cancelled
            while len(self._kept) > KEPT:  # what cannot be erased now is erased after the next one
                self._artifacts.erase(self._kept[0].location)
                self._kept.pop(0)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the training is worth more than a checkpoint of it
            log.warning("job %s goes on, but not all is well with its checkpoints: %s", self._job.id, frames_of(error))

    def _find(self, artifact: Artifact) -> Checkpoint | None:
        """What has lost this file alone, as a disk does with a bad sector, or has no room for a copy of it, is asked a
        few times more: a checkpoint is no more than a shortcut. A store that is away is for the job to wait for, while
        others have their turn.

        Raises: Unavailable; InsufficientStorage, when it has room for nothing.
        """
        rests = iter(AWAY_RESTS)
        while True:
            try:
                return self._read(artifact)
            except (InsufficientStorage, Unavailable) as error:
                self._artifacts.check_writable()
                if (rest := next(rests, None)) is None:
                    log.warning(
                        "job %s starts anew, its checkpoint alone cannot be read: %s", self._job.id, frames_of(error)
                    )
                    return None
            time.sleep(rest.total_seconds())

    def _read(self, artifact: Artifact) -> Checkpoint | None:
        try:
            with self._artifacts.verified_file(artifact) as file:
                return read_checkpoint(file, self._training)
        except (Gone, Unusable, OSError) as error:
            log.warning("job %s starts anew, its checkpoint is of no use: %s", self._job.id, frames_of(error))
            return None


def _location(job: Job, step: int) -> str:
    return f"{checkpoints_folder(job.id)}/{job.attempt}-{step}"


def _fingerprint(assignment: Assignment) -> str:
    """Of all that a training follows from: another table, option, seed or release has other checkpoints."""
    job = assignment.job
    columns = [repr(column) for column in assignment.columns]
    said = [job.model_type, job.config, job.seed, assignment.source.sha256, columns, releases()]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
