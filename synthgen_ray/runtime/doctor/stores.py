"""The database and the artifacts: that they answer, and belong together."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.errors import SynthGenError
from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.runtime.doctor.finding import Finding, fail, ok, warn
from synthgen_ray.settings import Settings
from synthgen_ray.store.health import DatabaseHealth, look_at
from synthgen_ray.store.migrating import known_revisions

NOTICED = timedelta(seconds=1)  # of two clocks
PROBE = b"synthgen doctor"


def database(settings: Settings) -> Iterator[Finding]:
    health = _database(settings)
    if health is None:
        yield warn("database", "There is none yet.", "synthgen up makes it.")
        return
    newest, *older = known_revisions()
    if health.damage:
        yield fail("database", f"Its file is damaged: {health.damage}", "synthgen restore the last backup elsewhere.")
    elif health.is_standby:
        yield fail("database", "It is a standby, which takes nothing that is written.", "Name the primary one.")
    elif health.revision in (None, *older) and not health.takes_tables:
        advice = "Make its user the owner of the database, or GRANT CREATE ON SCHEMA public TO it."
        yield fail("database", "It takes no tables from its user, and the next start makes some.", advice)
    elif health.revision is None:
        yield warn("database", "It has no tables of SynthGen.", "The first start makes them, or synthgen restore.")
    elif health.revision in older:
        advice = f"The next start migrates it to {newest}: synthgen backup before."
        yield warn("database", f"It has schema {health.revision}.", advice)
    elif health.revision != newest:
        advice = "Start the newer version, or restore the backup from before."
        yield fail("database", f"A newer SynthGen made its schema {health.revision}.", advice)
    else:
        yield ok("database", f"It has schema {newest}, and answered in {1000 * health.seconds:.0f} ms.")
    yield from _clock(health.ahead)


def artifacts(settings: Settings) -> Iterator[Finding]:
    if settings.artifacts_url is None and not settings.data_dir.is_dir():
        return  # a look would make the folder
    kept = open_artifacts(settings.artifacts_url, settings.data_dir)
    kept.check_writable()
    if _comes_back(kept):
        yield ok("artifacts", "A file was written, read and erased.")
    else:
        yield fail("artifacts", "A file that was written did not come back.", "See the storage's own log.")
    owner = kept.find_owner()
    try:
        health = _database(settings)
    except SynthGenError:
        return  # of which the check of the database tells
    if health and health.server_id and owner not in (None, str(health.server_id)):
        yield fail(
            "artifacts",
            "They are those of another server's metadata.",
            "Name the database that belongs to them, or an empty place for this one's.",
        )


def _database(settings: Settings) -> DatabaseHealth | None:
    if settings.own_database and not settings.own_database.exists():
        return None  # a look would make the file
    return asyncio.run(look_at(settings.sql_url.get_secret_value()))


def _clock(ahead: timedelta) -> Iterator[Finding]:
    said = f"The database's clock is {ahead.total_seconds():+.1f} s off this machine's."
    if abs(ahead) > LEASE:
        yield fail("clock", said, "Set both by NTP (timedatectl set-ntp true): deadlines and keys go by them.")
    elif abs(ahead) > NOTICED:
        yield warn("clock", said, "Set both by NTP (timedatectl set-ntp true).")


def _comes_back(kept: Artifacts) -> bool:
    # In a folder of its own: on another node somebody may look too, and in one that root has made no other user can.
    location, name = f"doctor-{uuid4()}", "probe"
    try:
        with kept.writing(location, name) as sink:
            sink.write(PROBE)
        with kept.part_file(location, name) as file:
            return file.read_bytes() == PROBE
    finally:
        kept.erase(location)
