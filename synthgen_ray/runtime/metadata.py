"""The store as a named actor: the only way to SQL."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.metrics import StoreMetrics
from synthgen_ray.settings import LogFormat


class Metadata:
    """A `Store` of which each public method can be called from anywhere in the cluster.

    Ray imports an actor's class wherever its handle goes, so this one imports the store, and with
    it all of SQLAlchemy, only in its own process.
    """

    def __init__(
        self, sql_url: SecretStr, quotas: Quotas, deadlines: Mapping[JobType, timedelta], log_format: LogFormat
    ) -> None:
        from synthgen_ray.store.store import Store

        write_logs(log_format)
        self._sql_url = sql_url
        self._store = Store(sql_url.get_secret_value(), quotas, deadlines, observer=StoreMetrics())

    async def call(self, method: str, subject: Mapping[str, str | None], *args: Any, **kwargs: Any) -> Any:
        """Lines here are about what the caller's are."""
        if method.startswith("_"):
            raise AttributeError(method)
        with about(**subject):
            return await getattr(self._store, method)(*args, **kwargs)

    async def keeps(self, sql_url: SecretStr) -> bool:
        """Whether that is its database, whoever logs in to it."""
        ours, theirs = (urlsplit(url.get_secret_value()) for url in (self._sql_url, sql_url))
        return (_hosts(ours), ours.path) == (_hosts(theirs), theirs.path)


def _hosts(url: SplitResult) -> str:
    """With their ports: of PostgreSQL there may be several."""
    return url.netloc.rpartition("@")[2]
