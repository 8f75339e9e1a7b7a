"""`/api/synthgen/jobs`: how trainings and generations stand, and what they made."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from synthgen_ray.api.auth import EVENTS_PATH, Editor, Viewer
from synthgen_ray.api.downloads import CSV, JSONL, PARQUET, download, hands_out
from synthgen_ray.api.events import EVENTS, event_stream
from synthgen_ray.api.parameters import Limit, ModelFilter, Offset, ProjectFilter, ServiceDep, StatusFilter
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.jobs import JobDetail, JobItem
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.params import OutputFormat

router = APIRouter(prefix="/api/synthgen/jobs", tags=["jobs"])

MEDIA_TYPES = {
    OutputFormat.CSV: CSV,
    OutputFormat.JSONL: JSONL,
    OutputFormat.PARQUET: PARQUET,
}


@router.get("", responses=problems(422))
async def list_jobs(
    principal: Viewer,
    service: ServiceDep,
    project_id: ProjectFilter = None,
    model_id: ModelFilter = None,
    status: StatusFilter = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Listed[JobItem]:
    """List jobs, newest first. A `config` over 16 KiB, as one with long lists in its conditions, is `{}` here; the job
    itself shows it."""
    page = await service.list_jobs(principal, project_id, model_id, status, limit, offset)
    return listed(page, JobItem.of, limit, offset)


@router.get("/{job_id:uuid}", responses=problems(404))
async def get_job(job_id: UUID, principal: Viewer, service: ServiceDep) -> JobDetail:
    """Show a job, by its id or by its background job's id."""
    return JobDetail.of(await service.get_job(principal, job_id))


@router.post("/{job_id:uuid}/cancel", responses=problems(403, 404, 409))
async def cancel_job(job_id: UUID, principal: Editor, service: ServiceDep) -> JobDetail:
    """Cancel a job that waits or runs. It is `failed` then, and `cancelled` is true; to repeat it does no harm."""
    return JobDetail.of(await service.cancel_job(principal, job_id))


@router.get(
    f"/{{job_id:uuid}}{EVENTS_PATH}",
    response_class=Response,
    responses={
        200: {"description": "Events `job`, each with the job as it is.", "content": {EVENTS: {}}},
        **problems(404, 429),
    },
)
async def watch_job(job_id: UUID, request: Request, principal: Viewer, service: ServiceDep) -> Response:
    """Watch a job by server-sent events: one for each change of status, progress or losses, until it has ended. The
    stream ends before that when the job is deleted, when the key is revoked or expires, and after an hour: then ask
    again."""
    jobs = service.watch_job(principal, job_id, request.state.is_admitted)
    return await event_stream(jobs, "job", lambda job: JobDetail.of(job).model_dump_json())


@router.head("/{job_id:uuid}/download", include_in_schema=False)
@router.get(
    "/{job_id:uuid}/download",
    response_class=Response,
    responses={
        200: {"description": "The rows.", "content": {media: {} for media in MEDIA_TYPES.values()}},
        206: {"description": "The bytes that the Range header asks for."},
        **problems(404, 409, 410, 412, 416, 503, 507),
    },
)
async def download_output(job_id: UUID, request: Request, principal: Viewer, service: ServiceDep) -> Response:
    """Download the rows of a completed generation. Once they are no longer kept, the answer is 410: its seed gives the
    same rows again."""
    job, artifact = await service.get_output(principal, job_id)
    filename = f"synthetic-{job.id}.{job.output_format}"
    answer = await download(request, artifact, service, filename, MEDIA_TYPES[job.output_format])
    if hands_out(request, answer):
        await service.record_download(principal, Action.JOB_DOWNLOAD, job.id, job.project_id)
    return answer
