"""Replicas that keep trained models in memory and draw rows from them."""

import asyncio
import sys
from collections.abc import Mapping
from functools import partial

from ray import serve

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Draw, Job, Part
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.params import ModelType
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.model_cache import ModelCache
from synthgen_ray.jobs.models import load_model
from synthgen_ray.jobs.online import encoded_chunk
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.runtime.listening import listen_beside_node
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.metrics import SamplerMetrics
from synthgen_ray.runtime.nodes import cpus_here
from synthgen_ray.runtime.raising import raises_no_data
from synthgen_ray.runtime.tidying import keep_tidy
from synthgen_ray.runtime.turns import Turns
from synthgen_ray.settings import LogFormat, SamplerSettings
from synthgen_ray.synthesizers.base import Synthesizer, synthesizer_class
from synthgen_ray.synthesizers.numerics.threads import compute_with

FEW = 500  # rows
SECONDS_OF_THE_INTERPRETER = 0.001  # that a thread may keep others waiting for it, by default as long as a chunk takes
MODELS_ANNOUNCED = 64  # by which Serve sends a model's calls to a replica that had it lately


class Sampler:
    """Draws rows from trained models. A replica keeps those that it was asked for last."""

    def __init__(self, artifacts: Artifacts, settings: SamplerSettings, log_format: LogFormat) -> None:
        write_logs(log_format)
        listen_beside_node()
        self._metrics = SamplerMetrics()
        self._artifacts = artifacts
        keep_tidy(artifacts)
        self._models = ModelCache(self._load, settings.models_mb * 2**20)
        self._turns = Turns(settings.threads or cpus_here())
        sys.setswitchinterval(SECONDS_OF_THE_INTERPRETER)

    @serve.multiplexed(max_num_models_per_replica=MODELS_ANNOUNCED)
    async def _announce(self, model_id: str) -> str:
        """For the routing alone: Serve's cache counts models, and lets one go before the next has loaded."""
        return model_id

    @raises_no_data
    async def write_part(self, assignment: Assignment, plan: PartPlan) -> Part:
        """Write some rows of a generation, or of a table to fill."""
        with about(job_id=assignment.job.id, model_id=assignment.job.model_id):
            model = await self._model(assignment.source)
            return await self._turns.part(partial(write_part, model, assignment, plan, self._artifacts))

    @raises_no_data
    async def draw(self, draw: Draw, index: int, subject: Mapping[str, str | None]) -> bytes:
        """Some rows that somebody waits for; lines here are about what his are."""
        with about(**subject):
            model = await self._model(draw.source)
            _, num_rows = draw.chunks[index]
            asks = draw.params.conditions or draw.params.distribution  # which may take long, however few rows
            is_brief = num_rows <= FEW and not asks
            rows = await self._turns.rows(partial(encoded_chunk, model, draw, index), brief=is_brief)
        self._metrics.rows.add(num_rows, way="online")
        return rows

    async def check_health(self) -> None:
        """Serve asks each second. Ray forgets the figure of a gauge that nobody sets for twenty."""
        self._metrics.holds(self._models.num_bytes)

    async def wake(self, model_type: ModelType) -> None:
        """Import what draws from such models."""
        await asyncio.to_thread(self._imported, model_type)

    async def turns(self) -> int:
        """Samplings at a time."""
        return self._turns.count

    async def forget(self, folders: tuple[str, ...]) -> None:
        """Let models go whose files were erased."""
        self._models.forget(folders)

    @raises_no_data
    async def publish(self, job: Job, parts: list[Part]) -> Artifact:
        with about(job_id=job.id, model_id=job.model_id):
            return await self._turns.aside(partial(publish, job, parts, self._artifacts))

    async def _model(self, source: Artifact) -> Synthesizer:
        self._metrics.hits.add(source in self._models)
        model = await self._models.get(source)
        await self._announce(str(source.id))
        return model

    def _imported(self, model_type: ModelType) -> None:
        compute_with(1)
        synthesizer_class(model_type)

    def _load(self, source: Artifact) -> Synthesizer:
        compute_with(1)
        model = load_model(source, self._artifacts)
        self._metrics.loads.add()
        return model
