"""Models: made from a dataset, and what rows are generated from."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, given, path
from synthgen_ray.client.downloads import download, whole
from synthgen_ray.client.errors import ClientError
from synthgen_ray.client.files import FilePath, path_of
from synthgen_ray.client.sending import OnBytes

DRAW_TIMEOUT_S = 300.0  # the first rows wait for a sampler to start, and for a large model to load
MEDIA = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


class Models:
    _connection: Connection

    def model_types(self) -> list[JSON]:
        types: list[JSON] = self._connection.get("/api/synthgen/model-types")["model_types"]
        return types

    def create_model(
        self,
        project_id: Id,
        dataset_version_id: Id,
        name: str,
        model_type: str = "ctgan",
        config: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> JSON:
        """Make a model. Its training starts by itself; `wait_for_model` waits for it."""
        body = given(
            project_id=str(project_id),
            dataset_version_id=str(dataset_version_id),
            name=name,
            model_type=model_type,
            config=config,
            resources=resources,
        )
        return self._connection.create("/api/synthgen/models", body)

    def list_models(self, project_id: Id | None = None, limit: int = 50, offset: int = 0) -> JSON:
        return self._connection.get("/api/synthgen/models", project_id=project_id, limit=limit, offset=offset)

    def get_model(self, model_id: Id) -> JSON:
        """The model as `model` and its jobs, newest first, as `jobs`."""
        return self._connection.get(_model(model_id))

    def generate(
        self,
        model_id: Id,
        num_rows: int = 1000,
        seed: int | None = None,
        conditions: Mapping[str, Any] | None = None,
        distribution: Mapping[str, Mapping[str, float]] | None = None,
        format: str = "csv",
        csv_safe: bool = False,
    ) -> JSON:
        """Queue a generation. Wait for its `synthgen_job_id`, then download that.

        `conditions` hold for every row: column to a value, a list of values, `{"min": a, "max": b}`
        or `None` for a missing one. `distribution` sets the shares of one column's values.
        `csv_safe` puts an apostrophe before text that a spreadsheet would take for a formula.
        """
        order = given(num_rows=num_rows, seed=seed, conditions=conditions, distribution=distribution)
        body = order | given(format=format, csv_safe=csv_safe or None)
        return self._connection.create(_model(model_id, "generate"), body)

    def impute(
        self,
        model_id: Id,
        dataset_version_id: Id,
        seed: int | None = None,
        format: str = "csv",
        csv_safe: bool = False,
    ) -> JSON:
        """Queue the filling of a table's missing cells. Wait for its `synthgen_job_id`, then download that.

        What the table has stays; each missing cell is drawn by the model, given the others of its row.
        """
        version = str(dataset_version_id)
        body = given(dataset_version_id=version, seed=seed, format=format, csv_safe=csv_safe or None)
        return self._connection.create(_model(model_id, "impute"), body)

    def sample(
        self,
        model_id: Id,
        num_rows: int = 100,
        seed: int | None = None,
        conditions: Mapping[str, Any] | None = None,
        distribution: Mapping[str, Mapping[str, float]] | None = None,
    ) -> list[JSON]:
        """Rows at once, as records; those that a generation of the same seed has. As for `generate`, the conditions
        hold for every row. For many rows, or some to keep, `sample_to` or `generate`.
        """
        order = given(num_rows=num_rows, seed=seed, conditions=conditions, distribution=distribution)

        def rows() -> list[JSON]:
            with self._drawn(model_id, order, "json") as response:
                drawn: list[JSON] = json.loads(response.read())
                return drawn

        return self._connection.patiently(rows, repeatable=False)

    def sample_to(
        self,
        model_id: Id,
        to: FilePath,
        num_rows: int = 100,
        seed: int | None = None,
        conditions: Mapping[str, Any] | None = None,
        distribution: Mapping[str, Mapping[str, float]] | None = None,
        format: str = "csv",
        csv_safe: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Path:
        """Rows at once, as the file `to`, which appears whole or not at all: csv, jsonl, json, parquet, or an Arrow
        stream."""
        order = given(num_rows=num_rows, seed=seed, conditions=conditions, distribution=distribution)
        order |= given(csv_safe=csv_safe or None)

        place = path_of(to)

        def write() -> None:
            with self._drawn(model_id, order, format) as response, whole(place) as target:
                for block in response.iter_bytes():
                    target.write(block)
                    if on_bytes:
                        on_bytes(target.tell(), None)

        self._connection.patiently(write, repeatable=False)  # its rows count against a quota each time
        return place

    @contextmanager
    def _drawn(self, model_id: Id, order: JSON, format: str) -> Iterator[httpx.Response]:
        if format not in MEDIA:
            raise ClientError(f"Rows come as one of {', '.join(MEDIA)}.")
        headers = {"Accept": MEDIA[format]}
        with self._connection.stream(
            _model(model_id, "sample"), headers=headers, body=order, silence_s=DRAW_TIMEOUT_S
        ) as response:
            yield response

    def export_model(self, model_id: Id, to: FilePath, on_bytes: OnBytes | None = None) -> Path:
        """A ready model as the file `to`, which `synthesizers.load` reads too."""
        return download(self._connection, _model(model_id, "export"), to, on_bytes=on_bytes)

    def import_model(self, project_id: Id, name: str, file: FilePath, on_bytes: OnBytes | None = None) -> JSON:
        """Take in a model that was exported, from this server or another; it is ready at once."""
        form = given(project_id=project_id, name=name)
        return self._connection.upload("/api/synthgen/models/import", form, file, on_bytes)

    def delete_model(self, model_id: Id) -> JSON:
        """Delete a model, its jobs and their files, for good."""
        return self._connection.delete(_model(model_id))


def _model(model_id: Id, *more: str) -> str:
    return path("api", "synthgen", "models", model_id, *more)
