"""Models, and jobs of theirs."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import MODEL_FILE, Artifact, Job, Model, Page, TrainedModel
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import GenerateParams, ImputeParams, ModelType, Resources
from synthgen_ray.domain.validation import check_workers, parse_train_params
from synthgen_ray.service.files import Files
from synthgen_ray.service.queued import log_queued
from synthgen_ray.synthesizers.inspection import Inspector

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

CheckResources = Callable[[ModelType, Resources], Awaitable[int]]


class Models(Files):
    _store: "Store"
    _nudge: Callable[[], None]
    _check_resources: CheckResources
    _inspector: Inspector

    async def create_model(
        self,
        principal: Principal,
        project_id: UUID,
        dataset_version_id: UUID,
        name: str,
        model_type: ModelType,
        config: Mapping[str, Any],
        resources: Resources,
        once: Once | None = None,
    ) -> Made[Job]:
        """Make a model and queue its training. Once this returns both exist.

        Raises: InvalidRequest, for the config or resources; NotFound; InvalidTable, with too few rows to learn from.
        """
        params = parse_train_params(model_type, config)
        check_workers(params, resources.num_workers or 1)
        try:
            check_workers(params, await self._check_resources(model_type, resources))
        except InvalidRequest:
            # The cluster or a setting may be another by now; what was made before is answered all the same.
            before = await self._made_before(self._store.find_made_job, principal, once)
            if before is None:
                raise
            return before
        made = await self._store.create_model(
            principal, project_id, dataset_version_id, name, model_type, params, resources, once
        )
        log_queued(made)
        self._nudge()
        return made

    async def list_models(self, principal: Principal, project_id: UUID | None, limit: int, offset: int) -> Page[Model]:
        return await self._store.list_models(principal, project_id, limit, offset)

    async def get_model(self, principal: Principal, model_id: UUID) -> tuple[Model, tuple[Job, ...]]:
        return await self._store.get_model(principal, model_id)

    async def get_trained(self, principal: Principal, model_id: UUID) -> tuple[Model, Artifact]:
        """A ready model and its file."""
        return await self._store.get_trained(principal, model_id)

    async def import_model(
        self, principal: Principal, project_id: UUID, name: str, file: Path, once: Once | None = None
    ) -> Made[Model]:
        """Take in a model that was exported, here or elsewhere.

        Raises: NotFound, for the project; InvalidRequest, for anything but a sound model file.
        """
        if before := await self._made_before(self._store.find_made_model, principal, once):  # whatever the quota is now
            return before
        await self._store.require_upload_target(principal, project_id, None)
        facts = await self._inspector.inspect(file)
        artifact = await self.aside(self._publish, file, f"models/{uuid4()}", MODEL_FILE, 0)
        trained = TrainedModel(artifact, facts.columns, facts.chunk_rows)
        call = self._store.add_trained_model(principal, project_id, name, facts.model_type, facts.config, trained, once)
        return await self._made_of(artifact, call)

    async def delete_model(self, principal: Principal, model_id: UUID) -> None:
        await self._store.delete_model(principal, model_id)
        self._nudge()

    async def generate(
        self, principal: Principal, model_id: UUID, params: GenerateParams, once: Once | None = None
    ) -> Made[Job]:
        """Queue a generation. Once this returns the job exists, whether or not the nudge arrives."""
        made = await self._store.enqueue_generate(principal, model_id, params, once)
        log_queued(made)
        self._nudge()
        return made

    async def impute(
        self, principal: Principal, model_id: UUID, params: ImputeParams, once: Once | None = None
    ) -> Made[Job]:
        """Queue a generation whose rows are a table's, with its missing cells filled."""
        made = await self._store.enqueue_impute(principal, model_id, params, once)
        log_queued(made)
        self._nudge()
        return made
