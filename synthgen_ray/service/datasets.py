"""Datasets and their versions."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from synthgen_ray.datasets.corrections import settled
from synthgen_ray.datasets.fetching import check_allowed, fetch
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.datasets.writing import csv_blocks
from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.columns import repeats
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.entities import Artifact, Dataset, DatasetVersion, Page, VersionSummary
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.service.files import Files

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

TABLE_FILE = "table.parquet"


class Datasets(Files):
    _store: "Store"
    _nudge: Callable[[], None]
    _allowed_uris: Sequence[str]
    _fetching: ThreadPoolExecutor  # which storage that is slow may fill; asyncio's own are everybody's

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
        # By the key first: what was made before is answered whatever has become of its dataset, or of the quota.
        if before := await self._made_before(self._store.find_made_version, principal, once):
            return before
        await self._store.require_upload_target(principal, project_id, dataset_id)
        target = (project_id, name, description)
        return await self._add_version(principal, *target, upload, filename, dataset_id, correction, once)

    async def fetch_version(
        self, principal: Principal, dataset_id: UUID, uri: str, once: Once | None = None
    ) -> Made[DatasetVersion]:
        """The next version of a dataset, from storage that the operator allows.

        Raises: NotFound; TooMany, over a quota; InvalidRequest, for the URI; Unavailable; InsufficientStorage; what
        `Converter.convert` says of the file.
        """
        if before := await self._made_before(
            self._store.find_made_version, principal, once
        ):  # whatever there is at the URI by now
            return before
        dataset = await self._store.get_dataset(principal, dataset_id)
        check_allowed(uri, self._allowed_uris)
        await self._store.require_upload_target(principal, dataset.project_id, dataset_id)  # before a byte comes
        async with self.upload_folder() as folder:
            file = folder / "fetched"

            def check() -> None:
                self.check_free()
                file.stat()  # which raises where the folder is gone: who asked for the file has left

            order = (uri, file, self.upload_limits.max_bytes, check)
            filename = await asyncio.get_running_loop().run_in_executor(self._fetching, fetch, *order)
            await self._store.require_upload_target(principal, dataset.project_id, dataset_id)  # it took its time
            target = (dataset.project_id, dataset.name, dataset.description)
            return await self._add_version(principal, *target, file, filename, dataset_id, None, once)

    async def correct_version(
        self, principal: Principal, dataset_id: UUID, version: int, correction: SchemaCorrection
    ) -> DatasetVersion:
        """Tell a version what its columns are, before anything is learnt from it.

        Raises: NotFound; Conflict, when a model was trained on it; InvalidTable, for what a column cannot be; Gone.
        """
        before, table = await self._store.get_version(principal, dataset_id, version)
        formats = {column.name: column.format for column in before.columns if column.format}
        async with self._held(self._artifacts.verified_file(table)) as file:
            artifact, summary = await self._keep_table(file, TABLE_FILE, correction, formats)
        named = {*correction.columns, correction.primary_key}
        columns = tuple(
            new if new.name in named else old for old, new in zip(before.columns, summary.columns, strict=True)
        )
        outdated = settled(before.warnings, [column for column in columns if column.name in named])
        outdated.update(repeats(before.columns, before.num_rows))
        told = (*(known for known in before.warnings if known not in outdated), *summary.warnings)
        warnings = tuple(dict.fromkeys((*told, *repeats(columns, summary.num_rows))))  # each once
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
    ) -> Page[VersionSummary]:
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

    async def read_csv(self, version: DatasetVersion, artifact: Artifact, *, safe: bool) -> Iterator[bytes]:
        """The blocks of a version's table as CSV, dates as they were written; a `safe` one holds no formulas.

        Raises: Gone, at once when its file is not the one that was published.
        """

        def blocks() -> Iterator[bytes]:
            with self._artifacts.verified_file(artifact) as file:
                yield from csv_blocks(file, version.columns, safe=safe)

        rest = blocks()
        first = await self.aside(next, rest, b"")  # looks at the file
        return chain([first], rest)

    async def _add_version(
        self,
        principal: Principal,
        project_id: UUID,
        name: str,
        description: str,
        file: Path,
        filename: str,
        dataset_id: UUID | None,
        correction: SchemaCorrection | None,
        once: Once | None,
    ) -> Made[DatasetVersion]:
        artifact, summary = await self._keep_table(file, filename, correction)
        table = (artifact, summary.columns, summary.warnings + repeats(summary.columns, summary.num_rows))
        call = self._store.add_dataset_version(principal, project_id, name, description, *table, dataset_id, once)
        return await self._made_of(artifact, call)

    async def _keep_table(
        self,
        upload: Path,
        filename: str,
        correction: SchemaCorrection | None,
        formats: Mapping[str, str] | None = None,
    ) -> tuple[Artifact, TableSummary]:
        async with self._held(self._artifacts.scratch.folder()) as folder:
            canonical = folder / TABLE_FILE
            summary = await self._converter.convert(upload, filename, canonical, correction, formats)
            location = f"datasets/{uuid4()}"
            return await self.aside(self._publish, canonical, location, TABLE_FILE, summary.num_rows), summary
