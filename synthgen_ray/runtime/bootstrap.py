"""What must be there before the first request: the schema, the admin key, the dispatcher."""

import os
from pathlib import Path

from synthgen_ray.api.auth import key_hash, new_key
from synthgen_ray.runtime.actors import dispatcher, metadata_store
from synthgen_ray.settings import Settings

KEY_FILE = "admin_key"


async def bootstrap(settings: Settings) -> None:
    """Start what is not there yet; does nothing the second time."""
    store = metadata_store(settings.sql_url)
    await store.migrate()
    hashed = key_hash(admin_key(settings))
    if not await store.is_known_key(hashed):
        await store.set_admin_key(hashed)
    dispatcher(settings)


def admin_key(settings: Settings) -> str:
    """The admin key: as set, else from the data directory, where the first call leaves a new one."""
    if settings.admin_key is not None:
        return settings.admin_key.get_secret_value()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.data_dir / KEY_FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(file)
    with os.fdopen(descriptor, "w") as new:
        key = new_key()
        new.write(key + "\n")
    return key


def _read_key(file: Path) -> str:
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others: make it private with chmod 600, or delete it.")
    return file.read_text().strip()
