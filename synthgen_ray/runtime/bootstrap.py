"""What must be there before the first request: the schema, the admin key, the two named actors."""

from typing import Any
from uuid import uuid4

import ray

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.domain.keys import key_hash
from synthgen_ray.domain.lifecycle import LOCAL
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.runtime.actors import dispatcher, metadata_store
from synthgen_ray.runtime.admin_key import admin_key
from synthgen_ray.runtime.dispatcher import DispatcherActor
from synthgen_ray.runtime.metadata import Metadata
from synthgen_ray.runtime.names import DISPATCHER, HEAD, METADATA, NAMESPACE
from synthgen_ray.settings import Settings

_NAMED: dict[str, Any] = {
    "namespace": NAMESPACE,
    "lifetime": "detached",
    "get_if_exists": True,
    "num_cpus": 0,
    "max_restarts": -1,
}


async def bootstrap(settings: Settings) -> None:
    """Start what is not there yet; does nothing the second time. Before anything serves: scratch files go."""
    if not _is_at_work():
        open_artifacts(settings.artifacts_url, settings.data_dir).prepare(is_shared=settings.may_share_scratch)
    # A file is where it is; a PostgreSQL is as near to any node, and Ray takes one at random.
    place = {"resources": HEAD} if settings.keeps_sqlite else {"label_selector": settings.label_selector}
    ray.remote(Metadata).options(name=METADATA, **place, **_NAMED).remote(
        settings.sql_url, Quotas(**settings.quotas.model_dump()), settings.deadlines, settings.log_format
    )
    store = metadata_store()
    await store.migrate()
    await store.set_admin_key(key_hash(admin_key(settings)))
    ray.remote(DispatcherActor).options(name=DISPATCHER, resources=HEAD, **_NAMED).remote(
        settings, _lease_owner(settings)
    )


def _is_at_work() -> bool:
    """Whether there is a dispatcher here: then others may be writing scratch files. Servers elsewhere are not seen."""
    try:
        dispatcher()
    except ValueError:
        return False
    return True


def _lease_owner(settings: Settings) -> str:
    """Whom the dispatcher's leases are for: Ray gives one that it restarts the same name, another cluster has its own.

    With SQLite there is one server, so its next one is the same owner and waits for nobody's lease.
    """
    return LOCAL if settings.keeps_sqlite else str(uuid4())
