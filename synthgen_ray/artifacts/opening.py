"""Which store of artifacts a URL means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from synthgen_ray.artifacts.base import Artifacts, OnDamage, not_counted
from synthgen_ray.artifacts.copies import Copies
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.artifacts.scratch import Scratch


def open_artifacts(url: str | None, data_dir: Path, on_damage: OnDamage = not_counted) -> Artifacts:
    """The artifacts at a URL, in `data_dir` without one. Those of an object store have their scratch space there.

    Nothing is looked at: a store that is away, or not there, says so when it is asked.
    """
    home = data_dir.absolute()
    if url is None:
        return DiskArtifacts(home / "artifacts", on_damage)
    if url.startswith("file:"):
        return DiskArtifacts(Path(unquote(urlsplit(url).path)), on_damage)
    from synthgen_ray.artifacts.object_store import ObjectStoreArtifacts  # memory that a disk does without

    return ObjectStoreArtifacts(url, Scratch(home / "scratch"), Copies(home / "copies"), on_damage)
