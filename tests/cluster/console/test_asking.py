"""What may be asked of a model by clicks, and the curl command of each action."""

import csv
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import ClassVar

from playwright.sync_api import expect

from synthgen_ray.client import SynthGen
from tests.cluster.console.steps import command_of, sampled, seen
from tests.console.browser import open_with


def generated(client: SynthGen, birds: dict[str, str], folder: Path) -> list[dict[str, str]]:
    """The rows of the model's last generation."""
    jobs = client.list_jobs(model_id=birds["birds"].rpartition("/")[2])["items"]
    job = next(job for job in jobs if job["job_type"] == "generate")
    return list(csv.DictReader(client.download(job["id"], folder / "rows.csv").read_text().splitlines()))


class TestConditions:
    def test_missing_is_a_value_to_ask_for_and_any_of_several_too(
        self, page, server, birds, client: SynthGen, tmp_path
    ):
        sampled(page, server, birds)
        missing = page.get_by_role("button", name="of bill_length_mm")
        missing.click()
        expect(page.get_by_role("button", name="Without: bill_length_mm is missing")).to_be_visible()
        expect(missing).to_have_attribute("aria-pressed", "true")
        expect(missing).to_be_focused()
        page.get_by_role("button", name="Dream").click()
        page.get_by_role("button", name="Biscoe").click()
        page.get_by_label("body_mass_g, from").fill("4000")
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_role("button", name="Download 1,000 rows")).to_be_visible()

        rows = generated(client, birds, tmp_path)
        assert {row["bill_length_mm"] for row in rows} == {""}
        assert {row["island"] for row in rows} == {"Dream", "Biscoe"}
        assert min(float(row["body_mass_g"]) for row in rows) >= 4000
        page.get_by_label("bill_length_mm, from").fill("40")
        page.get_by_label("bill_length_mm, to").fill("41")
        page.get_by_label("bill_length_mm, to").press("Enter")
        expect(page.get_by_role("button", name="Without: bill_length_mm from 40 to 41")).to_be_visible()
        expect(missing).to_have_attribute("aria-pressed", "false")

    def test_a_first_try_that_failed_is_made_again_with_all_that_it_shows(self, page, server, birds):
        busy = json.dumps({"code": "busy", "detail": "The samplers have more to do than they can: try again soon."})
        page.route(
            "**/sample",
            lambda route: route.fulfill(status=503, body=busy, content_type="application/problem+json"),
            times=1,
        )
        open_with(page, server.key, birds["birds"])
        expect(page.get_by_role("alert")).to_contain_text("try again soon")

        page.get_by_role("button", name="Draw others").click()
        page.get_by_text("Conditions", exact=True).click()

        expect(page.get_by_role("button", name="Dream")).to_be_visible()

    def test_shares_of_values_are_set_and_must_add_up(self, page, server, birds, client: SynthGen, tmp_path):
        sampled(page, server, birds)
        page.get_by_role("button", name="Set shares of island").click()
        page.get_by_label("Share of Dream in per cent").fill("70")
        page.get_by_label("Share of Biscoe in per cent").fill("20")
        page.get_by_label("Share of Torgersen in per cent").fill("5")
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text(
            "The shares of “island” add up to 95 %; they must add up to 100 %."
        )

        page.get_by_label("Share of Torgersen in per cent").fill("10")
        expect(page.get_by_text("Sum: 100 %.")).to_be_visible()
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_role("button", name="Download 1,000 rows")).to_be_visible()

        counts = Counter(row["island"] for row in generated(client, birds, tmp_path))
        assert counts == {"Dream": 700, "Biscoe": 200, "Torgersen": 100}
        page.reload()
        expect(page.get_by_label("Share of Dream in per cent")).to_have_value("70")
        assert '"distribution":{"island":{' in command_of(page, "Generate")
        page.get_by_role("button", name="Without: island").click()
        expect(page.get_by_role("button", name="Set shares of island")).to_be_visible()


def test_the_sample_shows_and_asks_for_each_digit_and_tells_an_empty_text_from_a_missing_one(page, server, birds):
    rows = '[{"account": "none", "note": "", "gap": null}, {"account": 9007199254740993, "note": "", "gap": null}]'
    page.route("**/sample", lambda route: route.fulfill(body=rows, content_type="application/json"))

    open_with(page, server.key, birds["birds"])
    page.get_by_text("Conditions", exact=True).click()
    page.get_by_role("button", name="9007199254740993").click()

    cells = page.get_by_role("region", name="Synthetic rows").locator("tbody td")
    expect(cells).to_have_text(["none", "empty", "missing", "9007199254740993", "empty", "missing"])
    expect(page.get_by_role("button", name="Without: account = 9007199254740993")).to_be_visible()
    assert '"conditions":{"account":9007199254740993}' in command_of(page, "Generate")


class TestCommands:
    ACTIONS: ClassVar = {
        "Projects": {"Make the project": "-X POST"},
        "Antarctica": {"Upload a table": "/api/datasets/upload"},
        "penguins": {"Correct a kind": "-X PATCH", "Download the table": "/download?format=csv&version=0"},
        "Train a model": {"Start training": "/api/synthgen/models'"},
        "birds": {
            "Draw others": "/sample",
            "Generate": "/generate",
            "Make a report": "/api/reports",
            "Export the model": "/export",
        },
        "Real against synthetic": {"Save it": "/download"},
        "Status": {"Show the status": "/api/status'"},
    }

    def test_each_action_has_one_beside_it(self, page, server, birds):
        open_with(page, server.key)
        for title, actions in self.ACTIONS.items():
            page.goto(f"/{birds[title]}")
            seen(page, title)
            for action, part in actions.items():
                assert part in command_of(page, action)
        assert server.key not in page.content()

    def test_a_deletion_has_it_where_it_is_asked_again(self, page, server, birds):
        open_with(page, server.key)
        for title, what in (("Antarctica", "project"), ("penguins", "table"), ("birds", "model")):
            page.goto(f"/{birds[title]}")
            page.get_by_role("button", name=f"Delete the {what}").click()

            ident = birds[title].rpartition("/")[2]
            told = command_of(page, f"Delete the {what}")
            assert "-X DELETE" in told
            assert ident in told
            page.get_by_role("button", name="Keep it").click()

    def test_a_job_that_runs_has_that_of_its_cancelling(self, page, server, client: SynthGen, given_long_training):
        training = given_long_training()
        open_with(page, server.key, f"#/models/{training['model_id']}")

        command = command_of(page, "Cancel the training").replace("$SYNTHGEN_API_KEY", server.key)
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)

        expect(page.get_by_text("It was cancelled.")).to_be_visible()
