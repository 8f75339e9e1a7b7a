"""Each machine drops what nobody on it will use again, as old copies of files that were erased: the dispatcher looks
after its own alone."""

import logging
import threading
import time

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import SynthGenError, frames_of

log = logging.getLogger(__name__)
EVERY_S = 60.0


def tidy(artifacts: Artifacts) -> None:
    """On this machine, now. Nothing that goes wrong here is the fault of who comes to work on it."""
    try:
        artifacts.tidy_machine()
    except (OSError, SynthGenError) as error:
        log.warning("this machine's copies and temporary files cannot be tidied: %s", frames_of(error))


def keep_tidy(artifacts: Artifacts) -> None:
    """On this machine, for as long as this process lives."""

    def rounds() -> None:
        while True:
            tidy(artifacts)
            time.sleep(EVERY_S)

    threading.Thread(target=rounds, name="tidying", daemon=True).start()
