"""`synthgen datasets`, `synthgen upload`"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from synthgen_ray.client.answers import JSON
from synthgen_ray.commands.arguments import FORMAT_HELP, KIND_HELP, parse_schema
from synthgen_ray.commands.lookup import dataset_id, datasets_called, get_dataset, project_id, project_id_or_new
from synthgen_ray.commands.options import (
    NEW_PROJECT_HELP,
    CsvSafe,
    InProject,
    Limit,
    Offset,
    Version,
    Yes,
    confirm,
    format_for,
    in_a_folder,
)
from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="Upload, fetch, list, show, correct, download and delete tables.", no_args_is_help=True)


class TableFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="Name or id of the dataset.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", metavar="COLUMN=KIND", help=KIND_HELP)]
Formats = Annotated[list[str] | None, typer.Option("--format", metavar="COLUMN=FORMAT", help=FORMAT_HELP)]
PrimaryKey = Annotated[str | None, typer.Option(help="The column that tells rows apart; it becomes an id.")]
OfProject = Annotated[str | None, typer.Option("--project", help="Its project, where its name is not enough.")]


@group.command("list")
@command
def list_datasets(session: Session, project: InProject = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """List datasets, each with its latest version.

    Example: synthgen datasets list --project Bank
    """
    inside = project_id(session.client, project) if project else None
    columns = ["id", "name", "version", "num_rows", "num_columns", "size_bytes", "created_at"]
    session.output.page(session.client.list_datasets(inside, limit, offset), columns)


@group.command("show")
@command
def show(session: Session, dataset: DatasetArgument, project: OfProject = None, version: Version = None) -> None:
    """Show a dataset with its latest version, or one of its versions.

    Example: synthgen datasets show accounts --version 0
    """
    if version is None:
        found = get_dataset(session.client, dataset, project)
    else:
        found = session.client.get_version(dataset_id(session.client, dataset, project), version)
    names = {"columns": [column["name"] for column in found["columns"]]} if "columns" in found else {}
    session.output.fields(found, {**found, **names})


@group.command("versions")
@command
def versions(
    session: Session, dataset: DatasetArgument, project: OfProject = None, limit: Limit = 50, offset: Offset = 0
) -> None:
    """List the versions of a dataset.

    Example: synthgen datasets versions accounts
    """
    page = session.client.list_versions(dataset_id(session.client, dataset, project), limit, offset)
    session.output.page(page, ["id", "version", "num_rows", "num_columns", "size_bytes", "created_at"])


@group.command("columns")
@command
def columns(session: Session, dataset: DatasetArgument, project: OfProject = None, version: Version = None) -> None:
    """Show the columns of a dataset, and what each was taken for.

    Example: synthgen datasets columns accounts
    """
    found = session.client.list_columns(dataset_id(session.client, dataset, project), version)
    shown = ["name", "kind", "format", "nullable", "unique", "cardinality", "pii"]
    session.output.table(found, found["columns"], shown)


@group.command("upload")
@command
def upload(
    session: Session,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet.")],
    project: Annotated[str, typer.Option(help=NEW_PROJECT_HELP)],
    name: Annotated[str | None, typer.Option(help="Name of the dataset; by default the file's.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Add a version to this dataset: its name or id.")] = None,
    kind: Kinds = None,
    format: Formats = None,
    primary_key: PrimaryKey = None,
) -> None:
    """Upload a table: a new dataset, or with --dataset the next version of one.

    Example: synthgen upload accounts.csv --project Bank
    """
    client = session.client
    schema = parse_schema(kind or [], format or [], primary_key)
    earlier = get_dataset(client, dataset, project) if dataset else None
    inside = earlier["project_id"] if earlier else project_id_or_new(client, project)
    name = name or (earlier["name"] if earlier else _stem(file))
    alike = [] if earlier else datasets_called(client, name, inside)
    with session.output.transfer(f"uploading {file.name}") as on_bytes:
        version = client.upload_dataset(
            inside, name, file, description, earlier["id"] if earlier else None, schema, on_bytes
        )
    _say_added(session, "Uploaded", name, version)
    if alike:
        session.output.note(
            f"warning: '{name}' is one more dataset of this name in the project, which from now on only their ids tell "
            f"apart. To add a version to the earlier one instead, upload with --dataset {alike[0]['id']}; "
            f"'synthgen datasets delete {version['dataset_id']}' undoes this upload."
        )


@group.command("fetch")
@command
def fetch(
    session: Session,
    dataset: DatasetArgument,
    uri: Annotated[str, typer.Argument(help="Address of a table in storage that the server's operator allows.")],
    project: OfProject = None,
) -> None:
    """Add a version to a dataset, which the server takes from storage.

    Example: synthgen datasets fetch accounts s3://tables/accounts.parquet
    """
    version = session.client.fetch_version(dataset_id(session.client, dataset, project), uri)
    _say_added(session, "Fetched", dataset, version)


@group.command("correct")
@command
def correct(
    session: Session,
    dataset: DatasetArgument,
    kind: Kinds = None,
    format: Formats = None,
    primary_key: PrimaryKey = None,
    project: OfProject = None,
    version: Version = None,
) -> None:
    """Say what columns are where they were taken for something else, before a model learns them.

    Example: synthgen datasets correct accounts --kind zip=text --kind opened=datetime --format opened=%d/%m/%Y
    """
    schema = parse_schema(kind or [], format or [], primary_key)
    if schema is None:
        raise typer.BadParameter("Say what is to change, by this or --primary-key.", param_hint="--kind")
    found = get_dataset(session.client, dataset, project)
    number = found["version"] if version is None else version
    corrected = session.client.correct_version(found["id"], number, schema)
    session.output.say(corrected, f"Corrected '{found['name']}' version {number}.")
    _note_warnings(session, corrected)


@group.command("download")
@command
def download(
    session: Session,
    dataset: DatasetArgument,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="By default dataset-ID.FORMAT, here.")
    ] = None,
    format: Annotated[TableFormat | None, typer.Option(help="By default what --to ends in, else csv.")] = None,
    csv_safe: CsvSafe = False,
    project: OfProject = None,
    version: Version = None,
) -> None:
    """Download the table of a dataset.

    Example: synthgen datasets download accounts --to accounts.parquet
    """
    wanted = format_for(to, format, TableFormat.CSV)
    found = dataset_id(session.client, dataset, project)
    file = to or Path(f"dataset-{found}.{wanted}")
    with session.output.transfer(f"downloading {file.name}") as on_bytes:
        session.client.download_dataset(found, file, wanted, version, on_bytes, csv_safe)
    session.output.say({"id": found, "file": str(file)}, f"Wrote {file}.")


@group.command("delete")
@command
def delete(session: Session, dataset: DatasetArgument, project: OfProject = None, yes: Yes = False) -> None:
    """Delete a dataset with its versions, for good; refused while there is a model that learnt it.

    Example: synthgen datasets delete accounts
    """
    doomed = dataset_id(session.client, dataset, project)
    confirm(f"Delete dataset '{dataset}' with its versions?", yes)
    session.output.say(session.client.delete_dataset(doomed), f"Deleted dataset '{dataset}'.")


def _say_added(session: Session, done: str, name: str, version: JSON) -> None:
    size = f"{version['num_rows']} rows, {version['num_columns']} columns"
    session.output.say(version, f"{done} '{name}' version {version['version']}: {size} ({version['dataset_id']}).")
    _note_warnings(session, version)


def _note_warnings(session: Session, version: JSON) -> None:
    for warning in version["warnings"]:
        session.output.note(f"warning: {warning['message']}")


def _stem(file: Path) -> str:
    """`flights.2013` of `flights.2013.csv.gz`."""
    return Path(file.name.removesuffix(".gz")).stem or file.name
