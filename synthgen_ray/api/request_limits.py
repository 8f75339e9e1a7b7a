"""How large a request may be, before anything looks at what it says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestLimits:
    url_bytes: int = 8 * 2**10
    headers: int = 100
    headers_bytes: int = 16 * 2**10
    idempotency_key_chars: int = 255
    json_bytes: int = 2**20
    json_seconds: float = 10.0  # until all of a JSON body is here
    # An upload takes as long as it takes, up to the hour that any call may last (`runtime/deploy.py`), while so many
    # bytes come in so many seconds.
    upload_block_bytes: int = 2**19
    upload_block_seconds: float = 30.0
    json_depth: int = 32
    json_keys: int = 1000
    json_number_chars: int = 400


LIMITS = RequestLimits()
