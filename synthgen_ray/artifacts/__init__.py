"""Files: datasets, trained models, outputs. A file is whole or it is not there.

Read `base` (what an artifact store does), then `disk` and `object_store` (the two there are), `scratch` and `copies`
(files of this machine alone), `opening` (which of the stores a URL means).
"""

from synthgen_ray.artifacts.base import Artifacts
from synthgen_ray.artifacts.opening import open_artifacts

__all__ = ["Artifacts", "open_artifacts"]
