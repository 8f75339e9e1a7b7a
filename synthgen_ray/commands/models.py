"""`synthgen models`, `synthgen train`, `synthgen generate`, `synthgen impute`, `synthgen sample`"""

from pathlib import Path
from typing import Annotated

import typer

from synthgen_ray.client.answers import JSON
from synthgen_ray.commands.arguments import (
    CONFIG_HELP,
    SHARES_HELP,
    WHERE_HELP,
    parse_conditions,
    parse_config,
    parse_shares,
)
from synthgen_ray.commands.lookup import get_dataset, model_id, project_id, project_id_or_new, version_id
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
from synthgen_ray.commands.session import Session, command, waiting
from synthgen_ray.domain.params import ModelType, OutputFormat, SampleFormat

group = typer.Typer(help="Make, list, show, sample, export, import and delete models.", no_args_is_help=True)

DatasetsProject = Annotated[str | None, typer.Option(help="The dataset's project, where its name is not enough.")]
RowsFormat = Annotated[OutputFormat | None, typer.Option(help="By default what --to ends in, else csv.")]
RowsTo = Annotated[
    Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="Wait, and write the rows to this file.")
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name or id of the model.")]


@group.command("list")
@command
def list_models(session: Session, project: InProject = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """List models.

    Example: synthgen models list --project Bank
    """
    inside = project_id(session.client, project) if project else None
    columns = ["id", "name", "model_type", "status", "dataset_name", "dataset_version", "created_at"]
    session.output.page(session.client.list_models(inside, limit, offset), columns)


@group.command("types")
@command
def types(session: Session) -> None:
    """List what can be trained; with --json, the options of each too.

    Example: synthgen models types --json
    """
    model_types = session.client.model_types()
    session.output.table({"model_types": model_types}, model_types, ["id", "name", "description"])


@group.command("show")
@command
def show(session: Session, model: ModelArgument) -> None:
    """Show a model and its jobs.

    Example: synthgen models show transactions
    """
    shown = session.client.get_model(model_id(session.client, model))
    jobs = tuple(f"{job['job_type']} {job['status']} {job['id']}" for job in shown["jobs"])
    session.output.fields(shown, {**shown["model"], "jobs": jobs})


@group.command("create")
@command
def train(
    session: Session,
    dataset: Annotated[str, typer.Option(help="Name or id of the dataset.")],
    type: Annotated[ModelType, typer.Option(help="What to train; see 'synthgen models types'.")] = ModelType.CTGAN,
    name: Annotated[str | None, typer.Option(help="Name of the model; by default DATASET-TYPE.")] = None,
    config: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help=CONFIG_HELP)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Training workers.")] = None,
    gpu: Annotated[bool | None, typer.Option("--gpu/--no-gpu", help="One GPU a worker, or none.")] = None,
    project: DatasetsProject = None,
    version: Version = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when the model is ready; exit code 1 if it failed.")
    ] = False,
) -> None:
    """Train a model on a dataset.

    Example: synthgen train --dataset accounts --type tvae --config epochs=100 --wait
    """
    client, output = session.client, session.output
    options = parse_config(config or [])
    table = get_dataset(client, dataset, project)
    name = name or f"{table['name']}-{type}"
    learnt = version_id(client, table, version)
    resources = {key: value for key, value in (("num_workers", workers), ("use_gpu", gpu)) if value is not None}
    made = client.create_model(table["project_id"], learnt, name, type, options, resources or None)
    job_id = made["synthgen_job_id"]
    if not wait:
        output.say(made, f"Model '{name}' ({made['id']}) is in the queue; its job is {job_id}.")
        return
    with waiting(output, f"training {name}", f"'synthgen jobs watch {job_id}'") as on_progress:
        ready = client.wait_for_model(made["id"], on_progress)
    output.say(ready, f"Model '{name}' ({made['id']}) is ready{_quality_of(ready)}.")


@group.command("generate")
@command
def generate(
    session: Session,
    model: ModelArgument,
    rows: Annotated[int, typer.Option(min=1, help="Rows to generate.")] = 1000,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same rows.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help=WHERE_HELP)] = None,
    shares: Annotated[str | None, typer.Option(metavar="COLUMN=JSON", help=SHARES_HELP)] = None,
    format: RowsFormat = None,
    csv_safe: CsvSafe = False,
    to: RowsTo = None,
) -> None:
    """Generate rows from a ready model. Without --to the job is queued, for 'synthgen jobs download'.

    Example: synthgen generate transactions --rows 1000 --seed 42 --where age=30..40 --to rows.csv
    """
    client = session.client
    conditions, distribution = parse_conditions(where or []), parse_shares(shares)
    wanted = format_for(to, format, OutputFormat.CSV)
    made = client.generate(model_id(client, model), rows, seed, conditions or None, distribution, wanted, csv_safe)
    _fetch(session, made, to, f"generating {rows} rows")


