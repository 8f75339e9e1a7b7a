"""The key that comes with a server."""

import os
from pathlib import Path

from synthgen_ray.domain.keys import new_key
from synthgen_ray.settings import Settings

KEY_FILE = "admin_key"


def admin_key(settings: Settings) -> str:
    """The admin key: as set, else from the data directory, where the first call leaves a new one.

    Raises: PermissionError, when others may read the file.
    """
    if settings.admin_key is not None:
        return settings.admin_key.get_secret_value()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.data_dir / KEY_FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(file)
    key = new_key()
    with os.fdopen(descriptor, "w") as new:
        new.write(key + "\n")
    return key


def _read_key(file: Path) -> str:
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others: make it private with chmod 600, or delete it.")
    return file.read_text().strip()
