"""The wire: what is asked, and asked again where a repeat does no harm."""

import ipaddress
import secrets
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from synthgen_ray.client.answers import JSON, answer_of, refusal_of
from synthgen_ray.client.bodies import AS_JSON, in_json
from synthgen_ray.client.errors import ApiError, ClientError, ConnectionFailed
from synthgen_ray.client.files import FilePath, path_of
from synthgen_ray.client.patience import Patience
from synthgen_ray.client.sending import CountedFile, OnBytes

T = TypeVar("T")
Id = str | UUID

CONNECT_TIMEOUT_S = 10.0
TABLE_TIMEOUT_S = 1800.0  # a large table is checked and converted before the answer


class Connection:
    """A call that only reads, or that leaves the same behind when it is made twice, is repeated after a lost answer
    and a server that is away; any other only where it certainly was not done."""

    def __init__(self, base_url: str, api_key: str | None, transport: httpx.BaseTransport | None, timeout_s: float):
        _check(base_url, api_key)
        self._url = base_url
        self._timeout_s = timeout_s
        self._for_tables = httpx.Timeout(timeout_s, read=TABLE_TIMEOUT_S)
        self._was_answered = False
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            transport=transport,
            event_hooks={"response": [self._note_answer]},
            # A proxy for the wide world has no way back to this machine; the environment's certificates hold here too.
            trust_env=not _is_loopback(base_url),
            verify=_certificates(base_url),
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> JSON:
        return self.patiently(lambda: self._ask("GET", path, params=given(**query)))

    def look(self, path: str) -> JSON:
        """How something is now: not asked again where the server cannot tell."""
        return self.patiently(lambda: self._ask("GET", path), repeatable=False)

    def create(self, path: str, body: Mapping[str, Any], *, of_table: bool = False) -> JSON:
        """A POST with a key of its own, by which the server knows a repeat: it makes one thing, never two."""
        request = {"headers": _new_key(), **self._patience_for(of_table)}
        return self.patiently(lambda: self._ask("POST", path, body, **request))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> JSON:
        return self.patiently(lambda: self._ask("POST", path, body), repeatable=repeatable)

    def patch(self, path: str, body: Mapping[str, Any], *, of_table: bool = False) -> JSON:
        return self.patiently(lambda: self._ask("PATCH", path, body, **self._patience_for(of_table)))

    def delete(self, path: str, **query: Any) -> JSON:
        """Not repeatable: what is gone at the second time would not be found."""
        return self.patiently(lambda: self._ask("DELETE", path, params=given(**query)), repeatable=False)

    def upload(self, path: str, form: Mapping[str, Any], file: FilePath, on_bytes: OnBytes | None = None) -> JSON:
        """Make something, as `create` does, of a form with a file, which is read as it is sent."""
        key, place = _new_key(), path_of(file)
        if place.exists() and not place.is_file():  # what a pipe holds could not be sent again after a lost line
            raise ClientError(f"{place} is no file: write what it holds to one first.")

        def send() -> JSON:
            with CountedFile(place, on_bytes) as content:
                files = {"file": (place.name, content)}
                return self._ask("POST", path, data=form, files=files, headers=key, timeout=self._for_tables)

        return self.patiently(send)

    def succeeds(self, path: str) -> bool:
        """Whether a GET is answered well, at the first try."""
        try:
            with self._translated():
                return self._http.get(path).is_success
        except ConnectionFailed:
            return False

    @contextmanager
    def stream(
        self,
        path: str,
        query: JSON | None = None,
        headers: JSON | None = None,
        silence_s: float | None = None,
        body: JSON | None = None,
    ) -> Iterator[httpx.Response]:
        """The answer to a GET, or to a POST with a body, which is still to be read; at the first try. After
        `silence_s` it counts as lost."""
        method = "GET" if body is None else "POST"
        timeout = httpx.Timeout(self._timeout_s, read=silence_s or self._timeout_s)
        with (
            self._translated(),
            self._http.stream(
                method, path, params=query, timeout=timeout, **_with_body(body, headers=headers or {})
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise refusal_of(response)
            yield response

    def patiently(self, call: Callable[[], T], patience: Patience | None = None, *, repeatable: bool = True) -> T:
        """What the call returns at last, made again as long as that makes sense."""
        patience = patience or Patience()
        while True:
            try:
                with self._translated():
                    return call()
            except ClientError as error:
                if not self._may_repeat(error, repeatable):
                    raise
                patience.pause_after(error)

    def _may_repeat(self, error: ClientError, repeatable: bool) -> bool:
        if isinstance(error, ApiError):
            return error.was_not_begun or (repeatable and error.may_pass)
        if isinstance(error.__cause__, httpx.TimeoutException):
            return False  # it has cost a minute already
        if isinstance(error.__cause__, httpx.ConnectError):
            return self._was_answered  # where nobody has ever listened, the caller should know at once
        return repeatable and error.may_pass

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **request: Any) -> JSON:
        return answer_of(self._http.request(method, path, **_with_body(body, **request)))

    def _patience_for(self, of_table: bool) -> JSON:
        return {"timeout": self._for_tables} if of_table else {}

    def _note_answer(self, _: httpx.Response) -> None:
        self._was_answered = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            raise ConnectionFailed(self._what_happened(error)) from error
        except UnicodeEncodeError:  # Linux lets a file be called by any bytes
            raise ClientError("A name in this call, such as a file's, is not in UTF-8: give it another one.") from None

    def _what_happened(self, error: httpx.RequestError) -> str:
        if "[SSL" in str(error):  # which httpx has for no connection at all
            return (
                f"There is no TLS with {self._url}: {error}. SSL_CERT_FILE names the certificate of an authority of "
                "your own; the address of a server that speaks plain HTTP begins with http://."
            )
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return f"No server answers at {self._url}: start one with 'synthgen up', or give the address of yours."
        if isinstance(error, httpx.TimeoutException):
            return f"The server at {self._url} did not answer in {error.request.extensions['timeout']['read']:g} s."
        return f"The connection to {self._url} failed: {error or type(error).__name__}"


def _check(base_url: str, api_key: str | None) -> None:
    """Raises: ClientError, for what no request could be made with."""
    try:
        url = httpx.URL(base_url)
        is_address = url.scheme in ("http", "https") and url.host != ""
    except httpx.InvalidURL:
        is_address = False
    if not is_address:
        raise ClientError("This is not the address of a server: one reads like http://127.0.0.1:8888.")
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise ClientError("This is not an API key: one is a line of letters, digits and signs, such as sg_5mYVb0w8.")


def _certificates(base_url: str) -> ssl.SSLContext | bool:
    """Raises: ClientError, where those that the environment names are none."""
    if httpx.URL(base_url).scheme != "https":
        return True
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ClientError(f"SSL_CERT_FILE, or SSL_CERT_DIR, names no certificates: {error.strerror}.") from None


def path(*parts: object) -> str:
    """An address of these parts, none of which can reach into the next."""
    return "".join("/" + quote(str(part), safe="") for part in parts)


def given(**values: Any) -> JSON:
    """Without what is `None`; ids as text."""
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in values.items() if value is not None
    }


def _with_body(body: Mapping[str, Any] | None, **request: Any) -> JSON:
    if body is None:
        return request
    return {**request, "content": in_json(body), "headers": {**request.get("headers", {}), **AS_JSON}}


def _new_key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(16)}


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified  # 0.0.0.0, as `host` may be, leads here too
