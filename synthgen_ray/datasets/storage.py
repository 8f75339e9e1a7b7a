"""The way to storage elsewhere, from its URL."""

import os
from datetime import timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileSystem,
    GcsFileSystem,
    LocalFileSystem,
    S3FileSystem,
    resolve_s3_region,
)

from synthgen_ray.domain.errors import InvalidRequest

# A store that does not answer is given up after half a minute; pyarrow's own measure is more than one and a half.
ATTEMPTS = 3
SILENCE_S = 10.0
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")  # which pyarrow reads for a URI, the first one first


def connect(url: str) -> tuple[FileSystem, str]:
    """The object store of a URL, and the place in it. Credentials come from the environment.

    Raises: InvalidRequest, for options that there are not; OSError and pyarrow's ArrowException.
    """
    parts = urlsplit(url, allow_fragments=False)  # a key may hold a #
    if parts.scheme == "gs":
        return GcsFileSystem(retry_time_limit=timedelta(seconds=ATTEMPTS * SILENCE_S)), _root(parts)
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _no_options() from None
    return _s3(parts.netloc, options), _root(parts)


def connect_plain(uri: str) -> tuple[FileSystem, str]:
    """The storage of a URI without options, of whatever kind, and the place in it: where an S3 is that is not Amazon's
    comes from the environment too.

    Raises: OSError, ValueError and pyarrow's ArrowException.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":  # a blank is none of a URI's characters, and one of a path's
        return LocalFileSystem(), parts.path
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    if parts.scheme == "s3" and endpoint:
        return _s3(parts.netloc, {"endpoint_override": endpoint}), _root(parts)
    return connect(uri) if parts.scheme in ("s3", "gs") else FileSystem.from_uri(uri)


def _root(parts: SplitResult) -> str:
    return f"{parts.netloc}{parts.path}".rstrip("/")


def _s3(bucket: str, options: dict[str, str]) -> S3FileSystem:
    """The options of a URL are those that pyarrow has there: it takes no timeouts from it."""
    if not {"region", "endpoint_override"} & options.keys():
        options["region"] = resolve_s3_region(bucket)
    try:
        return S3FileSystem(
            **options,
            connect_timeout=SILENCE_S,
            request_timeout=SILENCE_S,
            retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            allow_delayed_open=True,  # what is small is one request
        )
    except TypeError:
        raise _no_options() from None


def _no_options() -> InvalidRequest:
    detail = (
        "The URL has options that there are not, or without a value: region, scheme and endpoint_override are some."
    )
    return InvalidRequest(detail, "unknown_options")
