"""`synthgen reports`, `synthgen report`"""

import webbrowser
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from synthgen_ray.client.answers import JSON
from synthgen_ray.commands.lookup import model_id, project_id
from synthgen_ray.commands.options import ByModel, InProject, Limit, Offset, format_for, in_a_folder
from synthgen_ray.commands.session import Session, command, waiting
from synthgen_ray.domain.reports import ReportFormat

group = typer.Typer(help="Make, list, show and download reports on rows: how good, how private.", no_args_is_help=True)

ReportId = Annotated[UUID, typer.Argument(metavar="REPORT", help="Id of the report.")]
OfModel = Annotated[str, typer.Argument(metavar="MODEL", help="Name or id of the model.")]
JobOption = Annotated[UUID | None, typer.Option("--job", help="A completed generation of it, whose rows are judged.")]
Rows = Annotated[
    int | None,
    typer.Option(min=1, help="Rows to draw and judge; by default as many as it has learnt, at most 100,000."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same report.")]
Target = Annotated[str | None, typer.Option(help="Column to predict from the others; by default one that fits.")]
ToFile = Annotated[
    Path | None, typer.Option("--to", dir_okay=False, callback=in_a_folder, help="By default report-REPORT.html, here.")
]


@group.command("create")
@command
def create(
    session: Session,
    model: OfModel,
    job: JobOption = None,
    rows: Rows = None,
    seed: Seed = None,
    target: Target = None,
) -> None:
    """Queue a report on a ready model, for 'synthgen reports download'.

    Example: synthgen reports create transactions --target income
    """
    made = _created(session, model, job, rows, seed, target)
    session.output.say(made, f"Report {made['id']} is in the queue: 'synthgen jobs watch {made['id']}'.")


@group.command("list")
@command
def list_reports(
    session: Session,
    project: InProject = None,
    model: ByModel = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """List reports.

    Example: synthgen reports list --model transactions
    """
    client = session.client
    inside = project_id(client, project) if project else None
    of = model_id(client, model) if model else None
    columns = ["id", "status", "verdict", "created_at", "entity_id", "scores"]
    page = client.list_reports(inside, limit=limit, offset=offset, model_id=of)
    judged = [{**report, "verdict": (report["scores"] or {}).get("verdict")} for report in page["items"]]
    session.output.page(page, columns, judged)


@group.command("show")
@command
def show(session: Session, report_id: ReportId) -> None:
    """Show a report: how far it is, or its scores.

    Example: synthgen reports show c56a4180-65aa-42ec-a945-5fd21dec0538
    """
    report = session.client.get_report(report_id)
    session.output.fields(report, {**report, **(report["scores"] or {})})


@group.command("download")
@command
def download(
    session: Session,
    report_id: ReportId,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, callback=in_a_folder, help="By default report-REPORT.FORMAT, here.")
    ] = None,
    format: Annotated[ReportFormat | None, typer.Option(help="By default what --to ends in, else html.")] = None,
) -> None:
    """Download a report as a page, or as JSON.

    Example: synthgen reports download c56a4180-65aa-42ec-a945-5fd21dec0538 --to report.html
    """
    wanted = format_for(to, format, ReportFormat.HTML)
    file = to or Path(f"report-{report_id}.{wanted}")
    with session.output.transfer(f"downloading {file.name}") as on_bytes:
        session.client.download_report(report_id, file, wanted, on_bytes)
    session.output.say({"id": str(report_id), "file": str(file)}, f"Wrote {file}.")


@command
def report(
    session: Session,
    model: OfModel,
    job: JobOption = None,
    rows: Rows = None,
    seed: Seed = None,
    target: Target = None,
    to: ToFile = None,
    open: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Report on a ready model, and write the page; or its numbers, to a file that ends in .json.

    Example: synthgen report transactions --target income --open
    """
    client, output = session.client, session.output
    wanted = format_for(to, None, ReportFormat.HTML)
    made = _created(session, model, job, rows, seed, target)
    file = to or Path(f"report-{made['id']}.html")
    go_on = f"'synthgen jobs watch {made['id']}', then 'synthgen reports download {made['id']} --to {file}'"
    with waiting(output, f"report on {model}", go_on) as on_progress:
        done = client.wait_for_report(made["id"], on_progress)
    with output.transfer(f"downloading {file.name}") as on_bytes:
        client.download_report(made["id"], file, wanted, on_bytes)
    output.say({**done, "file": str(file)}, f"Wrote {file}. Verdict: {done['scores']['verdict']}.")
    if open and not webbrowser.open(file.absolute().as_uri()):
        output.note(f"There is no browser to open it with: open {file.absolute()} in one.")


def _created(
    session: Session, model: str, job: UUID | None, rows: int | None, seed: int | None, target: str | None
) -> JSON:
    shown = session.client.get_model(model_id(session.client, model))["model"]
    return session.client.create_report(shown["project_id"], shown["id"], job, rows, seed, target)
