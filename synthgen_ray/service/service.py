"""The use cases, one method each. No web, no Ray: what the API, a script or a test may ask for.

Who asks comes first: the store shows a principal its own projects, and what is not there to it is not found.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.service.audit import Audits
from synthgen_ray.service.datasets import Datasets
from synthgen_ray.service.jobs import Jobs
from synthgen_ray.service.keys import Keys
from synthgen_ray.service.looks import Looks
from synthgen_ray.service.models import CheckResources, Models
from synthgen_ray.service.projects import Projects
from synthgen_ray.service.reports import Reports
from synthgen_ray.service.sampling import DrawChunks, Sampling
from synthgen_ray.service.status import Statuses
from synthgen_ray.service.together import Together
from synthgen_ray.synthesizers.inspection import Inspector

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

STORAGE_THREADS = 32  # each is made when it is needed


async def _any_resources(_: ModelType, resources: Resources) -> int:
    return resources.num_workers or 1


class Service(Projects, Datasets, Models, Sampling, Jobs, Reports, Keys, Audits, Statuses):
    """`nudge` tells the dispatcher that there is work; it may be lost without harm. `draw` has rows drawn at once,
    `max_sample_rows` at most. Tables may be fetched from under `allowed_uris`. `check_resources` says how many workers
    a training gets, and raises InvalidRequest for what none can ever get."""

    def __init__(
        self,
        store: "Store",
        artifacts: Artifacts,
        nudge: Callable[[], None],
        converter: Converter,
        draw: DrawChunks,
        allowed_uris: Sequence[str] = (),
        check_resources: CheckResources = _any_resources,
        max_sample_rows: int = 100_000,
    ) -> None:
        self._store = store
        self._looks = Looks(store.find_jobs)
        self._admissions = Together(store.admit_draws)
        self._returns = Together(store.give_back)
        self._artifacts = artifacts
        self._nudge = nudge
        self._converter = converter
        self._inspector = Inspector(converter.limits)
        self._allowed_uris = allowed_uris
        self._storage = ThreadPoolExecutor(STORAGE_THREADS, "storage")
        self._fetching = ThreadPoolExecutor(converter.limits.max_running, "fetch")
        self._check_resources = check_resources
        self._draw = draw
        self._lately = {}
        self._returning = set()
        self.max_sample_rows = max_sample_rows
