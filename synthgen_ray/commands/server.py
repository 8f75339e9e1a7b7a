"""Which server the commands talk to, and with which key."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from synthgen_ray.client import DEFAULT_URL


@dataclass(frozen=True)
class Server:
    url: str
    key: str | None


def find_server(url: str | None, key: str | None, data_dir: Path) -> Server:
    """The server that is asked for, else the one that `synthgen up` runs on the data directory.

    The key of the data directory, or the one that the environment sets for it, goes to its own server and to no other.
    """
    info = data_dir / "server.json"
    local = _normal(json.loads(info.read_text())["url"]) if info.exists() else DEFAULT_URL
    url = local if url is None else _normal(url)
    if key is None and url == local:
        key = os.environ.get("SYNTHGEN_ADMIN_KEY") or _local_key(data_dir / "admin_key")
    return Server(url, key)


def _local_key(file: Path) -> str | None:
    return file.read_text().strip() if file.exists() else None


def _normal(url: str) -> str:
    return (url if "://" in url else f"http://{url}").rstrip("/")
