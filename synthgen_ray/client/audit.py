"""The audit trail: who did what, and whether it is as it was written."""

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
        shown: dict[int, JSON] = {}
        broken = find_break(self._events(shown))
        newest = shown[max(shown)] if shown else None
        return newest, None if broken is None else shown[broken.number]

    def _events(self, shown: dict[int, JSON]) -> Iterator[AuditEvent]:
        while items := self.list_audit(PAGE, len(shown))["items"]:
            if items[0]["number"] is None:
                raise ClientError("The chain is verified with a key that is not bound to projects: this one is.")
            # What is added meanwhile moves the others back: some come twice.
            new = [item for item in items if item["number"] < min(shown, default=item["number"] + 1)]
            for item in new:
                shown[item["number"]] = item
                yield _event(item)
            if len(items) < PAGE:
                return


def _event(item: JSON) -> AuditEvent:
    ids = {name: UUID(item[name]) if item[name] else None for name in ("object_id", "project_id", "key_id")}
    at, action = datetime.fromisoformat(item["at"]), Action(item["action"])
    return AuditEvent(**{**item, **ids, "at": at, "action": action})
