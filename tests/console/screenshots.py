"""`make screenshots`: the console in pictures for the README, on a server of its own, of a table that a package has."""

from pathlib import Path
from tempfile import TemporaryDirectory

import palmerpenguins
from playwright.sync_api import Page

from synthgen_ray.client import SynthGen
from tests.console.browser import a_browser, a_page, open_with
from tests.console.tables import ringed_penguins
from tests.servers import an_up_server, wait_until

DOCS = Path(__file__).parents[2] / "docs"
PENGUINS = Path(palmerpenguins.__file__).parent / "data" / "penguins-raw.csv"
WAIT_MS = 120_000
WELL_ON = "() => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) >= 40"
WATCHED_MS = 20_000  # so that there is something to draw


def main() -> None:
    with an_up_server() as server, server.client() as client, a_browser() as browser:
        project = client.create_project("Antarctica", "What three expeditions counted")["id"]
        dataset = client.upload_dataset(project, "penguins", PENGUINS)
        model = _trained(client, project, dataset["dataset_version_id"])
        report = client.create_report(project, model)["id"]
        client.wait_for_report(report, timeout_s=WAIT_MS / 1000)
        with a_page(browser, server.url, width=1280, height=880) as page:
            open_with(page, server.key, f"#/datasets/{dataset['dataset_id']}")
            _take(page, "columns", "First rows")
            page.goto(f"/#/reports/{report}")
            page.get_by_text("Which columns go together").wait_for(timeout=WAIT_MS)
            page.get_by_text("Nothing that fewer").evaluate("text => text.scrollIntoView()")
            _take(page, "comparison", "Which columns go together")
            _failed(client, project)
            config = {"epochs": 1500, "batch_size": 100, "seed": 1}
            slow = client.create_model(project, dataset["dataset_version_id"], "Penguins, CTGAN", "ctgan", config)
            page.goto(f"/#/models/{slow['id']}")
            page.wait_for_function(WELL_ON, timeout=WAIT_MS)
            _take(page, "training", "Cancel the training")
            page.set_viewport_size({"width": 1280, "height": 1060})
            page.goto("/#/status")
            for kind in ("TVAE", "CopulaGAN"):
                page.wait_for_timeout(WATCHED_MS)
                config = {"epochs": 3000, "early_stop": False}
                order = (dataset["dataset_version_id"], f"Penguins, {kind}", kind.lower(), config)
                client.create_model(project, *order)
            page.wait_for_timeout(WATCHED_MS)
            _take(page, "status", "All is well.")
        with a_page(browser, server.url, width=390, height=844, dark=True) as page:
            open_with(page, server.key, f"#/models/{model}")
            _take(page, "phone", "Draw others", beside="[role=region] td")


def _trained(client: SynthGen, project: str, version: str) -> str:
    model: str = client.create_model(project, version, "Penguins", "gaussian_copula", {"seed": 1, "refine": True})["id"]
    client.wait_for_model(model, timeout_s=WAIT_MS / 1000)
    return model


def _failed(client: SynthGen, project: str) -> None:
    """A generation for which there are not ids enough."""
    with TemporaryDirectory() as folder:
        file = ringed_penguins(Path(folder) / "ringed.parquet")
        version = client.upload_dataset(project, "ringed penguins", file)["dataset_version_id"]
    model = client.create_model(project, version, "Ringed penguins", "gaussian_copula", {"seed": 1})["id"]
    client.wait_for_model(model, timeout_s=WAIT_MS / 1000)
    job = client.generate(model, 1000)["synthgen_job_id"]
    wait_until(lambda: client.get_job(job)["status"] == "failed", "the generation fails")


def _take(page: Page, name: str, awaited: str, beside: str = "h1") -> None:
    page.get_by_text(awaited).first.wait_for(timeout=WAIT_MS)
    page.locator(beside).first.wait_for(timeout=WAIT_MS)
    file = DOCS / f"console-{name}.png"
    page.screenshot(path=file)
    print(f"{file.relative_to(DOCS.parent)}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
