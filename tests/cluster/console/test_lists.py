"""The lists of models and jobs."""

from playwright.sync_api import expect

from synthgen_ray.client import SynthGen
from tests.cluster.console.steps import PENGUINS, POLL_MS
from tests.console.browser import open_with
from tests.servers import wait_until


def test_a_job_is_found_by_its_status_and_cancelled_from_the_list(
    page, server, client: SynthGen, dataset, given_long_training
):
    training = given_long_training()
    wait_until(lambda: client.get_job(training["job_id"])["status"] == "running", "the training runs")
    open_with(page, server.key, f"#/projects/{dataset['project_id']}/jobs?status=running")

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("The job is cancelled.")).to_be_visible()
    assert client.get_job(training["job_id"])["cancelled"]


def test_models_and_jobs_are_found_by_their_words(page, server, at_rest, client: SynthGen):
    project = client.create_project("Aviary")["id"]
    version = client.upload_dataset(project, "penguins", PENGUINS)["dataset_version_id"]
    for bird in ("auk", "emu", "gull", "jay", "owl", "tit"):
        client.create_model(project, version, bird, "gaussian_copula")
    open_with(page, server.key)
    for tab in ("models", "jobs"):
        page.goto(f"/#/projects/{project}/{tab}")
        shown = page.locator(".list > li")
        expect(shown).to_have_count(6)

        page.get_by_label(f"Search {tab}").fill("OW")

        expect(shown).to_have_count(1)
        expect(shown).to_contain_text("owl")
        expect(page.get_by_text(f"1 of 6 {tab}")).to_be_visible()
        page.get_by_label(f"Search {tab}").fill("ostrich")
        expect(page.get_by_text("Nothing matches.")).to_be_visible()
    page.route("**/api/synthgen/jobs?**", lambda route: route.fulfill(json={**route.fetch().json(), "total": 700}))
    page.reload()
    expect(page.get_by_text("The newest 6 of 700 jobs")).to_be_visible()
    client.delete_project(project, force=True)


def test_the_reports_of_a_model_are_asked_for_by_it(page, server, birds):
    model = birds["birds"].rpartition("/")[2]

    with page.expect_request(f"**/api/reports?entity_id={model}&**"):
        open_with(page, server.key, birds["birds"])

    expect(page.get_by_role("link", name="Report of")).to_have_attribute("href", birds["Real against synthetic"])


class TestLists:
    """They follow what happens elsewhere while something in them goes on."""

    def test_jobs_change_and_come_by_themselves_and_nothing_else_moves(
        self, page, server, client: SynthGen, dataset, given_resting_training, given_long_training
    ):
        training = given_resting_training()
        open_with(page, server.key, f"#/projects/{dataset['project_id']}/jobs")
        line = page.locator(".list > li").first
        expect(line.locator(".badge")).to_have_text("running")
        cancel = line.get_by_role("button", name="Cancel")
        cancel.focus()
        with page.expect_response("**/api/synthgen/jobs?**") as answered:
            pass
        same = answered.value.text()
        page.route("**/api/synthgen/jobs?**", lambda route: route.fulfill(body=same, content_type="application/json"))
        with page.expect_response("**/api/synthgen/jobs?**"):
            pass
        page.evaluate("""() => {
            window.first = document.querySelector('.list > li');
            window.changes = [];
            const all = { childList: true, subtree: true, attributes: true, characterData: true };
            new MutationObserver((some) => window.changes.push(...some)).observe(document.querySelector('main'), all);
        }""")
        for _ in range(2):
            with page.expect_response("**/api/synthgen/jobs?**"):
                pass
        assert page.evaluate("window.changes.length") == 0
        expect(cancel).to_be_focused()
        page.unroute("**/api/synthgen/jobs?**")

        second = given_long_training()
        expect(page.locator(".list > li .badge").nth(1)).to_have_text("running")
        client.cancel_job(training["job_id"])

        expect(page.locator(".list > li .badge").nth(1)).to_have_text("cancelled")
        assert page.evaluate("window.first === document.querySelectorAll('.list > li')[1]")
        expect(page.locator(".list > li").nth(1).get_by_role("link")).to_be_focused()
        assert second["synthgen_job_id"] in page.locator(".list > li a").first.get_attribute("href")

    def test_a_model_ends_by_itself_and_then_nobody_asks_any_more(
        self, page, server, at_rest, client: SynthGen, dataset, given_long_training
    ):
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/models?" in request.url else None)
        training = given_long_training()
        open_with(page, server.key, f"#/projects/{dataset['project_id']}/models")
        badge = page.locator(".list > li .badge").first
        expect(badge).to_have_text("pending")
        client.cancel_job(training["job_id"])
        expect(badge).to_have_text("failed")

        seen_by_then = len(asked)
        page.wait_for_timeout(2 * POLL_MS)
        assert len(asked) == seen_by_then

    def test_a_view_that_was_left_asks_no_more(self, page, server, at_rest, dataset, given_long_training):
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/jobs?" in request.url else None)
        given_long_training()
        open_with(page, server.key, f"#/projects/{dataset['project_id']}/jobs")
        with page.expect_response("**/api/synthgen/jobs?**"):
            pass
        page.get_by_role("link", name="Data", exact=True).click()
        expect(page.get_by_text("Drop a table here")).to_be_visible()

        seen_by_then = len(asked)
        page.wait_for_timeout(2 * POLL_MS)
        assert len(asked) == seen_by_then
