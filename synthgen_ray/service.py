"""The use cases, one method each. No web, no Ray: what the API, a script or a test may ask for.

Who asks comes first: the store shows a principal its own projects, and what is not there to it is not found.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.fetching import check_allowed, fetch
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.datasets.streaming import Joined
from synthgen_ray.datasets.writing import csv_blocks
from synthgen_ray.domain.access import ApiKey, Principal, Role
from synthgen_ray.domain.audit import Action, AuditEvent
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.entities import (
    MODEL_FILE,
    Artifact,
    Dataset,
    DatasetVersion,
    Draw,
    Job,
    Model,
    Page,
    Project,
    TrainedModel,
    Usage,
)
from synthgen_ray.domain.errors import (
    Conflict,
    Gone,
    InvalidRequest,
    JobError,
    SynthGenError,
    TooLarge,
    Unavailable,
)
from synthgen_ray.domain.keys import key_hash, new_key
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.once import Made, Once, T
from synthgen_ray.domain.params import GenerateParams, ImputeParams, ModelType, Resources, SampleFormat, SampleParams
from synthgen_ray.domain.validation import check_workers, parse_train_params
from synthgen_ray.store.looks import Looks
from synthgen_ray.synthesizers.inspection import inspected
from synthgen_ray.synthesizers.streams import fresh_seed

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

TABLE_FILE = "table.parquet"
# Between looks at a job that is watched: the end of a short one is seen at once, and a long one costs little.
FIRST_LOOK_S, LOOK_S = 0.05, 1.0


CheckResources = Callable[[ModelType, Resources], Awaitable[None]]
# The chunks of rows that are wanted at once, in their order, each as `datasets.streaming` encodes it.
DrawChunks = Callable[[Draw], AsyncGenerator[bytes, None]]


async def _any_resources(model_type: ModelType, resources: Resources) -> None: ...


class Service:
    """`nudge` tells the dispatcher that there is work; it may be lost without harm. `draw` has rows drawn at once,
    `max_sample_rows` at most. Tables may be fetched from under `allowed_uris`. `check_resources` raises InvalidRequest
    for what no training can ever get."""

    def __init__(
        self,
        store: "Store",
        artifacts: Artifacts,
        nudge: Callable[[], None],
        converter: Converter,
        draw: DrawChunks,
        allowed_uris: Sequence[str] = (),
        check_resources: CheckResources = _any_resources,
        max_sample_rows: int = 100_000,
    ) -> None:
        self._store = store
        self._looks = Looks(store.find_jobs)
        self._artifacts = artifacts
        self._nudge = nudge
        self._converter = converter
        self._allowed_uris = allowed_uris
        self._check_resources = check_resources
        self._draw = draw
        self.max_sample_rows = max_sample_rows

    @property
    def upload_limits(self) -> UploadLimits:
        return self._converter.limits

    async def create_project(
        self, principal: Principal, name: str, description: str, once: Once | None = None
    ) -> Made[Project]:
        return await self._store.create_project(principal, name, description, once)

    async def list_projects(self, principal: Principal, limit: int, offset: int) -> Page[Project]:
        return await self._store.list_projects(principal, limit, offset)

    async def get_project(self, principal: Principal, project_id: UUID) -> Project:
        return await self._store.get_project(principal, project_id)

    async def change_project(
        self, principal: Principal, project_id: UUID, name: str | None, description: str | None
    ) -> Project:
        return await self._store.change_project(principal, project_id, name, description)

    async def delete_project(self, principal: Principal, project_id: UUID, *, force: bool) -> None:
        await self._store.delete_project(principal, project_id, force=force)
        self._nudge()

    async def get_usage(self, principal: Principal, project_id: UUID) -> Usage:
        return await self._store.get_usage(principal, project_id)

    async def create_key(
        self,
        principal: Principal,
        name: str,
        role: Role,
        projects: frozenset[UUID] | None,
        expires_at: datetime | None,
        once: Once | None = None,
    ) -> tuple[ApiKey, str]:
        """What is known of the new key, and the key itself, which is kept nowhere.

        Raises: Conflict, for a call that made its key before: it cannot be shown again.
        """
        key = new_key()
        made = await self._store.create_key(principal, name, role, projects, expires_at, key_hash(key), once)
        if made.replayed:
            detail = f"This call made the key {made.value.id} before, and a key is shown once: revoke it, make another."
            raise Conflict(detail, "key_shown_before")
        return made.value, key

    async def list_keys(self, principal: Principal, limit: int, offset: int) -> Page[ApiKey]:
        return await self._store.list_keys(principal, limit, offset)

    async def delete_key(self, principal: Principal, key_id: UUID) -> None:
        await self._store.delete_key(principal, key_id)

    @contextmanager
    def upload_folder(self) -> Iterator[Path]:
        """A private folder for an upload on its way in, gone afterwards.

        Raises: InsufficientStorage, when the disk is almost full.
        """
        self._artifacts.scratch.check_free(self.upload_limits.min_free_bytes, self.upload_limits.min_free_share)
        with self._artifacts.scratch.folder() as folder:
            yield folder

    async def upload_dataset(
        self,
        principal: Principal,
        project_id: UUID,
        name: str,
        description: str,
        upload: Path,
        filename: str,
        dataset_id: UUID | None = None,
        correction: SchemaCorrection | None = None,
        once: Once | None = None,
    ) -> Made[DatasetVersion]:
        """Check an uploaded file, keep it as a canonical table, register it.

        `correction` is what its owner knows of its columns.

        Raises: NotFound, for the project or dataset; what `Converter.convert` says of the file.
        """
        await self._store.require_upload_target(principal, project_id, dataset_id)
        artifact, summary = await self._keep_table(upload, filename, correction)
        table = (artifact, summary.columns, summary.warnings)
        call = self._store.add_dataset_version(principal, project_id, name, description, *table, dataset_id, once)
        return await self._made_of(artifact, call)

    async def fetch_version(
        self, principal: Principal, dataset_id: UUID, uri: str, once: Once | None = None
    ) -> Made[DatasetVersion]:
        """The next version of a dataset, from storage that the operator allows.

        Raises: NotFound; InvalidRequest, for the URI; Unavailable; what `Converter.convert` says of the file.
        """
        dataset = await self._store.get_dataset(principal, dataset_id)
        check_allowed(uri, self._allowed_uris)
        with self.upload_folder() as folder:
            file = folder / "fetched"
            filename = await asyncio.to_thread(fetch, uri, file, self.upload_limits.max_bytes)
            target = (dataset.project_id, dataset.name, dataset.description, file, filename, dataset_id)
            return await self.upload_dataset(principal, *target, once=once)

    async def correct_version(
        self, principal: Principal, dataset_id: UUID, version: int, correction: SchemaCorrection
    ) -> DatasetVersion:
        """Tell a version what its columns are, before anything is learnt from it.

        Raises: NotFound; Conflict, when a model was trained on it; InvalidTable, for what a column cannot be; Gone.
        """
        before, table = await self._store.get_version(principal, dataset_id, version)
        formats = {column.name: column.format for column in before.columns if column.format}
        with ExitStack() as held:
            file = await asyncio.to_thread(held.enter_context, self._artifacts.verified_file(table))
            artifact, summary = await self._keep_table(file, TABLE_FILE, correction, formats)
        named = {*correction.columns, correction.primary_key}
        columns = tuple(
            new if new.name in named else old for old, new in zip(before.columns, summary.columns, strict=True)
        )
        warnings = (*before.warnings, *(new for new in summary.warnings if new not in before.warnings))
        async with self._kept(artifact):
            return await self._store.correct_version(principal, before.id, table.id, artifact, columns, warnings)

    async def list_datasets(
        self, principal: Principal, project_id: UUID | None, limit: int, offset: int
    ) -> Page[Dataset]:
        return await self._store.list_datasets(principal, project_id, limit, offset)

    async def get_dataset(self, principal: Principal, dataset_id: UUID) -> Dataset:
        return await self._store.get_dataset(principal, dataset_id)

    async def list_versions(
        self, principal: Principal, dataset_id: UUID, limit: int, offset: int
    ) -> Page[DatasetVersion]:
        return await self._store.list_versions(principal, dataset_id, limit, offset)

    async def get_version(self, principal: Principal, dataset_id: UUID, version: int | None) -> DatasetVersion:
        """The latest for `None`."""
        return (await self._store.get_version(principal, dataset_id, version))[0]

    async def get_table(
        self, principal: Principal, dataset_id: UUID, version: int | None
    ) -> tuple[DatasetVersion, Artifact]:
        """A version and its table as canonical Parquet; the latest for `None`."""
        return await self._store.get_version(principal, dataset_id, version)

    async def delete_dataset(self, principal: Principal, dataset_id: UUID) -> None:
        await self._store.delete_dataset(principal, dataset_id)
        self._nudge()

    async def create_model(
        self,
        principal: Principal,
        project_id: UUID,
        dataset_version_id: UUID,
        name: str,
        model_type: ModelType,
        config: Mapping[str, Any],
        resources: Resources,
        once: Once | None = None,
    ) -> Made[Job]:
        """Make a model and queue its training. Once this returns both exist.

        Raises: InvalidRequest, for the config or resources; NotFound; InvalidTable, with too few rows to learn from.
        """
        params = parse_train_params(model_type, config)
        check_workers(params, resources)
        await self._check_resources(model_type, resources)
        made = await self._store.create_model(
            principal, project_id, dataset_version_id, name, model_type, params, resources, once
        )
        self._nudge()
        return made

    async def list_models(self, principal: Principal, project_id: UUID | None, limit: int, offset: int) -> Page[Model]:
        return await self._store.list_models(principal, project_id, limit, offset)

    async def get_model(self, principal: Principal, model_id: UUID) -> tuple[Model, tuple[Job, ...]]:
        return await self._store.get_model(principal, model_id)

    async def get_trained(self, principal: Principal, model_id: UUID) -> tuple[Model, Artifact]:
        """A ready model and its file."""
        return await self._store.get_trained(principal, model_id)

    async def import_model(
        self, principal: Principal, project_id: UUID, name: str, file: Path, once: Once | None = None
    ) -> Made[Model]:
        """Take in a model that was exported, here or elsewhere.

        Raises: NotFound, for the project; InvalidRequest, for anything but a sound model file.
        """
        await self._store.require_upload_target(principal, project_id, None)
        facts = await inspected(file)
        artifact = await asyncio.to_thread(self._publish, file, f"models/{uuid4()}", MODEL_FILE, 0)
        trained = TrainedModel(artifact, facts.columns, facts.chunk_rows)
        call = self._store.add_trained_model(principal, project_id, name, facts.model_type, facts.config, trained, once)
        return await self._made_of(artifact, call)

    async def delete_model(self, principal: Principal, model_id: UUID) -> None:
        await self._store.delete_model(principal, model_id)
        self._nudge()

    async def generate(
        self, principal: Principal, model_id: UUID, params: GenerateParams, once: Once | None = None
    ) -> Made[Job]:
        """Queue a generation. Once this returns the job exists, whether or not the nudge arrives."""
        made = await self._store.enqueue_generate(principal, model_id, params, once)
        self._nudge()
        return made

    async def impute(
        self, principal: Principal, model_id: UUID, params: ImputeParams, once: Once | None = None
    ) -> Made[Job]:
        """Queue a generation whose rows are a table's, with its missing cells filled."""
        made = await self._store.enqueue_impute(principal, model_id, params, once)
        self._nudge()
        return made

    async def sample(
        self, principal: Principal, model_id: UUID, params: SampleParams, form: SampleFormat
    ) -> tuple[int, AsyncIterator[bytes]]:
        """The seed and the rows of a ready model, which are drawn as they are read; the first ones are there.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge; TooMany;
        Unavailable, when the samplers have too much to do; Gone, when the model's file is damaged.
        """
        if params.num_rows > self.max_sample_rows:
            detail = f"At most {self.max_sample_rows:,} rows come with the answer: generate makes a file of more."
            raise TooLarge(detail, "too_many_rows")
        if params.csv_safe and form is not SampleFormat.CSV:
            raise InvalidRequest("csv_safe is for CSV: the other formats hold no formulas.", "csv_safe_needs_csv")
        seed = fresh_seed() if params.seed is None else params.seed
        source, chunk_rows = await self._store.admit_draw(principal, model_id, params)
        blocks = self._joined(Draw(source, tuple(chunks(params.num_rows, chunk_rows)), seed, params, form))
        try:
            first = await anext(blocks)
        except JobError as error:
            refusal = InvalidRequest if error.code == "conditions_unsatisfiable" else Gone
            raise refusal(error.detail, error.code) from error
        return seed, _with_first(first, blocks)

    async def _joined(self, draw: Draw) -> AsyncGenerator[bytes, None]:
        stream = Joined.of(draw.format)
        done = asyncio.to_thread if stream.computes else _at_once
        async with aclosing(self._draw(draw)) as drawn:
            async for chunk in drawn:
                yield await done(stream.add, chunk)
        yield await done(stream.end)

    async def list_jobs(
        self,
        principal: Principal,
        project_id: UUID | None,
        model_id: UUID | None,
        status: JobStatus | None,
        limit: int,
        offset: int,
    ) -> Page[Job]:
        return await self._store.list_jobs(principal, project_id, model_id, status, limit, offset)

    async def get_job(self, principal: Principal, job_id: UUID) -> Job:
        return await self._looks.job(principal, job_id)

    async def cancel_job(self, principal: Principal, job_id: UUID) -> Job:
        job = await self._store.cancel(principal, job_id)
        self._nudge()
        return job

    async def watch_job(self, principal: Principal, job_id: UUID) -> AsyncIterator[Job]:
        """The job, each time that it has changed, until it has ended."""
        shown: Job | None = None
        pause_s = FIRST_LOOK_S
        while True:
            job = await self._looks.job(principal, job_id)
            if job != shown:
                yield job
            if job.status.is_final:
                return
            shown = job
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, LOOK_S)

    async def get_output(self, principal: Principal, job_id: UUID) -> tuple[Job, Artifact]:
        """The rows of a completed generation.

        Raises: NotFound; Conflict, for a job that has no rows yet or never will; Gone, for one whose time is over.
        """
        job = await self._store.get_job(principal, job_id)
        if job.job_type is JobType.TRAIN:
            raise Conflict("A training has no rows to download: generate from its model first.", "no_output")
        if job.job_type is JobType.BATCH:
            raise Conflict("A batch puts its rows elsewhere: its config says where, as `output`.", "no_output")
        if job.is_cancelled:
            raise Conflict("The job was cancelled and has no output.", "cancelled")
        if job.status is JobStatus.FAILED:
            raise Conflict("The job failed and has no output; its error says why.", "job_failed")
        if job.status is JobStatus.COMPLETED and job.artifact is None:
            detail = f"The rows are no longer kept: ask again with the seed {job.seed}, which gives the same rows."
            raise Gone(detail, "artifact_expired")
        if job.artifact is None:
            raise Conflict(f"The job is {job.status}: download when its status is completed.", "not_ready")
        return job, job.artifact

    async def list_audit(self, principal: Principal, limit: int, offset: int) -> Page[AuditEvent]:
        return await self._store.list_audit(principal, limit, offset)

    async def record_download(self, principal: Principal, action: Action, object_id: UUID, project_id: UUID) -> None:
        """Before a file leaves. Raises: Unavailable: none leaves unseen."""
        await self._store.record_read(principal, action, object_id, project_id)

    async def read(self, artifact: Artifact) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of the artifact's bytes from a start to before a stop.

        Raises: Gone, when they are no longer those that were published; of a large artifact perhaps while it is read.
        """
        return await asyncio.to_thread(self._artifacts.reader, artifact)

    async def read_csv(self, version: DatasetVersion, artifact: Artifact, *, safe: bool) -> Iterator[bytes]:
        """The blocks of a version's table as CSV, dates as they were written; a `safe` one holds no formulas.

        Raises: Gone, at once when its file is not the one that was published.
        """

        def blocks() -> Iterator[bytes]:
            with self._artifacts.verified_file(artifact) as file:
                yield from csv_blocks(file, version.columns, safe=safe)

        rest = blocks()
        first = await asyncio.to_thread(next, rest, b"")  # looks at the file
        return chain([first], rest)

    async def _keep_table(
        self,
        upload: Path,
        filename: str,
        correction: SchemaCorrection | None,
        formats: Mapping[str, str] | None = None,
    ) -> tuple[Artifact, TableSummary]:
        with self._artifacts.scratch.folder() as folder:
            canonical = folder / TABLE_FILE
            summary = await self._converter.convert(upload, filename, canonical, correction, formats)
            location = f"datasets/{uuid4()}"
            return await asyncio.to_thread(self._publish, canonical, location, TABLE_FILE, summary.num_rows), summary

    def _publish(self, file: Path, location: str, name: str, num_rows: int) -> Artifact:
        self._artifacts.adopt(file, location, name)
        return self._artifacts.seal(location, [self._artifacts.part(location, name, num_rows)])

    async def _made_of(self, artifact: Artifact, call: Awaitable[Made[T]]) -> Made[T]:
        """What a call makes of an artifact; one that is of no use to it is erased."""
        async with self._kept(artifact):
            made = await call
        if made.replayed:
            await self._discard(artifact)
        return made

    @asynccontextmanager
    async def _kept(self, artifact: Artifact) -> AsyncIterator[None]:
        """While it is registered: one that the store refuses is erased."""
        try:
            yield
        except SynthGenError as error:
            if not isinstance(error, Unavailable):  # then it may be registered
                await self._discard(artifact)
            raise

    async def _discard(self, artifact: Artifact) -> None:
        """Erase what no row names; what cannot be reached now is found later, as all that no row names is."""
        with suppress(Unavailable):
            await asyncio.to_thread(self._artifacts.erase, artifact.location)


async def _at_once(call: Callable[..., T], *given: object) -> T:
    """A thread costs more than what hardly computes."""
    return call(*given)


async def _with_first(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for block in rest:
            yield block