@group.command("impute")
@command
def impute(
    session: Session,
    model: ModelArgument,
    dataset: Annotated[str, typer.Option(help="Name or id of the dataset whose missing cells are to be filled.")],
    version: Version = None,
    project: DatasetsProject = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed fills in the same values.")] = None,
    format: RowsFormat = None,
    csv_safe: CsvSafe = False,
    to: RowsTo = None,
) -> None:
    """Fill a dataset's missing cells with a ready model. Without --to the job is queued, for 'synthgen jobs download'.

    Example: synthgen impute transactions --dataset october --to october_filled.csv
    """
    client = session.client
    table = get_dataset(client, dataset, project)
    given = version_id(client, table, version)
    wanted = format_for(to, format, OutputFormat.CSV)
    made = client.impute(model_id(client, model), given, seed, wanted, csv_safe)
    _fetch(session, made, to, f"filling {table['name']}")


def _fetch(session: Session, made: JSON, to: Path | None, work: str) -> None:
    """Say that a job is queued; or wait for it and write its rows."""
    client, output, job_id = session.client, session.output, made["synthgen_job_id"]
    if to is None:
        output.say(made, f"Job {job_id} is in the queue: 'synthgen jobs download {job_id}' when it is completed.")
        return
    go_on = f"'synthgen jobs watch {job_id}', then 'synthgen jobs download {job_id} --to {to}'"
    with waiting(output, work, go_on) as on_progress:
        job = client.wait_for_job(job_id, on_progress)
    with output.transfer(f"downloading {to.name}") as on_bytes:
        client.download(job_id, to, on_bytes)
    output.say({**job, "file": str(to)}, f"Wrote {job['result']['num_rows']} rows to {to}.")


@group.command("sample")
@command
def sample(
    session: Session,
    model: ModelArgument,
    rows: Annotated[int, typer.Option(min=1, help="Rows to draw.")] = 10,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same rows.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help=WHERE_HELP)] = None,
    shares: Annotated[str | None, typer.Option(metavar="COLUMN=JSON", help=SHARES_HELP)] = None,
    format: Annotated[SampleFormat | None, typer.Option(help="By default what --to ends in, else csv.")] = None,
    csv_safe: CsvSafe = False,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="Write the rows to this file.")
    ] = None,
) -> None:
    """Draw rows from a ready model at once. Without --to they are shown.

    Example: synthgen sample transactions --rows 5 --where age=30..40
    """
    client, output = session.client, session.output
    wanted = format_for(to, format, SampleFormat.CSV)
    if to is None and (format or csv_safe):
        raise typer.BadParameter(
            "It is of a file, and goes with --to.", param_hint="--format" if format else "--csv-safe"
        )
    found, conditions, distribution = model_id(client, model), parse_conditions(where or []), parse_shares(shares)
    if to is None:
        drawn = client.sample(found, rows, seed, conditions or None, distribution)
        output.table({"rows": drawn}, drawn, list(drawn[0]))
        return
    with output.transfer(f"drawing {to.name}") as on_bytes:
        client.sample_to(found, to, rows, seed, conditions or None, distribution, wanted, csv_safe, on_bytes)
    output.say({"id": found, "file": str(to), "num_rows": rows}, f"Wrote {rows} rows to {to}.")


@group.command("export")
@command
def export(
    session: Session,
    model: ModelArgument,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="By default model-ID.synthgen, here.")
    ] = None,
) -> None:
    """Download a ready model as one file, for another server or for Python.

    Example: synthgen models export transactions --to transactions.synthgen
    """
    found = model_id(session.client, model)
    file = to or Path(f"model-{found}.synthgen")
    with session.output.transfer(f"downloading {file.name}") as on_bytes:
        session.client.export_model(found, file, on_bytes)
    session.output.say({"id": found, "file": str(file)}, f"Wrote {file}.")


@group.command("import")
@command
def import_model(
    session: Session,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What an export wrote.")],
    project: Annotated[str, typer.Option(help=NEW_PROJECT_HELP)],
    name: Annotated[str | None, typer.Option(help="Name of the model; by default the file's.")] = None,
) -> None:
    """Take in a model that was exported, from this server or another.

    Example: synthgen models import transactions.synthgen --project Bank
    """
    client, name = session.client, name or file.stem
    with session.output.transfer(f"uploading {file.name}") as on_bytes:
        made = client.import_model(project_id_or_new(client, project), name, file, on_bytes)
    session.output.say(made, f"Model '{name}' ({made['id']}) is {made['status']}.")


@group.command("delete")
@command
def delete(session: Session, model: ModelArgument, yes: Yes = False) -> None:
    """Delete a model, its jobs and their files, for good.

    Example: synthgen models delete transactions
    """
    doomed = model_id(session.client, model)
    confirm(f"Delete model '{model}', its jobs and their files?", yes)
    session.output.say(session.client.delete_model(doomed), f"Deleted model '{model}'.")


def _quality_of(model: JSON) -> str:
    known = {name: score for name, score in (model["quality"] or {}).items() if score is not None}
    scores = (f"{name.replace('_', ' ')} {score:.3f}" for name, score in known.items())
    return f": {', '.join(scores)}" if known else ""
