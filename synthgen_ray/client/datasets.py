"""Datasets: the tables that models learn."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, given, path
from synthgen_ray.client.downloads import download
from synthgen_ray.client.files import FilePath
from synthgen_ray.client.sending import OnBytes


class Datasets:
    _connection: Connection

    def upload_dataset(
        self,
        project_id: Id,
        name: str,
        file: FilePath,
        description: str | None = None,
        dataset_id: Id | None = None,
        schema: Mapping[str, Any] | None = None,
        on_bytes: OnBytes | None = None,
    ) -> JSON:
        """Upload a CSV, CSV.gz or Parquet file; with `dataset_id` as that dataset's next version.

        `schema` says what columns are where the server would guess otherwise:
        `{"columns": {"zip": {"kind": "text"}}, "primary_key": "account"}`.
        """
        declared = json.dumps(schema) if schema else None
        form = given(project_id=project_id, name=name, description=description, dataset_id=dataset_id, schema=declared)
        return self._connection.upload("/api/datasets/upload", form, file, on_bytes)

    def list_datasets(self, project_id: Id | None = None, limit: int = 50, offset: int = 0) -> JSON:
        return self._connection.get("/api/datasets", project_id=project_id, limit=limit, offset=offset)

    def get_dataset(self, dataset_id: Id) -> JSON:
        """A dataset, with the id and the size of its latest version."""
        return self._connection.get(path("api", "datasets", dataset_id))

    def list_versions(self, dataset_id: Id, limit: int = 50, offset: int = 0) -> JSON:
        return self._connection.get(path("api", "datasets", dataset_id, "versions"), limit=limit, offset=offset)

    def get_version(self, dataset_id: Id, version: int) -> JSON:
        return self._connection.get(path("api", "datasets", dataset_id, "versions", version))

    def fetch_version(self, dataset_id: Id, uri: str) -> JSON:
        """Add a version from storage, where the server's operator allows it: `s3://bucket/tables/payments.parquet`."""
        return self._connection.create(path("api", "datasets", dataset_id, "versions"), {"uri": uri}, of_table=True)

    def correct_version(self, dataset_id: Id, version: int, schema: Mapping[str, Any]) -> JSON:
        """Say what columns of a version are, as at an upload; refused once a model has learnt it."""
        address = path("api", "datasets", dataset_id, "versions", version, "schema")
        return self._connection.patch(address, schema, of_table=True)

    def list_columns(self, dataset_id: Id, version: int | None = None) -> JSON:
        """The `columns` of a version, the latest if none is named."""
        return self._connection.get(path("api", "datasets", dataset_id, "columns"), version=version)

    def download_dataset(
        self,
        dataset_id: Id,
        to: FilePath,
        format: str = "csv",
        version: int | None = None,
        on_bytes: OnBytes | None = None,
        csv_safe: bool = False,
    ) -> Path:
        """The table of a version, the latest if none is named, as the file `to`. `format` is `csv` or `parquet`;
        `csv_safe` as in `generate`."""
        query = given(format=format, version=version, csv_safe="true" if csv_safe else None)
        return download(self._connection, path("api", "datasets", dataset_id, "download"), to, query, on_bytes)

    def delete_dataset(self, dataset_id: Id) -> JSON:
        """Delete a dataset with its versions, for good; refused while there is a model that learnt it."""
        return self._connection.delete(path("api", "datasets", dataset_id))
