"""`synthgen datasets`, `synthgen upload`"""

from pathlib import Path
from typing import Annotated

import typer

from synthgen_ray.client import SynthGen
from synthgen_ray.commands.lookup import find_project, get_dataset, is_id, project_id
from synthgen_ray.commands.projects import Limit, Offset
from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="The tables that models learn.", no_args_is_help=True)

InProject = Annotated[str | None, typer.Option("--project", help="Only of this project: its name or id.")]
COLUMNS = ["id", "name", "version", "num_rows", "num_columns", "size_bytes", "created_at"]


@group.command("list")
@command
def list_datasets(session: Session, project: InProject = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """List datasets, each with its latest version."""
    inside = project_id(session.client, project) if project else None
    session.output.page(session.client.list_datasets(inside, limit, offset), COLUMNS)


@group.command("upload")
@command
def upload(
    session: Session,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet.")],
    project: Annotated[str, typer.Option(help="Name or id of the project; a new name makes a new project.")],
    name: Annotated[str | None, typer.Option(help="Name of the dataset; by default the file's.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Add a version to this dataset: its name or id.")] = None,
) -> None:
    """Upload a table: a new dataset, or with --dataset the next version of one."""
    client, output = session.client, session.output
    earlier = get_dataset(client, dataset, project) if dataset else None
    inside = earlier["project_id"] if earlier else _project_id_or_new(client, project)
    name = name or (earlier["name"] if earlier else _stem(file))
    version = client.upload_dataset(inside, name, file, description, earlier["id"] if earlier else None)
    size = f"{version['num_rows']} rows, {version['num_columns']} columns"
    output.say(version, f"Uploaded '{name}' version {version['version']}: {size} ({version['dataset_id']}).")
    for warning in version["warnings"]:
        output.note(f"warning: {warning}")


def _project_id_or_new(client: SynthGen, name_or_id: str) -> str:
    if is_id(name_or_id):
        return name_or_id
    return str((find_project(client, name_or_id) or client.create_project(name_or_id))["id"])


def _stem(file: Path) -> str:
    """`flights` of `flights.csv.gz`."""
    return file.name.split(".")[0] or file.name
