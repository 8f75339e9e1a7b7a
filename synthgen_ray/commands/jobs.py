"""`synthgen jobs`"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from synthgen_ray.client import JobFailed
from synthgen_ray.commands.lookup import model_id, project_id
from synthgen_ray.commands.options import ByModel, InProject, Limit, Offset, in_a_folder
from synthgen_ray.commands.session import Session, command, waiting
from synthgen_ray.domain.lifecycle import JobStatus

group = typer.Typer(help="List, show, watch and cancel jobs, and download what they made.", no_args_is_help=True)


JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="Id of the job.")]


@group.command("list")
@command
def list_jobs(
    session: Session,
    project: InProject = None,
    model: ByModel = None,
    status: Annotated[JobStatus | None, typer.Option(help="Only with this status.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """List jobs.

    Example: synthgen jobs list --model transactions --status failed
    """
    client = session.client
    inside = project_id(client, project) if project else None
    of = model_id(client, model) if model else None
    columns = ["id", "job_type", "status", "error", "model_name", "model_type", "created_at"]
    page = client.list_jobs(inside, of, status, limit, offset)
    codes = [{**job, "error": (job["error"] or {}).get("code")} for job in page["items"]]
    session.output.page(page, columns, codes)


@group.command("show")
@command
def show(session: Session, job_id: JobId) -> None:
    """Show a job: how far it is, or what became of it.

    Example: synthgen jobs show c56a4180-65aa-42ec-a945-5fd21dec0538
    """
    job = session.client.get_job(job_id)
    session.output.fields(job, job)


@group.command("watch")
@command
def watch(session: Session, job_id: JobId) -> None:
    """Follow a job until it has ended; Ctrl-C leaves it running.

    Example: synthgen jobs watch c56a4180-65aa-42ec-a945-5fd21dec0538
    """
    client, output = session.client, session.output
    job = client.get_job(job_id)
    with waiting(output, f"{job['job_type']} {job['model_name']}", f"'synthgen jobs watch {job_id}'") as on_progress:
        for job in client.events(job_id):
            on_progress(job)
    output.say(job, f"The {job['job_type']} job {job['id']} is {job['status']}.")
    if job["status"] == "failed":
        raise JobFailed(job)


@group.command("cancel")
@command
def cancel(session: Session, job_id: JobId) -> None:
    """Cancel a job that waits or runs.

    Example: synthgen jobs cancel c56a4180-65aa-42ec-a945-5fd21dec0538
    """
    job = session.client.cancel_job(job_id)
    session.output.say(job, f"Cancelled the {job['job_type']} job {job['id']}.")


@group.command("download")
@command
def download(
    session: Session,
    job_id: JobId,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="By default synthetic-JOB.FORMAT, here.")
    ] = None,
) -> None:
    """Download the rows of a completed generation.

    Example: synthgen jobs download c56a4180-65aa-42ec-a945-5fd21dec0538 --to rows.csv
    """
    job = session.client.get_job(job_id)
    file = to or Path(f"synthetic-{job['id']}.{job['config'].get('format', 'csv')}")
    with session.output.transfer(f"downloading {file.name}") as on_bytes:
        session.client.download(job["id"], file, on_bytes)
    session.output.say({**job, "file": str(file)}, f"Wrote {file}.")
