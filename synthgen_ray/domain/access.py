"""Who asks: what a key may do, and which projects it sees."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from synthgen_ray.domain.errors import Forbidden


class Role(StrEnum):
    VIEWER = "viewer"  # reads and downloads
    EDITOR = "editor"  # also uploads, trains, generates, changes and deletes
    ADMIN = "admin"  # also projects and keys


_ORDER = tuple(Role)


@dataclass(frozen=True)
class Origin:
    """The request by which somebody asks, and from where."""

    request_id: str = ""
    address: str = ""


@dataclass(frozen=True)
class Principal:
    """The holder of a key. `projects` are those that the key is bound to; `None` means all there are. It is the holder
    until `expires_at`; `None` is for ever."""

    key_id: UUID
    role: Role
    projects: frozenset[UUID] | None = None
    expires_at: datetime | None = None
    origin: Origin = Origin()

    def require(self, role: Role) -> None:
        """Raises: Forbidden, for a key of a lesser role."""
        if _ORDER.index(self.role) < _ORDER.index(role):
            article = "a" if role is Role.VIEWER else "an"
            raise Forbidden(f"This needs {article} {role} key; this one is {self.role}.", "missing_role")

    def require_unbound(self) -> None:
        """Raises: Forbidden, for a key that is bound to projects."""
        if self.projects is not None:
            raise Forbidden("This needs a key that is not bound to projects.", "key_is_bound")

    def require_covers(self, projects: frozenset[UUID] | None) -> None:
        """What one key makes another may not do more than it does itself.

        Raises: Forbidden, for a wider scope.
        """
        self.require(Role.ADMIN)
        if self.projects is not None and (projects is None or not projects <= self.projects):
            raise Forbidden("A key bound to projects makes only keys bound to these.", "scope_too_wide")

    def lifetime_of(self, expires_at: datetime | None) -> datetime | None:
        """Until when a key works that this one makes: never longer than it does itself."""
        return min((moment for moment in (expires_at, self.expires_at) if moment), default=None)


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key once it is made; the key itself is not kept."""

    id: UUID
    name: str
    role: Role
    projects: frozenset[UUID] | None
    created_at: datetime
    expires_at: datetime | None
