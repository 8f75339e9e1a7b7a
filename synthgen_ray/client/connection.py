"""The wire: JSON there and back, files there and back, refusals as errors, retries where they are safe."""

import ipaddress
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from synthgen_ray.client.errors import ApiError, ClientError, ConnectionFailed

T = TypeVar("T")
JSON = dict[str, Any]

CONNECT_TIMEOUT_S = 10.0
UPLOAD_TIMEOUT_S = 1800.0  # a large table is checked and converted before the answer
RETRIES = 4
BACKOFF_S = 0.5  # doubles with each retry: 7.5 s in all, a server says to come back after 2


class Connection:
    """Only reading is retried: whatever else is asked for may have been done."""

    def __init__(self, base_url: str, api_key: str | None, transport: httpx.BaseTransport | None, timeout_s: float):
        self._url = base_url
        self._timeout_s = timeout_s
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            transport=transport,
            # A proxy for the wide world has no way back to this machine.
            trust_env=not _is_loopback(base_url),
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> JSON:
        return self._retried(lambda: _answer(self._http.get(path, params=given(**query))))

    def post(self, path: str, body: Mapping[str, Any]) -> JSON:
        with self._answered():
            return _answer(self._http.post(path, json=body))

    def delete(self, path: str) -> JSON:
        with self._answered():
            return _answer(self._http.delete(path))

    def succeeds(self, path: str) -> bool:
        """Whether a GET is answered well, at the first try."""
        try:
            with self._answered():
                return self._http.get(path).is_success
        except ConnectionFailed:
            return False

    def upload(self, path: str, form: Mapping[str, Any], file: Path) -> JSON:
        """Post a form with a file, which is read as it is sent."""
        patience = httpx.Timeout(self._timeout_s, read=UPLOAD_TIMEOUT_S)
        with file.open("rb") as content, self._answered():
            return _answer(self._http.post(path, data=form, files={"file": (file.name, content)}, timeout=patience))

    def download(self, path: str, to: Path) -> Path:
        """Write what a GET answers to the file `to`, which appears whole or not at all."""
        return self._retried(lambda: self._download(path, to))

    def _download(self, path: str, to: Path) -> Path:
        part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
        try:
            with self._http.stream("GET", path) as response, part.open("xb") as target:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                for block in response.iter_bytes():
                    target.write(block)
            return part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def _retried(self, read: Callable[[], T]) -> T:
        for retry in range(RETRIES):
            try:
                with self._answered():
                    return read()
            except ClientError as error:
                # Where nobody listens at all, the caller should know at once.
                if not error.may_pass or isinstance(error.__cause__, httpx.ConnectError | httpx.TimeoutException):
                    raise
            time.sleep(BACKOFF_S * 2**retry)
        with self._answered():
            return read()

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            raise ConnectionFailed(self._what_happened(error)) from error

    def _what_happened(self, error: httpx.RequestError) -> str:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return f"No server answers at {self._url}: start one with 'synthgen up', or give the address of yours."
        if isinstance(error, httpx.TimeoutException):
            return f"The server at {self._url} did not answer in {self._timeout_s:g} s."
        return f"The connection to {self._url} failed: {error or type(error).__name__}"


def given(**values: Any) -> JSON:
    """Without what is `None`; ids as text."""
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in values.items() if value is not None
    }


def _answer(response: httpx.Response) -> JSON:
    if not response.is_success:
        raise _refusal(response)
    answer = _json(response)
    if answer is None:
        raise ApiError(response.status_code, f"What answers at {response.url} does not look like SynthGen.")
    return answer


def _refusal(response: httpx.Response) -> ApiError:
    """The server's problem document as an error, or what stands between it and us had to say."""
    problem = _json(response) or {}
    return ApiError(
        response.status_code,
        str(problem.get("detail", f"The server answered {response.status_code} {response.reason_phrase}.")),
        problem.get("code", ""),
        problem.get("request_id", response.headers.get("x-request-id", "")),
        problem.get("errors", ()),
    )


def _json(response: httpx.Response) -> JSON | None:
    """The JSON object in an answer, if that is what it holds."""
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
