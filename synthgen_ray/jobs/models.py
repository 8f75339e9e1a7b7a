"""A trained model from the artifact that a training left."""

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.synthesizers.base import Synthesizer, load


def load_model(source: Artifact, artifacts: Artifacts) -> Synthesizer:
    """Raises: Gone, when its file is not the one that was published; JobError, for one that is damaged; Unavailable."""
    with artifacts.verified_file(source) as file:
        return load(file)
