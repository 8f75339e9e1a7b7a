"""`/api/synthgen/models`: make, list, show, sample and delete models."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from starlette.responses import StreamingResponse

from synthgen_ray.api import examples
from synthgen_ray.api.auth import Editor, Viewer
from synthgen_ray.api.downloads import JSONL, PARQUET, download, hands_out
from synthgen_ray.api.negotiation import negotiated
from synthgen_ray.api.once import Key, OnceDep, value_of
from synthgen_ray.api.parameters import Limit, Offset, ProjectFilter, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.models import (
    GenerateAccepted,
    ImportForm,
    ModelAccepted,
    ModelCreate,
    ModelDeleted,
    ModelDetail,
    ModelImported,
    ModelItem,
    ModelJob,
    ModelSchema,
    Rows,
)
from synthgen_ray.api.uploads import form_in_openapi, received
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.params import GenerateParams, ImputeParams, Resources, SampleFormat, SampleParams

router = APIRouter(prefix="/api/synthgen/models", tags=["models"])
MODEL_FILE = "application/vnd.synthgen.model"
SEED = "X-SynthGen-Seed"
SAMPLE_MEDIA = {
    SampleFormat.JSON: "application/json",
    SampleFormat.JSONL: JSONL,
    SampleFormat.CSV: "text/csv",
    SampleFormat.PARQUET: PARQUET,
    SampleFormat.ARROW: "application/vnd.apache.arrow.stream",
}
SAMPLE_FORMS = {media: form for form, media in SAMPLE_MEDIA.items()}


@router.post("", status_code=201, responses=problems(400, 403, 404, 409, 422, 429, 503))
async def create_model(
    body: ModelCreate, principal: Editor, service: ServiceDep, once: OnceDep, response: Response
) -> ModelAccepted:
    """Make a model; its training starts by itself. Poll the model until `ready` or `failed`."""
    made = await service.create_model(
        principal,
        body.project_id,
        body.dataset_version_id,
        body.name,
        body.model_type,
        body.config,
        body.resources or Resources(),
        once,
    )
    return ModelAccepted.of(value_of(made, response))


@router.get("", responses=problems(422))
async def list_models(
    principal: Viewer, service: ServiceDep, project_id: ProjectFilter = None, limit: Limit = 50, offset: Offset = 0
) -> Listed[ModelItem]:
    """List models, newest first."""
    return listed(await service.list_models(principal, project_id, limit, offset), ModelItem.of, limit, offset)


@router.post(
    "/import",
    status_code=201,
    responses=problems(400, 403, 404, 408, 409, 413, 415, 422, 429, 503, 507),
    openapi_extra=form_in_openapi(ImportForm, "A model's file, as an export gave it."),
)
async def import_model(
    request: Request, response: Response, principal: Editor, service: ServiceDep, key: Key = None
) -> ModelImported:
    """Take in a model that was exported, here or elsewhere; it has no dataset. A file that was altered is refused."""
    async with received(request, service, key, ImportForm) as upload:
        form = upload.form
        made = await service.import_model(principal, form.project_id, form.name, upload.path, upload.once)
    return ModelImported.of(value_of(made, response))


@router.get("/{model_id:uuid}", responses=problems(404))
async def get_model(model_id: UUID, principal: Viewer, service: ServiceDep) -> ModelDetail:
    """Show a model, its training and its newest generations, newest first: a hundred jobs at most."""
    model, jobs = await service.get_model(principal, model_id)
    return ModelDetail(model=ModelSchema.of(model), jobs=[ModelJob.of(job) for job in jobs])


@router.post("/{model_id:uuid}/generate", responses=problems(400, 403, 404, 409, 413, 422, 429, 503))
async def generate(
    model_id: UUID,
    principal: Editor,
    service: ServiceDep,
    once: OnceDep,
    response: Response,
    params: Annotated[GenerateParams | None, Body(examples=examples.GENERATE)] = None,
) -> GenerateAccepted:
    """Queue a generation from a ready model; poll the job, then download its rows."""
    made = await service.generate(principal, model_id, params or GenerateParams(), once)
    return GenerateAccepted.of(value_of(made, response))


@router.post("/{model_id:uuid}/impute", responses=problems(400, 403, 404, 409, 413, 422, 429, 503))
async def impute(
    model_id: UUID,
    principal: Editor,
    service: ServiceDep,
    once: OnceDep,
    response: Response,
    params: Annotated[ImputeParams, Body(examples=examples.IMPUTE)],
) -> GenerateAccepted:
    """Fill the missing cells of a table with a ready model, each given the other cells of its row.

    The output of the job is the table with all that it has, and values that fit where it had none. Ids and free texts
    are not made up: they stay missing. A table that lacks a column of the model is refused. Whether its cells fit is
    seen when they are read, since text may be all numbers: where they do not, the job fails (`column_mismatch`).
    """
    made = await service.impute(principal, model_id, params, once)
    return GenerateAccepted.of(value_of(made, response))


@router.post(
    "/{model_id:uuid}/sample",
    response_class=Response,
    responses={
        200: {
            "description": "The rows, in the format that `Accept` asks for.",
            "headers": {
                SEED: {
                    "description": "As `seed` of another call it gives the same rows again.",
                    "schema": {"type": "integer"},
                }
            },
            "model": Rows,
            "content": {media: {} for form, media in SAMPLE_MEDIA.items() if form is not SampleFormat.JSON},
        },
        **problems(400, 403, 404, 406, 409, 410, 413, 422, 429, 503),
    },
)
async def sample(
    model_id: UUID,
    request: Request,
    principal: Editor,
    service: ServiceDep,
    params: Annotated[SampleParams | None, Body(examples=examples.SAMPLE)] = None,
) -> Response:
    """Draw rows from a ready model and answer with them: the rows that a generation of the same seed has.

    For a table of any size, as a file that can be fetched again, generate.
    """
    form = negotiated(", ".join(request.headers.getlist("accept")), SAMPLE_FORMS)
    seed, rows = await service.sample(principal, model_id, params or SampleParams(), form)
    headers, media = {SEED: str(seed), "Vary": "Accept"}, SAMPLE_MEDIA[form]
    if isinstance(rows, bytes):
        return Response(rows, headers=headers, media_type=media)
    return StreamingResponse(rows, headers=headers, media_type=media)


@router.head("/{model_id:uuid}/export", include_in_schema=False)
@router.get(
    "/{model_id:uuid}/export",
    response_class=Response,
    responses={
        200: {"description": "The model file.", "content": {MODEL_FILE: {}}},
        206: {"description": "The bytes that the Range header asks for."},
        **problems(404, 409, 410, 412, 416, 503, 507),
    },
)
async def export_model(model_id: UUID, request: Request, principal: Viewer, service: ServiceDep) -> Response:
    """Download a ready model as one file, which any SynthGen can import. It holds JSON and numbers, no code."""
    model, artifact = await service.get_trained(principal, model_id)
    answer = await download(request, artifact, service, f"model-{model.id}.synthgen", MODEL_FILE)
    if hands_out(request, answer):
        await service.record_download(principal, Action.MODEL_EXPORT, model.id, model.project_id)
    return answer


@router.delete("/{model_id:uuid}", responses=problems(403, 404))
async def delete_model(model_id: UUID, principal: Editor, service: ServiceDep) -> ModelDeleted:
    """Delete a model, its jobs and their files, for good; jobs that run are stopped."""
    await service.delete_model(principal, model_id)
    return ModelDeleted(ok=True, model_id=model_id)
