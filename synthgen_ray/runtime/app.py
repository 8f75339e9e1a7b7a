"""The Serve application: HTTP ingress and samplers. `serve run synthgen_ray.runtime.app:app` starts it alone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle

from synthgen_ray.api.app import create_app
from synthgen_ray.api.checks import Check, Component
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.runtime.actors import check_dispatcher, dispatcher, metadata_store, nudge
from synthgen_ray.runtime.backpressure import MAX_ONGOING
from synthgen_ray.runtime.capacity import plan_workers
from synthgen_ray.runtime.flow import WaitsForReader
from synthgen_ray.runtime.listening import LOOPBACK, check_host, listen_beside_node
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.metrics import damaged_files
from synthgen_ray.runtime.names import SAMPLER
from synthgen_ray.runtime.nodes import KnownCluster
from synthgen_ray.runtime.receiving import fetch_when_read
from synthgen_ray.runtime.samplers import OnlineDraws
from synthgen_ray.runtime.stored import artifacts_of
from synthgen_ray.service.models import CheckResources
from synthgen_ray.service.service import Service
from synthgen_ray.settings import Settings

log = logging.getLogger(__name__)

# Serve learns of a replica's death when it looks at it next, and by default looks every ten seconds.
HEALTH_CHECK_S = 1.0
# More than are ever sent: a sampler has its own order of who waits, where parts of files leave room for the others.
SAMPLER_ONGOING = 1000
# Samplings at a time, beyond which there are to be more samplers. Of those that take all CPUs of their nodes nobody
# knows how many these are, and nodes differ: one too many has little to do, one too few would keep people waiting.
LEAST_AT_ONCE = 2
# First starts that may fail. An ingress fails for its settings, and who deploys is to hear of it; a sampler fails for
# what is around it, which passes.
INGRESS_STARTS, SAMPLER_STARTS = 3, 1_000_000
# What passes around an ingress each of its starts waits for: a database that is away, or is not there yet. Serve gives
# up within a minute otherwise, and KubeRay does not deploy once more what it has deployed.
AWAY_S, AGAIN_S = 180.0, 5.0


@serve.ingress()
class Api:
    """The HTTP ingress. Keeps nothing: any number of replicas agree."""

    async def __init__(self, settings: Settings, sampler: DeploymentHandle) -> None:  # type: ignore[misc]
        write_logs(settings.log_format)
        listen_beside_node()
        fetch_when_read()
        check_host(await asyncio.to_thread(_listening), allow_remote=settings.allow_remote)
        try:
            dispatcher()
        except ValueError:  # `serve run` and `serve deploy` come without what `synthgen up` starts
            from synthgen_ray.runtime.bootstrap import bootstrap

            await once_there(lambda: bootstrap(settings))
        self._settings = settings
        self._sampler = sampler

    def __serve_build_asgi_app__(self) -> FastAPI:
        settings = self._settings
        store = metadata_store()
        dispatcher_actor = dispatcher()
        artifacts = artifacts_of(settings)
        damaged_files()

        checks: dict[Component, Check] = {
            Component.STORE: store.ping,
            Component.ARTIFACTS: lambda: asyncio.to_thread(artifacts.check_writable),
            Component.DISPATCHER: lambda: check_dispatcher(dispatcher_actor),
        }

        converter = Converter(UploadLimits(**settings.upload.model_dump()))
        service = Service(
            store,
            artifacts,
            nudge(dispatcher_actor),
            converter,
            OnlineDraws(self._sampler, settings.sampler.max_queued).chunks,
            settings.allowed_uris,
            resources_check(settings),
            settings.sampler.max_rows,
        )
        app = create_app(
            service,
            store.find_admission,
            checks,
            hosts=[settings.host, *settings.allowed_hosts],
            trusted_proxies=settings.trusted_proxies,
            rate_limits=RateLimits(**settings.rate_limits.model_dump()),
            docs=settings.docs,
        )
        app.add_middleware(WaitsForReader)
        return app


def resources_check(settings: Settings) -> CheckResources:
    """Belongs to an event loop. Raises: InvalidRequest, for more than there is; Unavailable, when nobody says what."""
    known_cluster = KnownCluster()

    async def check(model_type: ModelType, resources: Resources) -> int:
        cluster = await known_cluster.known()
        if not cluster.nodes:
            raise Unavailable("Ray's head does not say what the cluster has; try again.", "unavailable")
        return plan_workers(model_type, resources, cluster, settings).count

    return check


async def once_there(start: Callable[[], Awaitable[None]]) -> None:
    """Raises: Unavailable, when what it needs stays away; what it raises besides."""
    give_up = time.monotonic() + AWAY_S
    while True:
        try:
            return await start()
        except Unavailable as error:
            if time.monotonic() >= give_up:
                raise
            log.warning("what the server needs to start is away, and is waited for: %s", error.detail)
        await asyncio.sleep(AGAIN_S)


def _listening() -> str:
    """Where Serve's proxies do, which `serve deploy` is told beside the settings."""
    host: str | None = serve.context._get_global_client().http_config.host
    return host or LOOPBACK


def app(settings: Settings) -> serve.Application:
    """The application with these settings; the target of `serve run` and `serve deploy`.

    Raises: StartFailed, for an address that the settings do not allow.
    """
    check_host(settings.host, allow_remote=settings.allow_remote)
    # Here, so that the ingress does without what a sampler needs in memory.
    from synthgen_ray.runtime.sampler import Sampler

    sampler = serve.deployment(
        Sampler,
        name=SAMPLER,
        autoscaling_config={
            "min_replicas": settings.sampler.min_replicas,
            "initial_replicas": settings.sampler.min_replicas,
            "max_replicas": settings.sampler.max_replicas,
            "target_ongoing_requests": max(LEAST_AT_ONCE, settings.sampler.threads or 0),
            "upscale_delay_s": 2,
            "downscale_delay_s": settings.sampler.idle_s,
        },
        max_ongoing_requests=SAMPLER_ONGOING,
        max_queued_requests=-1,  # without end: what was accepted, a job or an answer that has begun, waits for its turn
        max_constructor_retry_count=SAMPLER_STARTS,
        health_check_period_s=HEALTH_CHECK_S,
        ray_actor_options={
            "num_cpus": settings.sampler.num_cpus,
            "num_gpus": settings.sampler.num_gpus,
            "label_selector": {} if settings.sampler.num_gpus else settings.label_selector,
        },
    ).bind(artifacts_of(settings), settings.sampler, settings.log_format)
    ingress = serve.deployment(
        Api,
        name="Api",
        num_replicas=settings.ingress.replicas,
        max_ongoing_requests=MAX_ONGOING,
        max_queued_requests=MAX_ONGOING,  # of probes, which have no other limit
        backpressure_config={"status_code": 429, "retry_after_s": 1},
        max_constructor_retry_count=INGRESS_STARTS * settings.ingress.replicas,
        health_check_period_s=HEALTH_CHECK_S,
        ray_actor_options={"num_cpus": settings.ingress.num_cpus, "label_selector": settings.label_selector},
    )
    return ingress.bind(settings, sampler)
