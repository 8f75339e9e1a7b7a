"""`/api/datasets`: the tables that models learn."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from synthgen_ray.api.auth import Editor, Viewer
from synthgen_ray.api.downloads import CSV, PARQUET, attachment, download, hands_out
from synthgen_ray.api.once import Key, OnceDep, value_of
from synthgen_ray.api.parameters import CsvSafe, Limit, Offset, ProjectFilter, ServiceDep, Version, VersionFilter
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.datasets import (
    Columns,
    DatasetDeleted,
    DatasetSchema,
    UploadAccepted,
    UploadForm,
    VersionFetch,
    VersionItem,
    VersionSchema,
)
from synthgen_ray.api.uploads import form_in_openapi, received
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidRequest

router = APIRouter(prefix="/api/datasets", tags=["datasets"])


@router.post(
    "/upload",
    status_code=201,
    responses=problems(400, 403, 404, 408, 409, 413, 415, 422, 429, 503, 507),
    openapi_extra=form_in_openapi(UploadForm, "CSV with a header, CSV.gz or Parquet."),
)
async def upload_dataset(
    request: Request, response: Response, principal: Editor, service: ServiceDep, key: Key = None
) -> UploadAccepted:
    """Upload a table: a new dataset, or with `dataset_id` the next version of one."""
    async with received(request, service, key, UploadForm) as upload:
        form = upload.form
        made = await service.upload_dataset(
            principal,
            form.project_id,
            form.name,
            form.description,
            upload.path,
            upload.filename,
            form.dataset_id,
            form.correction,
            upload.once,
        )
    return UploadAccepted.of(value_of(made, response))


@router.get("", responses=problems(422))
async def list_datasets(
    principal: Viewer, service: ServiceDep, project_id: ProjectFilter = None, limit: Limit = 50, offset: Offset = 0
) -> Listed[DatasetSchema]:
    """List datasets, newest first, each with its latest version."""
    return listed(await service.list_datasets(principal, project_id, limit, offset), DatasetSchema.of, limit, offset)


@router.get("/{dataset_id:uuid}", responses=problems(404))
async def get_dataset(dataset_id: UUID, principal: Viewer, service: ServiceDep) -> DatasetSchema:
    """Show a dataset, with its latest version."""
    return DatasetSchema.of(await service.get_dataset(principal, dataset_id))


@router.delete("/{dataset_id:uuid}", responses=problems(403, 404, 409))
async def delete_dataset(dataset_id: UUID, principal: Editor, service: ServiceDep) -> DatasetDeleted:
    """Delete a dataset with its versions, for good. One that a model was trained on is kept until the model is gone."""
    await service.delete_dataset(principal, dataset_id)
    return DatasetDeleted(ok=True, dataset_id=dataset_id)


@router.get("/{dataset_id:uuid}/versions", responses=problems(404, 422))
async def list_versions(
    dataset_id: UUID, principal: Viewer, service: ServiceDep, limit: Limit = 50, offset: Offset = 0
) -> Listed[VersionItem]:
    """List the versions of a dataset, newest first, without their columns."""
    page = await service.list_versions(principal, dataset_id, limit, offset)
    return listed(page, VersionItem.of, limit, offset)


@router.post(
    "/{dataset_id:uuid}/versions", status_code=201, responses=problems(400, 403, 404, 409, 413, 415, 422, 429, 503, 507)
)
async def fetch_version(
    dataset_id: UUID, body: VersionFetch, principal: Editor, service: ServiceDep, once: OnceDep, response: Response
) -> UploadAccepted:
    """Add a version from storage; only from under the addresses that the operator allows (`allowed_uris`)."""
    return UploadAccepted.of(value_of(await service.fetch_version(principal, dataset_id, body.uri, once), response))


@router.patch(
    "/{dataset_id:uuid}/versions/{version}/schema", responses=problems(400, 403, 404, 409, 410, 422, 429, 503, 507)
)
async def correct_version(
    dataset_id: UUID, version: Version, body: SchemaCorrection, principal: Editor, service: ServiceDep
) -> VersionSchema:
    """Correct what inference guessed: a column's kind, how its values are written, the primary key. Columns that are
    not named stay as they are; a version that a model was trained on can no longer be corrected, nor one whose missing
    cells are being filled."""
    return VersionSchema.of(await service.correct_version(principal, dataset_id, version, body))


@router.get("/{dataset_id:uuid}/versions/{version}", responses=problems(404))
async def get_version(dataset_id: UUID, version: Version, principal: Viewer, service: ServiceDep) -> VersionSchema:
    """Show a version and its columns."""
    return VersionSchema.of(await service.get_version(principal, dataset_id, version))


@router.get("/{dataset_id:uuid}/columns", responses=problems(404, 422))
async def list_columns(
    dataset_id: UUID, principal: Viewer, service: ServiceDep, version: VersionFilter = None
) -> Columns:
    """Show the columns of a version, the latest if none is named."""
    return Columns.of(await service.get_version(principal, dataset_id, version))


@router.head("/{dataset_id:uuid}/download", include_in_schema=False)
@router.get(
    "/{dataset_id:uuid}/download",
    response_class=Response,
    responses={
        200: {"description": "The table.", "content": {CSV: {}, PARQUET: {}}},
        206: {"description": "The bytes that the Range header asks for, of Parquet."},
        **problems(404, 410, 412, 416, 422, 503, 507),
    },
)
async def download_dataset(
    dataset_id: UUID,
    request: Request,
    principal: Viewer,
    service: ServiceDep,
    version: VersionFilter = None,
    format: Literal["csv", "parquet"] = "csv",
    csv_safe: CsvSafe = False,
) -> Response:
    """Download the table of a version, the latest if none is named."""
    if csv_safe and format != "csv":
        raise InvalidRequest("csv_safe is for format=csv: Parquet holds no formulas.", "csv_safe_needs_csv")
    found, artifact = await service.get_table(principal, dataset_id, version)
    filename = f"dataset-{dataset_id}-{found.version}.{format}"
    if format == "parquet":
        answer = await download(request, artifact, service, filename, PARQUET)
    elif request.method == "HEAD":
        await service.check(artifact)
        answer = attachment(iter(()), filename, CSV)
    else:
        answer = attachment(await service.read_csv(found, artifact, safe=csv_safe), filename, CSV)
    if hands_out(request, answer):
        await service.record_download(principal, Action.DATASET_DOWNLOAD, dataset_id, found.project_id)
    return answer
