"""What routes have in common: the service, paging and filters."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from starlette.convertors import UUIDConvertor

from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.service.service import Service

_DIGITS = re.compile(r"[0-9]{1,9}")
_ID = re.compile(UUIDConvertor.regex)


def _plain_digits(given: Any) -> Any:
    """Python reads `+5`, `1_000` and digits of any script as numbers; a URL should not."""
    if isinstance(given, str) and not _DIGITS.fullmatch(given):
        raise PydanticCustomError("invalid_type", "must be a whole number of at most nine digits")
    return given


def _plain_id(given: Any) -> Any:
    """As in a path: Python also reads ids in braces, or as a URN."""
    if isinstance(given, str) and not _ID.fullmatch(given):
        raise PydanticCustomError("invalid_id", "must be a UUID")
    return given


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]
Limit = Annotated[int, BeforeValidator(_plain_digits), Query(ge=1, le=500, description="Items on a page.")]
Offset = Annotated[int, BeforeValidator(_plain_digits), Query(ge=0, description="Items to skip.")]
# Ids come as text, which strict validation would refuse.
Id = Annotated[UUID, BeforeValidator(_plain_id), Field(strict=False)]
ProjectFilter = Annotated[Id | None, Query(description="Only of this project.")]
ModelFilter = Annotated[Id | None, Query(description="Only of this model.")]
Version = Annotated[int, BeforeValidator(_plain_digits), Path(ge=0, description="A version's number, from 0.")]
VersionFilter = Annotated[
    int | None, BeforeValidator(_plain_digits), Query(ge=0, description="A version's number; the latest without it.")
]
StatusFilter = Annotated[JobStatus | None, Query(description="Only with this status.")]
CsvSafe = Annotated[bool, Query(description="Of a CSV: put `'` before text that a spreadsheet takes for a formula.")]
