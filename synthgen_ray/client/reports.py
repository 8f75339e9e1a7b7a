"""Reports: how good and how private the rows of a model are."""

from pathlib import Path

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, given, path
from synthgen_ray.client.downloads import download
from synthgen_ray.client.files import FilePath
from synthgen_ray.client.sending import OnBytes


class Reports:
    _connection: Connection

    def create_report(
        self,
        project_id: Id,
        model_id: Id,
        synthgen_job_id: Id | None = None,
        num_rows: int | None = None,
        seed: int | None = None,
        target: str | None = None,
    ) -> JSON:
        """Queue a report on a ready model; `wait_for_report` waits for it.

        The rows of the generation `synthgen_job_id` are judged, beside the real rows that fit its conditions, or
        `num_rows` that are drawn for it; one with a distribution is refused. `target` is the
        column that others are to tell of; without one, one that fits.
        """
        options = given(synthgen_job_id=synthgen_job_id, num_rows=num_rows, seed=seed, target=target)
        body = {"project_id": str(project_id), "kind": "synthgen", "entity_id": str(model_id), "options": options}
        return self._connection.create("/api/reports", body)

    def list_reports(
        self,
        project_id: Id | None = None,
        kind: str | None = None,
        limit: int = 50,
        offset: int = 0,
        model_id: Id | None = None,
    ) -> JSON:
        filters = {"project_id": project_id, "kind": kind, "entity_id": model_id}
        return self._connection.get("/api/reports", **filters, limit=limit, offset=offset)

    def get_report(self, report_id: Id) -> JSON:
        """How far it is; its `scores` once it has succeeded."""
        return self._connection.get(_report(report_id))

    def download_report(
        self, report_id: Id, to: FilePath, format: str = "html", on_bytes: OnBytes | None = None
    ) -> Path:
        """A report as the file `to`: a page that needs nothing else, or all that it shows as json."""
        return download(self._connection, _report(report_id, "download"), to, {"format": format}, on_bytes)


def _report(report_id: Id, *more: str) -> str:
    return path("api", "reports", report_id, *more)
