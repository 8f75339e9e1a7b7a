"""`synthgen models`, `synthgen train`, `synthgen generate`"""

from pathlib import Path
from typing import Annotated

import typer

from synthgen_ray.commands.arguments import CONFIG_HELP, WHERE_HELP, parse_conditions, parse_config
from synthgen_ray.commands.datasets import InProject
from synthgen_ray.commands.lookup import get_dataset, model_id, project_id
from synthgen_ray.commands.projects import Limit, Offset
from synthgen_ray.commands.session import Session, command
from synthgen_ray.domain.params import ModelType, OutputFormat

group = typer.Typer(help="Make, list, show and delete models.", no_args_is_help=True)

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name or id of the model.")]
COLUMNS = ["id", "name", "model_type", "status", "dataset_name", "dataset_version", "created_at"]


@group.command("list")
@command
def list_models(session: Session, project: InProject = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """List models."""
    inside = project_id(session.client, project) if project else None
    session.output.page(session.client.list_models(inside, limit, offset), COLUMNS)


@group.command("types")
@command
def types(session: Session) -> None:
    """List what can be trained; with --json, the options of each too."""
    model_types = session.client.model_types()
    session.output.table({"model_types": model_types}, model_types, ["id", "name", "description"])


@group.command("show")
@command
def show(session: Session, model: ModelArgument) -> None:
    """Show a model and its jobs."""
    shown = session.client.get_model(model_id(session.client, model))
    jobs = [f"{job['job_type']} {job['status']} {job['id']}" for job in shown["jobs"]]
    session.output.fields(shown, {**shown["model"], "jobs": "\n  ".join(["", *jobs])})


@group.command("create")
@command
def train(
    session: Session,
    dataset: Annotated[str, typer.Option(help="Name or id of the dataset; its latest version is learnt.")],
    type: Annotated[ModelType, typer.Option(help="What to train; see 'synthgen models types'.")] = ModelType.CTGAN,
    name: Annotated[str | None, typer.Option(help="Name of the model; by default DATASET-TYPE.")] = None,
    config: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help=CONFIG_HELP)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Training workers.")] = None,
    gpu: Annotated[bool | None, typer.Option("--gpu/--no-gpu", help="One GPU a worker, or none.")] = None,
    project: Annotated[str | None, typer.Option(help="The dataset's project, where its name is not enough.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the model is ready; 1 if it failed.")] = False,
) -> None:
    """Train a model on a dataset."""
    client, output = session.client, session.output
    options = parse_config(config or [])
    table = get_dataset(client, dataset, project)
    name = name or f"{table['name']}-{type}"
    resources = {key: value for key, value in (("num_workers", workers), ("use_gpu", gpu)) if value is not None}
    made = client.create_model(table["project_id"], table["dataset_version_id"], name, type, options, resources or None)
    if not wait:
        output.say(made, f"Model '{name}' ({made['id']}) is in the queue; its job is {made['synthgen_job_id']}.")
        return
    with output.progress(f"training {name}") as on_progress:
        ready = client.wait_for_model(made["id"], on_progress)
    output.say(ready, f"Model '{name}' ({made['id']}) is ready.")


@command
def generate(
    session: Session,
    model: ModelArgument,
    rows: Annotated[int, typer.Option(min=1, help="Rows to generate.")] = 1000,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same rows.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help=WHERE_HELP)] = None,
    format: Annotated[OutputFormat | None, typer.Option(help="By default what --to ends in, else csv.")] = None,
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="Wait, and write the rows to this file.")] = None,
) -> None:
    """Generate rows from a ready model. Without --to the job is queued, for 'synthgen jobs download'."""
    client, output = session.client, session.output
    conditions = parse_conditions(where or [])
    if to and not to.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {to.parent}.", param_hint="--to")
    wanted = format or _format_of(to)
    made = client.generate(model_id(client, model), rows, seed, conditions or None, format=wanted)
    job_id = made["synthgen_job_id"]
    if to is None:
        output.say(made, f"Job {job_id} is in the queue: 'synthgen jobs download {job_id}' when it is completed.")
        return
    with output.progress(f"generating {rows} rows") as on_progress:
        job = client.wait_for_job(job_id, on_progress)
    client.download(job_id, to)
    output.say({**job, "file": str(to)}, f"Wrote {job['result']['num_rows']} rows to {to}.")


@group.command("delete")
@command
def delete(
    session: Session,
    model: ModelArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a model, its jobs and their files, for good."""
    doomed = model_id(session.client, model)
    if not yes:
        typer.confirm(f"Delete model '{model}', its jobs and their files?", abort=True, err=True)
    session.output.say(session.client.delete_model(doomed), f"Deleted model '{model}'.")


def _format_of(file: Path | None) -> OutputFormat:
    ending = file.suffix[1:].lower() if file else ""
    return OutputFormat(ending) if ending in set(OutputFormat) else OutputFormat.CSV
