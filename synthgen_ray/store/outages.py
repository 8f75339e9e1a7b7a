"""Which errors of a database are its own, and pass: they become a 503, never a bug of the caller's."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from synthgen_ray.domain.errors import Unavailable, frames_of

log = logging.getLogger(__name__)
# What PostgreSQL says when it cannot serve, whatever the statement: SQLSTATEs begin with these.
OUTAGES = (
    "08",  # connection exceptions
    "25006",  # read-only: this server is no longer, or not yet, the primary one
    "25P03",  # idle in a transaction for too long: a machine of ours stood still
    "28",  # it does not let us in
    "3D",  # there is no such database
    "40",  # deadlocks and serialization failures
    "53",  # too many connections, disk full, out of memory
    "55P03",  # a lock was not to be had in time
    "57",  # it stops, starts, recovers, or cancelled the statement
    "58",  # errors of its disk
)


@asynccontextmanager
async def honest() -> AsyncIterator[None]:
    """A database that is locked, full or away is a 503 to try again. Raises: Unavailable."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:  # the driver's connections also end in plain OSErrors
        if isinstance(error, DBAPIError) and not _is_outage(error):
            raise
        log.error("the database refused a transaction: %s", frames_of(error))
        raise Unavailable("The metadata store cannot answer now; try again.", "store_unavailable") from error


def _is_outage(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return error.connection_invalidated or str(state).startswith(OUTAGES)
    return error.connection_invalidated or type(error).__name__ == "OperationalError"
