"""The console in a real browser, on a whole server: from a file to a file, without a line of code."""

import csv
import json
import re

from playwright.sync_api import expect

from synthgen_ray.client import SynthGen
from tests.cluster.console.steps import PENGUINS, command_of, seen, tab_to
from tests.console.browser import open_with


def test_a_table_goes_in_and_a_synthetic_one_comes_out(page, server, tmp_path):
    open_with(page, server.key)
    page.get_by_label("Name").fill("Penguins")
    page.get_by_role("button", name="Make the project").click()
    page.locator("input[type=file]").set_input_files(PENGUINS)
    seen(page, "penguins")
    expect(page.locator(".warning li").first).to_have_text(re.compile("^2 cells of column 'bill_length_mm' are `NA`"))
    page.get_by_label("Kind of year").select_option("categorical")
    expect(page.get_by_text("“year” is learnt as categorical.")).to_be_visible()
    assert '{"year":{"kind":"categorical"}}' in command_of(page, "Correct a kind")

    page.get_by_role("link", name="Train a model").click()
    page.get_by_role("radio", name="Gaussian Copula").check()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("region", name="Synthetic rows").locator("tbody tr")).to_have_count(8)
    page.get_by_text("Conditions", exact=True).click()
    page.get_by_role("button", name="Dream").click()
    expect(page.get_by_role("button", name="Without: island = Dream")).to_be_visible()
    page.get_by_label("Rows", exact=True).fill("123")
    page.get_by_role("button", name="Generate", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 123 rows").click()
    download.value.save_as(tmp_path / "rows.csv")

    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert len(rows) == 123
    assert {row["island"] for row in rows} == {"Dream"}
    assert list(rows[0]) == PENGUINS.read_text().splitlines()[0].split(",")


def test_an_upload_leads_nobody_away_who_went_on(page, server, client: SynthGen):
    held = []
    page.route("**/api/datasets/upload", lambda route: held.append(route))
    open_with(page, server.key, f"#/projects/{client.create_project('Slow lines')['id']}")
    page.locator("input[type=file]").set_input_files(PENGUINS)
    expect(page.get_by_role("progressbar")).to_be_visible()

    page.get_by_role("link", name="Status").click()
    seen(page, "Status")
    held[0].continue_()

    expect(page.get_by_text("penguins.csv is uploaded.")).to_be_visible()
    seen(page, "Status")


def test_the_version_that_is_shown_is_the_one_that_is_learnt(page, server, client: SynthGen):
    project = client.create_project("Two expeditions")["id"]
    dataset = client.upload_dataset(project, "penguins", PENGUINS)["dataset_id"]
    client.upload_dataset(project, "penguins", PENGUINS, dataset_id=dataset)
    open_with(page, server.key, f"#/datasets/{dataset}?version=0")

    page.get_by_role("link", name="Train a model").click()
    expect(page.get_by_text("It learns “penguins”, version 0")).to_be_visible()
    page.get_by_role("radio", name="Gaussian Copula").check()
    page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("link", name="penguins version 0")).to_be_visible()


def test_the_keyboard_alone_leads_from_the_key_to_other_rows(page, server, birds, client: SynthGen):
    page.goto("/")
    tab_to(page, "API key")
    page.keyboard.type(server.key)
    page.keyboard.press("Enter")
    seen(page, "Projects")
    for link in ("Antarctica", "penguins", "Train a model"):
        tab_to(page, link)
        page.keyboard.press("Enter")
        seen(page, link)  # until then the last view stands there, with links of the same names
    tab_to(page, "Gaussian Copula")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="TVAE")).to_be_checked()
    page.keyboard.press("ArrowDown")
    tab_to(page, "Start training")
    page.keyboard.press("Enter")
    rows = page.get_by_role("region", name="Synthetic rows").locator("tbody")
    expect(rows.locator("tr")).to_have_count(8)
    before = rows.inner_text()

    tab_to(page, "Draw others")
    page.keyboard.press("Space")

    expect(rows).not_to_have_text(before, use_inner_text=True)
    client.delete_model(page.url.rpartition("/")[2])


