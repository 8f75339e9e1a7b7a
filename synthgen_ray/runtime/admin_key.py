"""The key that comes with a server."""

from synthgen_ray.domain.keys import new_key
from synthgen_ray.runtime.data_dir import StartFailed, private_file
from synthgen_ray.settings import Settings

KEY_FILE = "admin_key"


def admin_key(settings: Settings) -> str:
    """The admin key: as set, else from the data directory, where the first call leaves a new one.

    Raises: StartFailed, when others may read the file, or it is empty.
    """
    if settings.admin_key is not None:
        return settings.admin_key.get_secret_value()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = private_file(settings.data_dir / KEY_FILE, lambda: new_key() + "\n")
    if file.stat().st_mode & 0o077:
        raise StartFailed(f"{file} can be read by others: make it private with chmod 600, or delete it.")
    return file.read_text().strip()
