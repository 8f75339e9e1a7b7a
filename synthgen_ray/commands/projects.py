"""`synthgen projects`"""

from typing import Annotated

import typer

from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="Where datasets and models belong.", no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, max=500, help="Items to show, newest first.")]
Offset = Annotated[int, typer.Option(min=0, help="Items to skip.")]


@group.command("list")
@command
def list_projects(session: Session, limit: Limit = 50, offset: Offset = 0) -> None:
    """List projects."""
    page = session.client.list_projects(limit, offset)
    session.output.page(page, ["id", "name", "description", "created_at"])


@group.command("create")
@command
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name of the project.")],
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
) -> None:
    """Make a project."""
    project = session.client.create_project(name, description)
    session.output.say(project, f"Made project '{name}' ({project['id']}).")
