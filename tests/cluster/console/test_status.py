"""The operator's page: how the server is, by itself."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from synthgen_ray.client import SynthGen
from tests.cluster.console.steps import seen
from tests.console.browser import open_with
from tests.console.tables import ringed_penguins


def section(page: Page, title: str) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True))


def verdict(page: Page) -> Locator:
    return page.locator("main").get_by_role("status").first


def test_a_training_is_seen_to_run_and_to_end_and_a_failure_says_why(
    page, server, client: SynthGen, dataset, given_resting_training, tmp_path
):
    training = given_resting_training()
    open_with(page, server.key)
    page.get_by_role("link", name="Status").click()
    seen(page, "Status")

    expect(verdict(page)).to_have_text("All is well.")
    expect(page.get_by_role("list", name="Parts of the server").get_by_text("works", exact=True)).to_have_count(3)
    link = page.locator(f"a[href='#/jobs/{training['synthgen_job_id']}']")
    line = section(page, "Runs now").locator("li").filter(has=link)
    expect(line.get_by_role("progressbar")).to_have_attribute("aria-valuetext", re.compile("epoch"))
    expect(section(page, "While you look").get_by_role("img", name="1 running")).to_be_visible()
    client.cancel_job(training["job_id"])
    expect(line).to_have_count(0)

    birds = client.upload_dataset(dataset["project_id"], "ringed", ringed_penguins(tmp_path / "ringed.parquet"))
    order = (dataset["project_id"], birds["dataset_version_id"], "ringed", "gaussian_copula")
    model = client.create_model(*order)["id"]
    client.wait_for_model(model, timeout_s=120)
    client.generate(model, 1000)
    failed = section(page, "Failed last").locator("li").first
    expect(failed).to_contain_text("its type int8 holds no further ids")
    expect(failed).to_contain_text("ids_exhausted")
    failed.get_by_role("link", name="Generate: ringed").click()
    seen(page, "Generate: ringed")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda route: route.abort(), id="refuses", marks=pytest.mark.nightly),
        pytest.param(lambda _: None, id="hangs"),
    ],
)
def test_a_server_that_falls_silent_is_told_of_and_its_return_too(page, server, act):
    open_with(page, server.key, "#/status")
    expect(verdict(page)).to_have_text("All is well.")

    page.route("**/api/status", act)
    expect(verdict(page)).to_contain_text("The server does not answer.")
    expect(verdict(page)).to_contain_text("synthgen doctor")
    expect(page.get_by_text("not known", exact=True)).to_have_count(3)
    page.unroute("**/api/status")

    expect(verdict(page)).to_have_text("All is well.")


@pytest.mark.parametrize("bound", [False, True], ids=["a viewer", "an admin of one project"])
def test_who_may_not_see_it_is_told_why(page, client: SynthGen, birds, bound):
    project = birds["Antarctica"].rpartition("/")[2]
    key = client.create_key("k", "admin", [project]) if bound else client.create_key("k", "viewer")
    open_with(page, key["key"], "#/status")

    why = "This needs a key that is not bound to projects." if bound else "This needs an admin key; this one is viewer."
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_role("alert")).to_contain_text("Ask whoever runs the server")
