"""Uploads on their way in: a streamed form becomes checked fields and a temporary file."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from synthgen_ray.api.bodies import TooSlow
from synthgen_ray.api.multipart import MAX_OVERHEAD_BYTES, FormReader, invalid_multipart
from synthgen_ray.api.once import once
from synthgen_ray.api.request_limits import LIMITS, RequestLimits
from synthgen_ray.artifacts.scratch import on_disk
from synthgen_ray.datasets.limits import UploadLimits, too_large
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import Params
from synthgen_ray.domain.validation import invalid_request
from synthgen_ray.service.service import Service

BLOCK = 1 << 20


F = TypeVar("F", bound=Params)


@dataclass(frozen=True)
class Upload(Generic[F]):
    """`filename` is what the client calls the file at `path`, and never becomes a path."""

    form: F
    path: Path
    filename: str
    once: Once | None


@asynccontextmanager
async def received(
    request: Request, service: Service, key: str | None, form: type[F], pace: RequestLimits = LIMITS
) -> AsyncIterator[Upload[F]]:
    """The form of a request, its texts checked, its file on disk until the block ends, however it ends.

    Raises: Unreadable, InvalidRequest, UnsupportedMedia, TooLarge, TooSlow, InsufficientStorage.
    """
    limits = service.upload_limits
    _check_length(request, limits)
    async with service.upload_folder() as folder:
        path = folder / "upload"
        reader = await _stored(request, path, service, pace)
        checked = _form_of(reader.texts, form)
        yield Upload(checked, path, reader.filename or "", once(request, key, _fingerprint(reader)))


def _check_length(request: Request, limits: UploadLimits) -> None:
    length = request.headers.get("content-length", "").lstrip("0")
    most = limits.max_bytes + MAX_OVERHEAD_BYTES
    if length.isdecimal() and (len(length) > len(str(most)) or int(length) > most):
        raise too_large(limits.max_bytes)


async def _stored(request: Request, path: Path, service: Service, pace: RequestLimits) -> FormReader:
    with on_disk():
        file = await service.aside(lambda: path.open("wb"))
        try:
            reader = FormReader(request.headers.get("content-type", ""), file, service.upload_limits.max_bytes)
            await _read(_paced(request.stream(), pace), reader, service)
        finally:
            await service.aside(file.close)  # which writes what is left
    return reader


async def _read(chunks: AsyncIterator[bytes], reader: FormReader, service: Service) -> None:
    limits = service.upload_limits
    block, left = bytearray(), limits.max_bytes + MAX_OVERHEAD_BYTES

    def take(some: bytes) -> None:
        service.check_free()  # each time: others write beside this one
        reader.feed(some)

    try:
        async for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise too_large(limits.max_bytes)
            block += chunk
            if len(block) >= BLOCK:
                await service.aside(take, bytes(block))
                block.clear()
    except ClientDisconnect:
        raise invalid_multipart("The client went away before the end of the body.") from None
    await service.aside(take, bytes(block))
    reader.finish()


async def _paced(chunks: AsyncIterator[bytes], pace: RequestLimits) -> AsyncIterator[bytes]:
    """Only the time counts in which the client is waited for. Raises: TooSlow."""
    size, left_s = 0, pace.upload_block_seconds
    while True:
        since = monotonic()
        try:
            async with asyncio.timeout(left_s):
                chunk = await anext(chunks)
        except TimeoutError:
            per_second = pace.upload_block_bytes / pace.upload_block_seconds
            raise TooSlow(f"An upload must bring {per_second:,.0f} bytes a second.", "request_timeout") from None
        except StopAsyncIteration:
            return
        size, left_s = size + len(chunk), left_s - (monotonic() - since)
        if size >= pace.upload_block_bytes:
            size, left_s = 0, pace.upload_block_seconds
        yield chunk


def _form_of(texts: dict[str, str], form: type[F]) -> F:
    # Browsers send a field that was left blank as an empty text.
    given = {name: text for name, text in texts.items() if text or name not in ("dataset_id", "schema")}
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise invalid_request(error.errors()) from None


def _fingerprint(reader: FormReader) -> str:
    asked = json.dumps([reader.texts, reader.filename, reader.file_digest.hexdigest()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def form_in_openapi(form: type[Params], about_file: str) -> dict[str, Any]:
    """The request body as OpenAPI shows it: what is read as it streams is no parameter of the route."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    schema["properties"]["file"] = {"type": "string", "format": "binary", "description": about_file}
    schema["required"].append("file")
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
