"""What holds for requests."""

from typing import Self

from pydantic import ConfigDict

from synthgen_ray.api import examples
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.api.request_limits import RequestLimits
from synthgen_ray.api.schemas.common import Answer, Mirror
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.params import MAX_ANY_OF, MAX_CONDITIONS, MAX_ROWS, MAX_VALUES
from synthgen_ray.domain.widths import MAX_BYTES, MAX_CHUNK_BYTES


class UploadLimitsSchema(Mirror):
    max_bytes: int
    max_decoded_bytes: int
    max_rows: int
    max_columns: int
    max_cell_bytes: int


class GenerateLimits(Answer):
    """`max_bytes` bounds all rows of a generation, `max_chunk_bytes` those that a model draws at a time; both are
    reckoned as if each row were as long as the longest. A condition may list `max_any_of` values, all conditions
    together `max_values`."""

    max_rows: int
    max_bytes: int
    max_chunk_bytes: int
    max_conditions: int
    max_any_of: int
    max_values: int


class SampleLimits(Answer):
    max_rows: int


class RequestLimitsSchema(Mirror):
    url_bytes: int
    headers: int
    headers_bytes: int
    idempotency_key_chars: int
    json_bytes: int
    json_depth: int
    json_keys: int


class RateLimitsSchema(Mirror):
    """Of each ingress process; `null` is no limit."""

    requests_per_second: float | None
    burst: int
    open_requests: int | None
    event_streams: int | None
    wrong_keys_per_minute: int | None


class Limits(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.LIMITS))

    request: RequestLimitsSchema
    rate: RateLimitsSchema
    upload: UploadLimitsSchema
    generate: GenerateLimits
    sample: SampleLimits

    @classmethod
    def of(cls, request: RequestLimits, rate: RateLimits, upload: UploadLimits, sample_rows: int) -> Self:
        return cls(
            request=RequestLimitsSchema.of(request),
            rate=RateLimitsSchema.of(rate),
            upload=UploadLimitsSchema.of(upload),
            generate=GenerateLimits(
                max_rows=MAX_ROWS,
                max_bytes=MAX_BYTES,
                max_chunk_bytes=MAX_CHUNK_BYTES,
                max_conditions=MAX_CONDITIONS,
                max_any_of=MAX_ANY_OF,
                max_values=MAX_VALUES,
            ),
            sample=SampleLimits(max_rows=sample_rows),
        )
