"""`synthgen projects`"""

from typing import Annotated

import typer

from synthgen_ray.commands.lookup import get_project, project_id
from synthgen_ray.commands.options import Limit, Offset, Yes, confirm
from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="Make, list, show, rename and delete projects of datasets and models.", no_args_is_help=True)

ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="Name or id of the project.")]


@group.command("list")
@command
def list_projects(session: Session, limit: Limit = 50, offset: Offset = 0) -> None:
    """List projects.

    Example: synthgen projects list --limit 10
    """
    page = session.client.list_projects(limit, offset)
    session.output.page(page, ["id", "name", "description", "created_at"])


@group.command("create")
@command
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name of the project.")],
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
) -> None:
    """Make a project.

    Example: synthgen projects create Bank --description "Card payments"
    """
    project = session.client.create_project(name, description)
    session.output.say(project, f"Made project '{name}' ({project['id']}).")


@group.command("show")
@command
def show(session: Session, project: ProjectArgument) -> None:
    """Show a project.

    Example: synthgen projects show Bank
    """
    found = get_project(session.client, project)
    session.output.fields(found, found)


@group.command("rename")
@command
def rename(
    session: Session,
    project: ProjectArgument,
    name: Annotated[str, typer.Argument(help="Its new name.")],
    description: Annotated[str | None, typer.Option(help="What it is about, if that changes too.")] = None,
) -> None:
    """Give a project another name.

    Example: synthgen projects rename Bank "Bank of Kiel"
    """
    changed = session.client.change_project(project_id(session.client, project), name, description)
    session.output.say(changed, f"Project '{project}' is called '{name}' now.")


@group.command("delete")
@command
def delete(
    session: Session,
    project: ProjectArgument,
    force: Annotated[bool, typer.Option("--force", help="With all that it holds.")] = False,
    yes: Yes = False,
) -> None:
    """Delete a project and the keys to it alone, for good; one that holds anything only with --force.

    Example: synthgen projects delete Bank --force
    """
    doomed = project_id(session.client, project)
    confirm(f"Delete project '{project}'{' and all that it holds' if force else ''}?", yes)
    session.output.say(session.client.delete_project(doomed, force), f"Deleted project '{project}'.")


@group.command("usage")
@command
def usage(session: Session, project: ProjectArgument) -> None:
    """Show what a project has used, and its quotas.

    Example: synthgen projects usage Bank
    """
    used = session.client.get_usage(project_id(session.client, project))
    rows = [{"what": what, "used": used[what], "quota": quota} for what, quota in used["quotas"].items()]
    session.output.table(used, rows, ["what", "used", "quota"])
