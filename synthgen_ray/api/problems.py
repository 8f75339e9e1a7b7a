"""Errors on the wire: RFC 9457 problem documents, made in one place."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from synthgen_ray.domain.errors import FieldError, NotFound, SynthGenError, frames_of
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.validation import invalid_request

log = logging.getLogger(__name__)

_HTTP_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method; the Allow header says which it takes.",
}


class ProblemField(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """What went wrong. `code` is stable; `detail` is a sentence that says what would be right."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemField]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer so; 401 goes without saying."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({401, *statuses})
    }


def problem(
    request_id: str,
    status: int,
    title: str,
    detail: str,
    code: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        errors=[ProblemField(field=error.field, message=error.message) for error in errors],
    )
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def problem_of(request_id: str, error: SynthGenError) -> JSONResponse:
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(request_id, error.status, error.title, error.detail, error.code, error.errors, headers)


def install(app: FastAPI) -> None:
    """Have every error of this app answered as a problem."""
    app.add_exception_handler(SynthGenError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SynthGenError)  # noqa: S101
    return problem_of(request.state.request_id, error)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    findings = error.errors()
    if any(finding["loc"][0] == "path" for finding in findings):
        return problem_of(request.state.request_id, NotFound("There is nothing with this id.", "not_found"))
    return problem_of(request.state.request_id, invalid_request([*map(_within_its_part, findings)]))


def _within_its_part(finding: ErrorDetails) -> ErrorDetails:
    """As it stands in the body or the query: a caller's own field, or column, may be called `body` too."""
    part, *steps = finding["loc"]
    return {**finding, "loc": tuple(steps)} if part in ("body", "query") else finding


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    detail = _HTTP_DETAILS.get(error.status_code, f"{phrase}.")
    code = phrase.lower().replace(" ", "_").replace("'", "")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return problem(request.state.request_id, error.status_code, phrase, detail, code, headers=headers)


def _methods_at(request: Request) -> set[str]:
    """Of all routes at this address: the router names those of the first alone."""
    included = [route.original_router.routes for route in request.app.routes if hasattr(route, "original_router")]
    routes = [route for route in chain(request.app.routes, *included) if isinstance(route, Route | APIRoute)]
    at_it = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in at_it for method in route.methods or ()}


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    log_bug(request.state.request_id, frames_of(error))
    request.state.is_bug_logged = True
    return bug(request.state.request_id)


def log_bug(request_id: str, frames: str) -> None:
    with about(request_id=request_id):  # it is told of outside of all that knew it
        log.error("request %s failed: %s", request_id, frames)


def bug(request_id: str) -> JSONResponse:
    detail = "The server failed unexpectedly; its log has the reason under the request id."
    return problem(request_id, 500, "Internal error", detail, "internal_error")
