"""Which server the commands talk to, and with which key."""

import os
from dataclasses import dataclass
from pathlib import Path

from synthgen_ray.client import DEFAULT_URL
from synthgen_ray.runtime.admin_key import KEY_FILE
from synthgen_ray.runtime.data_dir import DataDir


@dataclass(frozen=True)
class Server:
    url: str
    key: str | None


def find_server(url: str | None, key: str | None, data_dir: Path) -> Server:
    """The server that is asked for, else the one that `synthgen up` runs on the data directory.

    The key of the data directory, or the one that the environment sets for it, goes to its own server and to no other:
    while that one does not run, any program of this machine may listen in its place.
    """
    data_dir = Path(os.path.expanduser(data_dir))  # noqa: PTH111 - as in the settings, but nobody's home is no error
    info = DataDir(data_dir).find_info()
    local = _normal(info.url) if info else DEFAULT_URL
    url = local if url is None else _normal(url)
    # What `serve deploy` has deployed on the cluster of SYNTHGEN_ADDRESS leaves nothing in the data directory.
    is_there = info is not None or "SYNTHGEN_ADDRESS" in os.environ
    if key is None and url == local and is_there:
        key = local_key(data_dir)
    return Server(url, key)


def local_key(data_dir: Path) -> str | None:
    """The admin key of the server of this data directory, where there is one."""
    file = data_dir / KEY_FILE
    return os.environ.get("SYNTHGEN_ADMIN_KEY") or (file.read_text().strip() if file.exists() else None)


def _normal(url: str) -> str:
    return (url if "://" in url else f"http://{url}").rstrip("/")
