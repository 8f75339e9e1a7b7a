"""The HTTP application, made from a service. Knows nothing of where it runs."""

from collections.abc import Collection, Mapping
from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from synthgen_ray.api import (
    audit,
    console,
    datasets,
    health,
    jobs,
    keys,
    limits,
    model_types,
    models,
    problems,
    projects,
    reports,
    status,
    swagger,
)
from synthgen_ray.api.addresses import ClientAddress, Network
from synthgen_ray.api.auth import OPEN, FindAdmission, KeyGate, RequestId
from synthgen_ray.api.bodies import BodyLimit, StrictJson
from synthgen_ray.api.bugs import Quiet
from synthgen_ray.api.checks import Check, Checks, Component
from synthgen_ray.api.edge import Edge
from synthgen_ray.api.hosts import KnownHosts
from synthgen_ray.api.queries import check_query
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.service.service import Service

ABOUT = """
Send an API key with each call: `Authorization: Bearer KEY`. A refusal is a problem document (RFC 9457): its `code` is
stable, its `detail` says what would be right.

Trainings, generations and reports are jobs: ask for one, then poll it or watch its events, then download what it made.
Lists come by the page (`limit`, `offset`), newest first. A POST that makes something takes an `Idempotency-Key`.
"""
# In the order of the docs.
API = (projects, datasets, model_types, models, jobs, reports, keys, audit, limits, status)
OFTEN_CALLED = (jobs, models)


def create_app(
    service: Service,
    find_admission: FindAdmission,
    checks: Mapping[Component, Check],
    *,
    hosts: Collection[str] = (),
    trusted_proxies: Collection[Network] = (),
    rate_limits: RateLimits = RateLimits(),  # noqa: B008 - frozen
    docs: bool = True,
) -> FastAPI:
    """`find_admission` takes a key's hash. `checks` raise what keeps the server from working.
    `hosts` are the names by which clients may call it, beside the loopback ones. What `trusted_proxies` say in
    X-Forwarded-For is where a request comes from; of all others it is the connection's other end.
    """
    app = Quiet(
        title="SynthGen on Ray",
        summary="Learn a table, generate synthetic rows like it.",
        description=ABOUT,
        version=version("synthgen-ray"),
        docs_url=None,
        openapi_url="/openapi.json" if docs else None,
        openapi_tags=[{"name": name} for module in API for name in module.router.tags],
        redoc_url=None,
        redirect_slashes=False,
        responses={422: {"model": problems.Problem}},
        dependencies=[Depends(check_query)],
        middleware=[
            Middleware(RequestId),
            Middleware(Edge),
            Middleware(KnownHosts, hosts=hosts),
            Middleware(BodyLimit),
            Middleware(ClientAddress, trusted=trusted_proxies),
            Middleware(
                KeyGate,
                find_admission=find_admission,
                open_paths=OPEN | console.PATHS | (swagger.PATHS if docs else frozenset()),
                limits=rate_limits,
            ),
            Middleware(StrictJson),
        ],
    )
    app.state.service = service
    app.state.checks = Checks(checks)
    app.state.rate_limits = rate_limits
    problems.install(app)
    # What is called all the time comes first: an address is looked for among all of them, one by one, by Serve too.
    for module in dict.fromkeys((*OFTEN_CALLED, *API)):
        app.include_router(module.router)
    app.include_router(health.router)
    console.install(app)
    if docs:
        swagger.install(app)
    return app
