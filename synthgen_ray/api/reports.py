"""`/api/reports`: how good and how private the rows of models are."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from synthgen_ray.api.auth import Editor, Viewer
from synthgen_ray.api.downloads import download, hands_out
from synthgen_ray.api.once import OnceDep, value_of
from synthgen_ray.api.parameters import Limit, ModelFilter, Offset, ProjectFilter, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.reports import ReportCreate, ReportSchema
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.reports import ReportFormat, ReportKind, ReportParams

router = APIRouter(prefix="/api/reports", tags=["reports"])

MEDIA_TYPES = {ReportFormat.HTML: "text/html; charset=utf-8", ReportFormat.JSON: "application/json"}
# Of a page that runs nothing and loads nothing: its style and its pictures are in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

FormatQuery = Annotated[ReportFormat, Query(description="The page, or all that it shows, as JSON.")]


async def _of_kind(kind: Annotated[ReportKind | None, Query(description="Only of this kind.")] = None) -> None:
    """There is one kind so far: all reports are of it."""


@router.post("", status_code=201, responses=problems(400, 403, 404, 409, 410, 422, 429, 503))
async def create_report(
    body: ReportCreate, principal: Editor, service: ServiceDep, once: OnceDep, response: Response
) -> ReportSchema:
    """Queue a report on a ready model: its rows against those that it learnt and those that it never saw.

    Poll it until `succeeded` or `failed`, then download it. The rows are those of a completed generation, or drawn.
    A generation with `conditions` is compared with the real rows that fit them. Where fewer than 20 do, or more for a
    model with a `min_category_count` above 5, the report fails (`too_few_fitting_rows`). One with a `distribution` is
    refused (`rebalanced_rows`): ask for a report on a generation without.
    """
    made = await service.create_report(principal, body.project_id, body.entity_id, body.options or ReportParams(), once)
    return ReportSchema.of(value_of(made, response))


@router.get("", responses=problems(422), dependencies=[Depends(_of_kind)])
async def list_reports(
    principal: Viewer,
    service: ServiceDep,
    project_id: ProjectFilter = None,
    entity_id: ModelFilter = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Listed[ReportSchema]:
    """List reports, newest first."""
    page = await service.list_reports(principal, project_id, entity_id, limit, offset)
    return listed(page, ReportSchema.of, limit, offset)


@router.get("/{report_id:uuid}", responses=problems(404))
async def get_report(report_id: UUID, principal: Viewer, service: ServiceDep) -> ReportSchema:
    """Show a report: how far it is, or its scores."""
    return ReportSchema.of(await service.get_report(principal, report_id))


@router.head("/{report_id:uuid}/download", include_in_schema=False)
@router.get(
    "/{report_id:uuid}/download",
    response_class=Response,
    responses={
        200: {"description": "The report.", "content": {media: {} for media in MEDIA_TYPES.values()}},
        206: {"description": "The bytes that the Range header asks for."},
        **problems(404, 409, 410, 412, 416, 422, 503, 507),
    },
)
async def download_report(
    report_id: UUID,
    request: Request,
    principal: Viewer,
    service: ServiceDep,
    format: FormatQuery = ReportFormat.HTML,
) -> Response:
    """Download a report as a page that needs nothing else, or as JSON. No row of the table is in it."""
    report, file = await service.get_report_file(principal, report_id, format)
    answer = await download(request, file, service, f"report-{report.id}.{format}", MEDIA_TYPES[format])
    if hands_out(request, answer):
        await service.record_download(principal, Action.REPORT_DOWNLOAD, report.id, report.project_id)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
