"""A browser, and a project to look at: all on the server of `tests/cluster`."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from synthgen_ray.client import ApiError, SynthGen
from tests.cluster.conftest import LONG
from tests.cluster.console.steps import PENGUINS, SLOW_MS, OpenPage
from tests.console.browser import a_browser, a_page
from tests.servers import UpServer, standing_still, wait_until


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=SLOW_MS)  # other tests keep the machine busy
    with a_browser() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, server: UpServer) -> OpenPage:
    return lambda **look: a_page(browser, server.url, **look)


@pytest.fixture
def page(opened: OpenPage) -> Iterator[Page]:
    with opened() as page:
        page.set_default_timeout(SLOW_MS)
        yield page


@pytest.fixture(scope="package")
def birds(server: UpServer, browser: Browser) -> dict[str, str]:
    """A project with a table, a ready model and its report, by their addresses in the console."""
    with server.client() as client:
        project = client.create_project("Antarctica")["id"]
        dataset = client.upload_dataset(project, "penguins", PENGUINS)
        config = {"seed": 1, "min_category_count": 2}  # two of the penguins were not measured
        model = client.create_model(project, dataset["dataset_version_id"], "birds", "gaussian_copula", config)["id"]
        client.wait_for_model(model, timeout_s=120)
        report = client.create_report(project, model)["id"]
        client.wait_for_report(report, timeout_s=120)
    table = f"#/datasets/{dataset['dataset_id']}"
    return {
        "Projects": "#/",
        "Antarctica": f"#/projects/{project}",
        "penguins": table,
        "Train a model": f"{table}/train",
        "birds": f"#/models/{model}",
        "Real against synthetic": f"#/reports/{report}",
        "Status": "#/status",
    }


@pytest.fixture
def at_rest(server: UpServer) -> Iterator[None]:
    """Nobody claims a job: they wait in their lines and take no CPU from who looks at them."""
    with standing_still(server.processes("ray::DispatcherActor")):
        yield


@pytest.fixture
def given_long_training(client: SynthGen, given_training):
    """Trainings that go on until the test is over, and no longer: the next one needs their place."""
    started: list[str] = []

    def given() -> dict[str, Any]:
        training = given_training(config=LONG)
        started.append(training["job_id"])
        return training

    yield given
    for job in started:
        with contextlib.suppress(ApiError):
            client.cancel_job(job)


@pytest.fixture
def given_resting_training(client: SynthGen, server: UpServer, given_long_training):
    """One that runs, as everybody is told, while its process stands still: it takes no CPU from who looks at it."""
    with contextlib.ExitStack() as resting:

        def given() -> dict[str, Any]:
            training = given_long_training()
            wait_until(lambda: client.get_job(training["job_id"])["progress"] > 0, "the training runs")
            resting.enter_context(standing_still(server.processes("ray::train ")))
            return training

        yield given
