"""Artifacts from one store to another."""

import hashlib

from synthgen_ray.artifacts.base import Artifacts
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.domain.errors import Gone


def copy(artifact: Artifact, source: Artifacts, target: Artifacts) -> int:
    """Have an artifact in the target too, and answer how many bytes were written: none where it is there already.

    Raises: Gone, when it is not what was published, and nothing of it is left in the target; Unavailable;
    InsufficientStorage.
    """
    if is_whole(artifact, target):
        return 0
    source.check(artifact)
    digest, start = hashlib.sha256(), 0
    try:
        for part in artifact.parts:
            stop = start + part.size_bytes
            with target.writing(artifact.location, part.name) as sink:
                for block in source.read(artifact, start, stop):
                    digest.update(block)
                    sink.write(block)
            start = stop
        if digest.hexdigest() != artifact.sha256:
            source.refuse(artifact)
    except Gone:
        target.erase(artifact.location)
        raise
    return start


def is_whole(artifact: Artifact, artifacts: Artifacts) -> bool:
    """Whether each of its bytes is there. Raises: Unavailable."""
    try:
        for _ in artifacts.verified(artifact):
            pass
    except Gone:
        return False
    return True
