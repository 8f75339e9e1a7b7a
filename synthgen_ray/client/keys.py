"""API keys: who may do what, where, and until when."""

from collections.abc import Iterable
from datetime import datetime

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, given, path


class Keys:
    _connection: Connection

    def create_key(
        self, name: str, role: str, project_ids: Iterable[Id] | None = None, expires_at: datetime | None = None
    ) -> JSON:
        """Make a key, and in `key` the key itself, which is shown this once.

        `role` is `viewer`, `editor` or `admin`; without `project_ids` the key is for all projects. `expires_at` has
        a time zone.
        Raises: ApiError with the code `key_shown_before`, when the answer with the key was lost on the way: its detail
        names the key to revoke.
        """
        body = given(
            name=name,
            role=role,
            project_ids=None if project_ids is None else [str(one) for one in project_ids],
            expires_at=expires_at.isoformat() if expires_at else None,
        )
        return self._connection.create("/api/keys", body)

    def list_keys(self, limit: int = 50, offset: int = 0) -> JSON:
        """Keys without the keys themselves; the one that came with the server is not among them."""
        return self._connection.get("/api/keys", limit=limit, offset=offset)

    def delete_key(self, key_id: Id) -> JSON:
        """Revoke a key: within five seconds it works nowhere."""
        return self._connection.delete(path("api", "keys", key_id))
