"""`synthgen doctor`"""

import json
from dataclasses import asdict

import typer

from synthgen_ray.commands.session import AsJson
from synthgen_ray.operating.settings import ConfigOption, DataDirOption, load_settings, without_log


def doctor(config: ConfigOption = None, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Look at all that a server needs, running or not, and say what to do. Ends with 1 where something fails.

    Example: synthgen doctor --json
    """
    settings = load_settings(config, data_dir=data_dir)
    without_log()
    from synthgen_ray.runtime.doctor.examining import examine
    from synthgen_ray.runtime.doctor.finding import Level

    findings = examine(settings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<4}  {finding.check:<11}  {finding.said}")
            if finding.advice:
                typer.echo(f"{'':<4}  {'':<11}  -> {finding.advice}")
    raise typer.Exit(int(any(finding.level is Level.FAIL for finding in findings)))
