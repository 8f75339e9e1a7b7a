"""How slowly a form may come in."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from synthgen_ray.api.bodies import TooSlow
from synthgen_ray.api.request_limits import LIMITS
from synthgen_ray.api.schemas.models import ImportForm
from synthgen_ray.api.uploads import received
from synthgen_ray.datasets.limits import UploadLimits

PROJECT = "02493dd3-4830-4596-bb2c-a682b412f3a3"
TEXTS = "".join(
    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
    for name, text in (("project_id", PROJECT), ("name", "m"))
)
FILE = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
AT_ONCE = replace(LIMITS, upload_block_bytes=1000, upload_block_seconds=0.0)
SOON = replace(AT_ONCE, upload_block_seconds=0.2)


class Uploads:
    """Of the service, what takes a file in."""

    upload_limits = UploadLimits()

    aside = staticmethod(asyncio.to_thread)

    @asynccontextmanager
    async def upload_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)

    def check_free(self) -> None:
        """There is room."""


def a_request(receive: Callable[[], Any]) -> Request:
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def sending(*parts: str, is_all: bool) -> Callable[[], Any]:
    rest = [part.encode() for part in parts]

    async def receive() -> dict[str, Any]:
        if not rest:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest) or not is_all}

    return receive


@pytest.mark.parametrize("sent", [(), (TEXTS,), (TEXTS, FILE), (TEXTS, FILE, "x" * 999), (TEXTS, FILE, "x" * 5000)])
async def test_408_for_one_that_comes_to_a_halt(sent):
    with pytest.raises(TooSlow) as slow:
        async with received(a_request(sending(*sent, is_all=False)), Uploads(), None, ImportForm, SOON):
            pass

    assert (slow.value.status, slow.value.code) == (408, "request_timeout")


async def test_only_the_time_in_which_nothing_comes_counts():
    parts = (TEXTS, FILE, *("x" * 100 for _ in range(100)), "\r\n--b--\r\n")

    async with received(a_request(sending(*parts, is_all=True)), Uploads(), None, ImportForm, AT_ONCE) as upload:
        assert upload.path.stat().st_size == 10_000
