"""`synthgen keys`"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from synthgen_ray.commands.lookup import key_id, project_id
from synthgen_ray.commands.options import Limit, Offset, Yes, confirm
from synthgen_ray.commands.session import Session, command
from synthgen_ray.domain.access import Role

group = typer.Typer(help="Make, list and delete API keys: who may do what, and where.", no_args_is_help=True)

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


@group.command("list")
@command
def list_keys(session: Session, limit: Limit = 50, offset: Offset = 0) -> None:
    """List keys, without the keys themselves.

    Example: synthgen keys list
    """
    page = session.client.list_keys(limit, offset)
    session.output.page(page, ["id", "name", "role", "project_ids", "expires_at", "created_at"])


@group.command("create")
@command
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="viewer reads, editor makes and deletes, admin also projects and keys.")],
    project: Annotated[
        list[str] | None, typer.Option(help="Bind it to this project, by name or id. Repeatable; by default to none.")
    ] = None,
    expires: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="In UTC; by default never.")] = None,
) -> None:
    """Make a key. It is printed this once, alone on the standard output.

    Example: synthgen keys create nightly --role editor --project Bank --expires 2030-01-01 > nightly.key
    """
    projects = [project_id(session.client, one) for one in project] if project else None
    until = expires.replace(tzinfo=UTC) if expires and expires.tzinfo is None else expires
    made = session.client.create_key(name, role, projects, until)
    session.output.say(made, made["key"])
    session.output.note(f"This is the key '{name}' ({made['id']}); it is not shown again.")


@group.command("delete")
@command
def delete(
    session: Session,
    name_or_id: Annotated[str, typer.Argument(metavar="KEY", help="Name or id of the key, not the key itself.")],
    yes: Yes = False,
) -> None:
    """Revoke a key: within five seconds it works nowhere.

    Example: synthgen keys delete nightly
    """
    doomed = key_id(session.client, name_or_id)
    confirm(f"Delete key '{name_or_id}'?", yes)
    session.output.say(session.client.delete_key(doomed), f"Deleted key '{name_or_id}'.")
