"""Projects: where datasets and models belong."""

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, given, path


class Projects:
    _connection: Connection

    def create_project(self, name: str, description: str = "") -> JSON:
        return self._connection.create("/api/projects", {"name": name, "description": description})

    def list_projects(self, limit: int = 50, offset: int = 0) -> JSON:
        """A page of a list, newest first: `items`, and in `total` how many there are in all."""
        return self._connection.get("/api/projects", limit=limit, offset=offset)

    def get_project(self, project_id: Id) -> JSON:
        return self._connection.get(path("api", "projects", project_id))

    def change_project(self, project_id: Id, name: str | None = None, description: str | None = None) -> JSON:
        """Change what is given."""
        return self._connection.patch(path("api", "projects", project_id), given(name=name, description=description))

    def delete_project(self, project_id: Id, force: bool = False) -> JSON:
        """Delete a project and the keys to it alone; one that holds anything only with `force`, and all that with it,
        for good."""
        return self._connection.delete(path("api", "projects", project_id), force=force)

    def get_usage(self, project_id: Id) -> JSON:
        """What a project has used, and its `quotas`; one that is `None` is no limit."""
        return self._connection.get(path("api", "projects", project_id, "usage"))
