"""All checks, each with what it found; one that breaks down is a finding too."""

from collections.abc import Callable, Iterator
from functools import partial

from synthgen_ray.domain.errors import SynthGenError, told
from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.doctor.disks import disk
from synthgen_ray.runtime.doctor.finding import Finding, fail, ok
from synthgen_ray.runtime.doctor.machine import data_dir, environment, listening, versions
from synthgen_ray.runtime.doctor.stores import artifacts, database
from synthgen_ray.runtime.environment import prepare_environment
from synthgen_ray.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Changes nothing, but that it writes a file to the artifacts and erases it, and makes a token of Ray's if none is
    there."""
    checks = (versions, environment, data_dir, disk, listening, database, artifacts, _ray)
    return [finding for check in checks for finding in _findings(check.__name__.strip("_"), partial(check, settings))]


def _findings(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except SynthGenError as error:
        yield fail(name, told(error), "See that it can be reached from here, then look again.")
    except Exception as error:  # noqa: BLE001 - whatever a sick machine raises is what was asked for
        yield fail(name, f"{type(error).__name__}: {error}", "See cluster/README.md.")


def _ray(settings: Settings) -> Iterator[Finding]:
    here = DataDir(settings.data_dir)
    address = settings.address or here.find_ray_address()
    if address is None:
        yield ok("ray", "No server runs: synthgen up starts a Ray of its own.")
        return
    prepare_environment(here, settings.address)
    from synthgen_ray.runtime.doctor.cluster import ray_cluster  # imports Ray, which reads the environment

    yield from ray_cluster(address, settings)
