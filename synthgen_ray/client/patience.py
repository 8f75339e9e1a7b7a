"""How often a call is tried again, and after which pauses."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from synthgen_ray.client.errors import ClientError

RETRIES = 5
BACKOFF_S = 0.5  # doubles with each retry: 15.5 s in all, for which a server that starts again is away
LONGEST_PAUSE_S = 60.0  # a server that wants to be left alone for longer is not waited for


class Patience:
    """The pauses between the tries of one call, each twice as long as the one before; then no more."""

    def __init__(self) -> None:
        self._retries = 0

    def renew(self) -> None:
        """For a call that came a little further each time."""
        self._retries = 0

    def pause_after(self, error: ClientError) -> None:
        """Raises: the error, when it is time to give up."""
        pause_s = max(BACKOFF_S * 2**self._retries, error.retry_after_s or 0)
        if self._retries == RETRIES or pause_s > LONGEST_PAUSE_S:
            raise error
        self._retries += 1
        time.sleep(pause_s)


def retry_after_s(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for, in either of its two forms; `None` for none."""
    if header is None:
        return None
    try:
        return float(header) if header.isdigit() else _seconds_until(parsedate_to_datetime(header))
    except (ValueError, OverflowError):  # what is neither form, or no year of ours, says nothing
        return None


def _seconds_until(moment: datetime) -> float:
    return max((moment.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