def test_a_report_shows_real_beside_synthetic_and_is_saved_as_a_page(page, server, birds):
    open_with(page, server.key, birds["Real against synthetic"])

    seen(page, "Real against synthetic")
    species = page.locator(".card", has=page.get_by_role("heading", name="species"))
    expect(species.get_by_text("Adelie")).to_be_visible()
    expect(page.get_by_role("img", name="Synthetic: associations of")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it").click()
    assert download.value.suggested_filename.endswith(".html")


def test_rows_that_are_no_longer_kept_are_said_to_be_gone(page, server, birds, client: SynthGen):
    job = client.generate(birds["birds"].rpartition("/")[2], 10)["synthgen_job_id"]
    later = json.dumps({**client.wait_for_job(job), "result": None})
    gone = json.dumps({"code": "artifact_expired", "detail": "The rows are no longer kept: ask again with the seed 7."})
    page.route("**/events", lambda route: route.fulfill(body=f"data: {later}\n\n", content_type="text/event-stream"))
    page.route(
        "**/download", lambda route: route.fulfill(status=410, body=gone, content_type="application/problem+json")
    )

    open_with(page, server.key, f"#/jobs/{job}")

    expect(page.get_by_role("alert")).to_have_text("The rows are no longer kept: ask again with the seed 7.")


def test_a_batch_says_where_its_rows_are_and_each_digit_that_was_asked_for(page, server, birds, client: SynthGen):
    job = client.generate(birds["birds"].rpartition("/")[2], 10)["synthgen_job_id"]
    config = {"output": "s3://bucket/rows", "conditions": {"code": 2**53 + 1}}
    batch = json.dumps({**client.wait_for_job(job), "job_type": "batch", "config": config, "result": None})
    page.route(f"**/jobs/{job}", lambda route: route.fulfill(body=batch, content_type="application/json"))
    page.route("**/events", lambda route: route.fulfill(body=f"data: {batch}\n\n", content_type="text/event-stream"))

    open_with(page, server.key, f"#/jobs/{job}")

    expect(page.get_by_text("Its rows are in s3://bucket/rows.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_text("What was asked for").click()
    expect(page.get_by_text("9007199254740993")).to_be_visible()


def test_a_training_is_seen_to_move_and_can_be_cancelled(page, server, given_long_training):
    model = given_long_training()
    open_with(page, server.key, f"#/models/{model['id']}")
    moved = """since => {
        const told = document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext');
        const epoch = Number(told?.match(/epoch (\\d+)/)?.[1]);
        return epoch > since && epoch;
    }"""

    first = page.wait_for_function(moved, arg=0).json_value()
    expect(page.locator(".head .badge")).to_have_text("training")
    points = page.locator("polyline").first.get_attribute("points")
    page.wait_for_function(moved, arg=first)
    expect(page.locator("polyline").first).not_to_have_attribute("points", points)
    expect(page.get_by_text("left")).to_be_visible()
    page.get_by_role("button", name="Cancel the training").click()

    expect(page.get_by_text("It was cancelled.")).to_be_visible()
    expect(page.locator(".head .badge")).to_have_text("failed")


def test_the_page_of_a_job_says_how_it_is_by_now(page, server, at_rest, given_long_training):
    open_with(page, server.key, f"#/jobs/{given_long_training()['synthgen_job_id']}")
    page.get_by_role("button", name="Cancel the training").click()

    expect(page.locator("main .badge")).to_have_text("cancelled")


def test_a_model_is_deleted_once_it_was_asked_twice(page, server, birds, client: SynthGen):
    dataset = client.get_dataset(birds["penguins"].rpartition("/")[2])
    version, project = dataset["dataset_version_id"], dataset["project_id"]
    model = client.create_model(project, version, "short-lived", "gaussian_copula")["id"]
    client.wait_for_model(model, timeout_s=120)
    open_with(page, server.key, f"#/models/{model}")

    page.get_by_role("button", name="Delete the model").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("button", name="Delete the model")).to_be_focused()
    assert client.get_model(model)["model"]["status"] == "ready"
    page.get_by_role("button", name="Delete the model").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the model").click()

    expect(page.get_by_text("“short-lived” is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="birds")).to_be_visible()
    expect(page.get_by_role("link", name="short-lived")).to_have_count(0)
