"""`synthgen backup` and `synthgen restore`"""

import os
import re
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated

import typer

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.errors import InsufficientStorage, SynthGenError, told
from synthgen_ray.operating.settings import ConfigOption, DataDirOption, load_settings, refuse, without_log
from synthgen_ray.runtime.data_dir import DataDir, StartFailed
from synthgen_ray.settings import ARTIFACTS_URL, Settings

PlaceArgument = Annotated[
    str, typer.Argument(metavar="PLACE", help="A folder, or file:///…, s3://…, gs://… as for artifacts_url.")
]


def backup(place: PlaceArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Copy all that a server keeps to a place that is empty or has its last backup. The server may run meanwhile.

    Its metadata is of one moment, with all files that it names. Keys are in it as hashes; the admin key and the
    settings are not. It ends with 1 too where it is made, but the server had itself lost a file.

    Example: synthgen backup s3://bucket/backups
    """
    # As in `restore` not above: it brings SQLAlchemy, for which no other command should wait.
    from synthgen_ray.backup.making import back_up
    from synthgen_ray.backup.manifest import BackupFailed

    settings = load_settings(config, data_dir=data_dir)
    os.umask(0o077)
    without_log()
    if settings.own_database and not settings.own_database.exists():
        refuse(f"There is no server's data in {settings.data_dir}.")
    target = _opened(place, settings)
    try:
        made = back_up(settings.sql_url.get_secret_value(), _artifacts(settings), target)
    except InsufficientStorage:
        on_its_way = f"{settings.data_dir} or {gettempdir()}"
        refuse(f"There is no room for it at {place}, or for what is on its way there in {on_its_way}.")
    except (BackupFailed, SynthGenError, OSError) as error:
        refuse(_reason(error))
    manifest = made.manifest
    typer.echo(f"Backed up {manifest.num_artifacts} artifacts, of which {made.num_bytes:,} bytes were new, to {place}.")
    if made.lost:
        refuse(f"Made without {len(made.lost)} artifacts that the server itself has lost; the manifest names them.")


def restore(place: PlaceArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Make the data of a server from a backup, where there is none yet. Then start it with 'synthgen up'.

    The database and the artifacts are those of the settings, and may be of another kind than those that were backed
    up. Each file is checked. The server gets a new admin key; all other keys work as before.

    Example: synthgen restore s3://bucket/backups --data-dir data
    """
    from synthgen_ray.backup.manifest import BackupFailed
    from synthgen_ray.backup.restoring import restore as bring_back

    settings = load_settings(config, data_dir=data_dir)
    os.umask(0o077)
    without_log()
    source = _opened(place, settings)
    here = DataDir(settings.data_dir)
    try:
        here.prepare()
        with here.lock():
            here.forget_info()  # of a server that was killed: `down` would end whoever has its number by now
            manifest = bring_back(source, settings.sql_url.get_secret_value(), _artifacts(settings))
    except (BackupFailed, SynthGenError, StartFailed, OSError) as error:
        refuse(_reason(error))
    typer.echo(f"Restored {manifest.num_artifacts} artifacts as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC.")


def _artifacts(settings: Settings) -> Artifacts:
    return open_artifacts(settings.artifacts_url, settings.data_dir)


def _opened(place: str, settings: Settings) -> Artifacts:
    url = place if "://" in place else Path(place).absolute().as_uri()
    if not re.fullmatch(ARTIFACTS_URL, url):
        raise typer.BadParameter("That is neither a folder nor a URL of file:///, s3:// or gs://.", param_hint="PLACE")
    return open_artifacts(url, settings.data_dir)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return told(error) if isinstance(error, SynthGenError) else str(error)
