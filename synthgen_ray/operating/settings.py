"""The settings of the server that a command is about, or a refusal."""

import logging
import os
import re
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from yaml import YAMLError

from synthgen_ray.runtime.logs import OURS
from synthgen_ray.settings import Settings

_NO_JSON = re.compile(r'error parsing value for field "(\w+)" from source "EnvSettingsSource"')
DataDirOption = Annotated[
    Path | None, typer.Option(envvar="SYNTHGEN_DATA_DIR", help="Where all state is kept; by default data, here.")
]
ConfigOption = Annotated[Path | None, typer.Option(help="A settings file, see configs/default.yaml.")]


def load_settings(config: Path | None, **flags: object) -> Settings:
    """Raises: typer.Exit, having said why: with 2 where they do not fit, with 1 where the data is another user's."""
    try:
        settings = Settings.load(config, **flags)
    except (ValidationError, OSError, ValueError, YAMLError) as error:
        typer.echo(f"synthgen: the settings do not fit: {_told(error)}", err=True)
        raise typer.Exit(2) from None
    for path in (settings.data_dir, settings.data_dir / "lock"):
        if os.path.lexists(path) and not os.access(path, os.R_OK):
            refuse(f"{path} is another user's: run this as the user of the server (ls -ld {path} tells which).")
    return settings


def _told(error: Exception) -> str:
    """A line for each that does not fit, without the pages of pydantic on it."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = (
        (".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()
    )
    lines = "\n  ".join(": ".join(filter(None, fault)) for fault in faults)
    return _NO_JSON.sub(r'\1: in the environment it is JSON, a list of names ["one", "two"]', lines)


def without_log() -> None:
    """For a command that says in a sentence what went wrong: the frames of it are for a server's log."""
    logging.getLogger(OURS).addHandler(logging.NullHandler())


def refuse(reason: str) -> NoReturn:
    typer.echo(f"synthgen: {reason}", err=True)
    raise typer.Exit(1)
