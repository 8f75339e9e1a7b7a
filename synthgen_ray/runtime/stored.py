"""The artifacts of a server, of which each of its processes counts what it finds damaged."""

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.runtime.metrics import count_damaged
from synthgen_ray.settings import Settings


def artifacts_of(settings: Settings) -> Artifacts:
    return open_artifacts(settings.artifacts_url, settings.data_dir, count_damaged)
