"""Which command is where."""

import typer

from synthgen_ray.commands import audit, datasets, jobs, keys, limits, models, projects, reports


def register(app: typer.Typer) -> None:
    """Add the client's commands: a group for each resource, and what is done most on the top level."""
    for name, group in (
        ("projects", projects.group),
        ("datasets", datasets.group),
        ("models", models.group),
        ("jobs", jobs.group),
        ("reports", reports.group),
        ("keys", keys.group),
        ("audit", audit.group),
    ):
        app.add_typer(group, name=name)
    app.command("upload")(datasets.upload)
    app.command("train")(models.train)
    app.command("generate")(models.generate)
    app.command("impute")(models.impute)
    app.command("sample")(models.sample)
    app.command("report")(reports.report)
    app.command("limits")(limits.limits)
