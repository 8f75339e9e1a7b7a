"""The audit trail: who did what, and whether it is as it was written."""

import math
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection
from synthgen_ray.client.errors import ClientError
from synthgen_ray.domain.audit import Action, AuditEvent, find_break

PAGE = 500


class Audit:
    _connection: Connection

    def list_audit(self, limit: int = 50, offset: int = 0) -> JSON:
        """A page of events, newest first."""
        return self._connection.get("/api/audit", limit=limit, offset=offset)

    def verify_audit(self) -> tuple[JSON | None, JSON | None]:
        """The newest event, and the one at which the chain of hashes is broken, if it is.

        Raises: ClientError, for a key that is bound to projects: it sees parts of the chain, and no hash.
        """
        newest: JSON | None = None
        lately: deque[JSON] = deque(maxlen=2)  # it breaks at the last one that was read, or the one before

        def events() -> Iterator[AuditEvent]:
            nonlocal newest
            for item in self._items():
                newest = newest or item
                lately.append(item)
                yield _event(item)

        broken = find_break(events())
        return newest, next((item for item in lately if broken and item["number"] == broken.number), None)

    def _items(self) -> Iterator[JSON]:
        offset, last = 0, math.inf
        while items := self.list_audit(PAGE, offset)["items"]:
            if items[0]["number"] is None:
                raise ClientError("The chain is verified with a key that is not bound to projects: this one is.")
            for item in items:
                if item["number"] < last:  # what is added meanwhile moves the others back: some come twice
                    last = item["number"]
                    yield item
            if len(items) < PAGE:
                return
            offset += PAGE


def _event(item: JSON) -> AuditEvent:
    ids = {name: UUID(item[name]) if item[name] else None for name in ("object_id", "project_id", "key_id")}
    at, action = datetime.fromisoformat(item["at"]), Action(item["action"])
    return AuditEvent(**{**item, **ids, "at": at, "action": action})
