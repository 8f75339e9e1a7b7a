"""`synthgen jobs`"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from synthgen_ray.commands.datasets import InProject
from synthgen_ray.commands.lookup import model_id, project_id
from synthgen_ray.commands.projects import Limit, Offset
from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="How trainings and generations stand, and what they made.", no_args_is_help=True)


class Status(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]
COLUMNS = ["id", "job_type", "status", "model_name", "model_type", "created_at"]


@group.command("list")
@command
def list_jobs(
    session: Session,
    project: InProject = None,
    model: Annotated[str | None, typer.Option(help="Only of this model: its name or id.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only with this status.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """List jobs."""
    client = session.client
    inside = project_id(client, project) if project else None
    of = model_id(client, model) if model else None
    session.output.page(client.list_jobs(inside, of, status, limit, offset), COLUMNS)


@group.command("show")
@command
def show(session: Session, job_id: JobId) -> None:
    """Show a job: how far it is, or what became of it."""
    job = session.client.get_job(job_id)
    session.output.fields(job, job)


@group.command("download")
@command
def download(
    session: Session,
    job_id: JobId,
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="By default synthetic-JOB.FORMAT, here.")] = None,
) -> None:
    """Download the rows of a completed generation."""
    job = session.client.get_job(job_id)
    file = to or Path(f"synthetic-{job['id']}.{job['config'].get('format', 'csv')}")
    session.client.download(job["id"], file)
    session.output.say({**job, "file": str(file)}, f"Wrote {file}.")
