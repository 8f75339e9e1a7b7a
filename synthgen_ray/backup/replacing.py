"""Which of several backups at once to one place counts: the first whose manifest replaces the one that it began from.

A bucket knows no lock, and pyarrow no write on a condition. So a manifest is written beside first, under a name of its
own, and whoever then sees nobody else's beside is alone: of two, the later to write sees that of the earlier. Alone it
looks at the manifest that counts, and renames its own to that. Who is not alone takes its own away, and tries again.

Who is killed here leaves its manifest beside. One that lies there for longer than its few requests may take is removed.
Was its backup not dead but slow, it has nothing to rename, and tries again too.
"""

import math
import random
import re
import time
from contextlib import suppress
from uuid import uuid4

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.backup.manifest import FOLDER, MANIFEST, Manifest, find_manifest
from synthgen_ray.domain.errors import Gone

BESIDE = re.compile(f"{FOLDER}/(manifest-[0-9a-f]{{32}}\\.json)")
DEAD_S = 180.0  # six requests, each given up after half a minute (`datasets/storage.py`)
PAUSE_S = (0.2, 1.0)  # by chance: of two that took theirs away one is the first to come back


def replace_manifest(place: Artifacts, former: Manifest | None, manifest: Manifest) -> Manifest:
    """The manifest that counts now: this one, or what has replaced the former one meanwhile.

    Raises: BackupFailed; Unavailable, and then it may count, so it is left beside for the time of its requests.
    """
    seen: dict[str, float] = {}
    while True:
        mine = f"manifest-{uuid4().hex}.json"
        with place.writing(FOLDER, mine) as sink:
            sink.write(manifest.model_dump_json(indent=2).encode())
        others = _beside(place) - {mine}
        there = find_manifest(place)  # after the look at the others: alone, nobody replaces it any more
        if not others and there in (None, former):
            with suppress(Gone):
                place.rename(FOLDER, mine, MANIFEST)
                return manifest
        place.remove(FOLDER, mine)
        if there is not None and there != former:
            return there
        _remove_dead(place, others, seen)
        time.sleep(random.uniform(*PAUSE_S))  # noqa: S311 - keeps no secret


def _beside(place: Artifacts) -> set[str]:
    found = map(BESIDE.fullmatch, place.list_idle(FOLDER, before=math.inf))
    return {match[1] for match in found if match}


def _remove_dead(place: Artifacts, others: set[str], seen: dict[str, float]) -> None:
    """By how long we saw them, not by their age: the place's clock may be another."""
    now = time.monotonic()
    for other in others:
        if now - seen.setdefault(other, now) > DEAD_S:
            place.remove(FOLDER, other)
