"""Bodies of calls: JSON, of what data frames hold too."""

import json
from typing import Any

from synthgen_ray.client.errors import ClientError
from synthgen_ray.domain.plain import plain

AS_JSON = {"Content-Type": "application/json"}


def in_json(body: object) -> bytes:
    """With numbers and lists of NumPy and pandas as Python's, and dates as text.

    Raises: ClientError, for what JSON cannot tell; UnicodeEncodeError.
    """
    try:
        text = json.dumps(body, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ClientError("JSON knows neither NaN nor infinity; None asks for a missing value.") from None
    return text.encode()


def _plain(value: Any) -> Any:
    said = plain(value)
    if said is value:
        raise ClientError(f"JSON knows no {type(value).__name__}: give a number, a text, a date, True, False or None.")
    return said
