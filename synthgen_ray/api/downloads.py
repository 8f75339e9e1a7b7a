"""An artifact as an HTTP response: streamed, with its length, its hash and byte ranges."""

import re
from collections.abc import Iterator

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from synthgen_ray.api.preconditions import is_had, is_still
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.domain.errors import SynthGenError
from synthgen_ray.service.files import Files

CSV, JSONL, PARQUET = "text/csv; charset=utf-8", "application/x-ndjson", "application/vnd.apache.parquet"
# Python reads no number of more than 4,300 digits.
_RANGE = re.compile(r"bytes=([0-9]{0,4300})-([0-9]{0,4300})", re.IGNORECASE)


class RangeNotSatisfiable(SynthGenError):
    status = 416
    title = "Range not satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes; the range lies outside.", "range_not_satisfiable")
        self.headers = {"Content-Range": f"bytes */{size}"}


class PreconditionFailed(SynthGenError):
    status = 412
    title = "Precondition failed"

    def __init__(self) -> None:
        detail = "The file is none of those that If-Match names: its ETag is another. Fetch it without If-Match."
        super().__init__(detail, "precondition_failed")


async def download(request: Request, artifact: Artifact, files: Files, filename: str, media_type: str) -> Response:
    """All of an artifact, or the one range that is asked for.

    Several ranges in one request are answered with the whole, as RFC 9110 allows. Only what is sent is read before.
    """
    etag = f'"{artifact.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{filename}"',
        "ETag": etag,
    }
    if not is_still(request.headers, etag):
        raise PreconditionFailed
    if is_had(request.headers, etag):
        return Response(status_code=304, headers=headers)
    start, stop = 0, artifact.size_bytes
    status = 200
    if wanted := _wanted_range(request, etag, stop):
        start, stop = wanted
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{artifact.size_bytes}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        await files.check(artifact)
        return Response(status_code=status, headers=headers, media_type=media_type)
    read = await files.read(artifact)
    return StreamingResponse(read(start, stop), status, headers, media_type)


def hands_out(request: Request, answer: Response) -> bool:
    """Whether bytes of the file leave: HEAD and 304 only say which it is."""
    return request.method == "GET" and answer.status_code != 304


def attachment(blocks: Iterator[bytes], filename: str, media_type: str) -> Response:
    """A file that is made while it is sent: its length is not known before. HEAD takes one of no blocks."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(blocks, headers=headers, media_type=media_type)


def _wanted_range(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """The range of RFC 9110 section 14.1.2 as (start, stop); `None` for all bytes, as for any method but GET (14.2)."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if first and last and int(last) < int(first):
        return None  # no range at all
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, stop = max(size - int(last), 0), size
    else:
        return None
    if start >= stop:
        raise RangeNotSatisfiable(size)
    return start, stop
