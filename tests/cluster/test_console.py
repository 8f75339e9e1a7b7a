"""The console in a real browser, on a whole server: from a file to a file, without a line of code."""

import contextlib
import csv
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import palmerpenguins
import pytest
from playwright.sync_api import Browser, Page, expect

from synthgen_ray.client import ApiError, SynthGen
from tests.cluster.conftest import LONG
from tests.console.browser import a_browser, a_page, findings, open_with
from tests.servers import UpServer, wait_until

PENGUINS = Path(palmerpenguins.__file__).parent / "data" / "penguins.csv"
HOSTILE_REPORT = """<!doctype html><h1>Hello</h1>
<script>parent.hurt = 1</script><script src="/console/js/main.js"></script><img src="x" onerror="parent.hurt = 1">
<iframe srcdoc="<script>top.hurt = 1</script>"></iframe><iframe src="/api/projects"></iframe>
<form action="/api/projects" method="post"><button>Send</button></form>
<a href="/" target="_top">Top</a> <a href="javascript:parent.hurt = 1">Run</a>"""
HOSTILE = '<img src=x onerror="window.hurt=1">'
SLOW_MS = 60_000
POLL_MS = 3_000  # as in polling.js


class OpenPage(Protocol):
    def __call__(self, **look: Any) -> AbstractContextManager[Page]: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
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


@pytest.fixture(scope="module")
def birds(server: UpServer, browser: Browser) -> dict[str, str]:
    """A project with a table, a ready model and its report, by their addresses in the console."""
    with server.client() as client:
        project = client.create_project("Antarctica")["id"]
        dataset = client.upload_dataset(project, "penguins", PENGUINS)
        model = client.create_model(project, dataset["dataset_version_id"], "birds", "gaussian_copula", {"seed": 1})[
            "id"
        ]
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
    }


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


def seen(page: Page, title: str) -> None:
    """The view with this title, with all that it fetches."""
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[aria-busy]")).to_have_count(0, timeout=SLOW_MS)


def tab_to(page: Page, name: str) -> None:
    """By the keyboard alone, to what is called so; where the focus is can be seen."""
    target = page.locator("a, button, input, select, summary").filter(has_text=name).or_(page.get_by_label(name)).first
    expect(target).to_be_visible(timeout=SLOW_MS)
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            break
    expect(target).to_be_focused(timeout=1)
    assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid", name


def command_of(page: Page, action: str) -> str:
    """The curl command that stands beside an action."""
    command = page.locator("details.curl").filter(has=page.get_by_text(re.compile(f": {action}$")))
    command.locator("summary").click()
    expect(command.locator("pre")).to_contain_text("$SYNTHGEN_API_KEY")
    return command.locator("pre").inner_text()


def sampled(page: Page, server: UpServer, birds: dict[str, str]) -> None:
    """A ready model with its sample, and what may be asked of it."""
    open_with(page, server.key, birds["birds"])
    expect(page.get_by_role("region", name="Synthetic rows").locator("tbody tr")).to_have_count(8, timeout=SLOW_MS)
    page.get_by_text("Conditions", exact=True).click()


def report_page(page: Page, server: UpServer, birds: dict[str, str]) -> None:
    """The report in the page around it, in a tab that has the key."""
    open_with(page, server.key)
    page.goto(f"/console/report#{birds['Real against synthetic'].rpartition('/')[2]}")
    page.frame_locator("iframe").get_by_role("heading", level=1).wait_for(timeout=SLOW_MS)


def generated(client: SynthGen, birds: dict[str, str], folder: Path) -> list[dict[str, str]]:
    """The rows of the model's last generation."""
    jobs = client.list_jobs(model_id=birds["birds"].rpartition("/")[2])["items"]
    job = next(job for job in jobs if job["job_type"] == "generate")
    return list(csv.DictReader(client.download(job["id"], folder / "rows.csv").read_text().splitlines()))


def test_a_table_goes_in_and_a_synthetic_one_comes_out(page, server, tmp_path):
    open_with(page, server.key)
    page.get_by_label("Name").fill("Penguins")
    page.get_by_role("button", name="Make the project").click()
    page.locator("input[type=file]").set_input_files(PENGUINS)
    seen(page, "penguins")
    expect(page.locator(".warning li").first).to_have_text(re.compile("^2 cells of column 'bill_length_mm' are blank"))
    page.get_by_label("Kind of year").select_option("categorical")
    expect(page.get_by_text("“year” is learnt as categorical.")).to_be_visible()
    assert '{"year":{"kind":"categorical"}}' in command_of(page, "Correct a kind")

    page.get_by_role("link", name="Train a model").click()
    page.get_by_role("radio", name="Gaussian Copula").check()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("region", name="Synthetic rows").locator("tbody tr")).to_have_count(8, timeout=SLOW_MS)
    page.get_by_text("Conditions", exact=True).click()
    page.get_by_role("button", name="Dream").click()
    expect(page.get_by_role("button", name="Without: island = Dream")).to_be_visible()
    page.get_by_label("Rows", exact=True).fill("123")
    page.get_by_role("button", name="Generate", exact=True).click()
    with page.expect_download(timeout=SLOW_MS) as download:
        page.get_by_role("button", name="Download 123 rows").click()
    download.value.save_as(tmp_path / "rows.csv")

    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert len(rows) == 123
    assert {row["island"] for row in rows} == {"Dream"}
    assert list(rows[0]) == PENGUINS.read_text().splitlines()[0].split(",")


def test_the_keyboard_alone_leads_from_the_key_to_other_rows(page, server, birds, client: SynthGen):
    page.goto("/")
    tab_to(page, "API key")
    page.keyboard.type(server.key)
    page.keyboard.press("Enter")
    for link in ("Antarctica", "penguins", "Train a model"):
        tab_to(page, link)
        page.keyboard.press("Enter")
    seen(page, "Train a model")
    tab_to(page, "Gaussian Copula")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="TVAE")).to_be_checked()
    page.keyboard.press("ArrowDown")
    tab_to(page, "Start training")
    page.keyboard.press("Enter")
    rows = page.get_by_role("region", name="Synthetic rows").locator("tbody")
    expect(rows.locator("tr")).to_have_count(8, timeout=SLOW_MS)
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


class TestReportPage:
    @pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)], ids=["phone, dark", "desktop, light"])
    def test_it_is_one_click_away_in_its_own_style(self, opened, server, birds, width, dark):
        with opened(width=width, dark=dark) as page:
            open_with(page, server.key, birds["Real against synthetic"])
            with page.context.expect_page() as new:
                page.get_by_role("link", name="Open the whole report").click()
            tab, report = new.value, new.value.frame_locator("iframe")

            expect(report.get_by_role("heading", level=1)).to_be_visible(timeout=SLOW_MS)
            body = report.locator("body")
            assert body.evaluate("body => getComputedStyle(body).maxWidth") == "1216px"
            assert body.evaluate("body => body.ownerDocument.documentElement.scrollWidth") <= width
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert server.key not in tab.url
            assert findings(tab) == []

    def test_it_is_printed_whole(self, page, server, birds):
        report_page(page, server, birds)
        in_frame = page.frame_locator("iframe").locator("html")
        in_frame.evaluate("html => { html.ownerDocument.defaultView.print = () => { window.top.printed = true; } }")
        page.get_by_role("button", name="Print").click()
        assert page.evaluate("window.top.printed")

        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        height = in_frame.evaluate("html => html.scrollHeight")
        assert page.locator("iframe").bounding_box()["height"] == pytest.approx(height, abs=1)

    def test_without_a_key_it_says_what_to_do_and_the_way_leads_back(self, page, server, birds):
        ident = birds["Real against synthetic"].rpartition("/")[2]
        page.goto(f"/console/report#{ident}")
        expect(page.get_by_role("heading", name="A report needs a key")).to_be_visible()
        page.get_by_role("link", name="To the report in the console").click()
        page.get_by_label("API key").fill(server.key)
        page.get_by_role("button", name="Open").click()

        expect(page.get_by_role("link", name="Open the whole report")).to_be_visible(timeout=SLOW_MS)
        page.goto("/console/report")
        expect(page.get_by_role("heading", name="Which report?")).to_be_visible()
        page.goto(f"/console/report#{ident[:-4]}0000")
        expect(page.get_by_role("alert")).to_be_visible()

    def test_nothing_in_it_can_run_or_reach_the_server(self, browser, server, birds):
        context = browser.new_context(base_url=server.url)
        page, asked = context.new_page(), []
        context.route(
            "**/api/reports/*/download", lambda route: route.fulfill(body=HOSTILE_REPORT, content_type="text/html")
        )
        report_page(page, server, birds)
        page.on("request", lambda request: asked.append(request.url))

        report = page.frame_locator("iframe")
        expect(report.get_by_role("heading", name="Hello")).to_be_visible(timeout=SLOW_MS)
        report.get_by_role("button", name="Send").click()
        report.get_by_role("link", name="Top").click()
        report.get_by_role("link", name="Run").click()
        page.wait_for_timeout(500)

        assert page.evaluate("window.hurt") is None
        assert "/console/report#" in page.url
        assert asked == []
        context.close()


def test_a_training_is_seen_to_move_and_can_be_cancelled(page, server, given_long_training):
    model = given_long_training()
    open_with(page, server.key, f"#/models/{model['id']}")
    moved = """since => {
        const told = document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext');
        const epoch = Number(told?.match(/epoch (\\d+)/)?.[1]);
        return epoch > since && epoch;
    }"""

    first = page.wait_for_function(moved, arg=0).json_value()
    points = page.locator("polyline").first.get_attribute("points")
    page.wait_for_function(moved, arg=first)
    expect(page.locator("polyline").first).not_to_have_attribute("points", points)
    expect(page.get_by_text("left")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel the training").click()

    expect(page.get_by_text("It was cancelled.")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".head .badge")).to_have_text("failed")


def test_a_model_is_deleted_once_it_was_asked_twice(page, server, birds, client: SynthGen):
    dataset = client.get_dataset(birds["penguins"].rpartition("/")[2])
    version, project = dataset["dataset_version_id"], dataset["project_id"]
    model = client.create_model(project, version, "short-lived", "gaussian_copula")["id"]
    client.wait_for_model(model, timeout_s=120)
    open_with(page, server.key, f"#/models/{model}")

    page.get_by_role("button", name="Delete the model").click()
    page.get_by_role("button", name="Keep it").click()
    assert client.get_model(model)["model"]["status"] == "ready"
    page.get_by_role("button", name="Delete the model").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the model").click()

    expect(page.get_by_text("“short-lived” is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="birds")).to_be_visible()
    expect(page.get_by_role("link", name="short-lived")).to_have_count(0)


def test_a_job_is_found_by_its_status_and_cancelled_from_the_list(
    page, server, client: SynthGen, dataset, given_long_training
):
    training = given_long_training()
    wait_until(lambda: client.get_job(training["job_id"])["status"] == "running", "the training runs")
    open_with(page, server.key, f"#/projects/{dataset['project_id']}/jobs?status=running")

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("The job is cancelled.")).to_be_visible()
    assert client.get_job(training["job_id"])["cancelled"]


def test_models_and_jobs_are_found_by_their_words(page, server, birds, client: SynthGen, tmp_path):
    file = client.export_model(birds["birds"].rpartition("/")[2], tmp_path / "birds.synthgen")
    project = client.create_project("Aviary")["id"]
    for bird in ("auk", "emu", "gull", "jay", "owl", "tit"):
        client.generate(client.import_model(project, bird, file)["id"], 10)
    open_with(page, server.key)
    for tab in ("models", "jobs"):
        page.goto(f"/#/projects/{project}/{tab}")
        shown = page.locator(".list > li")
        expect(shown).to_have_count(6, timeout=SLOW_MS)

        page.get_by_label(f"Search {tab}").fill("OW")

        expect(shown).to_have_count(1)
        expect(shown).to_contain_text("owl")
        expect(page.get_by_text(f"1 of 6 {tab}")).to_be_visible()
        page.get_by_label(f"Search {tab}").fill("ostrich")
        expect(page.get_by_text("Nothing matches.")).to_be_visible()


class TestLists:
    """They follow what happens elsewhere while something in them goes on."""

    def test_jobs_change_and_come_by_themselves_and_nothing_else_moves(
        self, page, server, client: SynthGen, dataset, given_long_training
    ):
        training = given_long_training()
        open_with(page, server.key, f"#/projects/{dataset['project_id']}/jobs")
        line = page.locator(".list > li").first
        expect(line.locator(".badge")).to_have_text("running", timeout=SLOW_MS)
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
        expect(page.locator(".list > li .badge").nth(1)).to_have_text("running", timeout=SLOW_MS)
        client.cancel_job(training["job_id"])

        expect(page.locator(".list > li .badge").nth(1)).to_have_text("failed", timeout=SLOW_MS)
        assert page.evaluate("window.first === document.querySelectorAll('.list > li')[1]")
        expect(page.locator(".list > li").nth(1).get_by_role("link")).to_be_focused()
        assert second["synthgen_job_id"] in page.locator(".list > li a").first.get_attribute("href")

    def test_a_model_is_ready_by_itself_and_then_nobody_asks_any_more(
        self, page, server, client: SynthGen, dataset, given_long_training
    ):
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/models?" in request.url else None)
        training = given_long_training()
        open_with(page, server.key, f"#/projects/{dataset['project_id']}/models")
        badge = page.locator(".list > li .badge").first
        expect(badge).to_have_text("training", timeout=SLOW_MS)
        client.cancel_job(training["job_id"])
        expect(badge).to_have_text("failed", timeout=SLOW_MS)

        seen_by_then = len(asked)
        page.wait_for_timeout(2 * POLL_MS)
        assert len(asked) == seen_by_then

    def test_a_view_that_was_left_asks_no_more(self, page, server, dataset, given_long_training):
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
        expect(page.get_by_role("button", name="Download 1,000 rows")).to_be_visible(timeout=SLOW_MS)

        rows = generated(client, birds, tmp_path)
        assert {row["bill_length_mm"] for row in rows} == {""}
        assert {row["island"] for row in rows} == {"Dream", "Biscoe"}
        assert min(float(row["body_mass_g"]) for row in rows) >= 4000
        page.get_by_label("bill_length_mm, from").fill("40")
        page.get_by_label("bill_length_mm, to").fill("41")
        page.get_by_label("bill_length_mm, to").press("Enter")
        expect(page.get_by_role("button", name="Without: bill_length_mm from 40 to 41")).to_be_visible()
        expect(missing).to_have_attribute("aria-pressed", "false")

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
        expect(page.get_by_role("button", name="Download 1,000 rows")).to_be_visible(timeout=SLOW_MS)

        counts = Counter(row["island"] for row in generated(client, birds, tmp_path))
        assert counts == {"Dream": 700, "Biscoe": 200, "Torgersen": 100}
        page.reload()
        expect(page.get_by_label("Share of Dream in per cent")).to_have_value("70", timeout=SLOW_MS)
        assert '"distribution":{"island":{' in command_of(page, "Generate")
        page.get_by_role("button", name="Without: island").click()
        expect(page.get_by_role("button", name="Set shares of island")).to_be_visible()


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

        expect(page.get_by_text("It was cancelled.")).to_be_visible(timeout=SLOW_MS)


class TestErrors:
    def test_a_wrong_key_is_answered_by_a_sentence(self, page):
        page.goto("/")
        page.get_by_label("API key").fill("no-such-key")
        page.get_by_role("button", name="Open").click()

        expect(page.get_by_role("alert")).to_have_text("The API key is not known here, or is no longer valid.")

    def test_a_file_that_is_no_table_is_refused_and_the_next_one_taken(self, page, server, birds, tmp_path):
        broken = tmp_path / "broken.parquet"
        broken.write_bytes(b"PAR1 no table")
        open_with(page, server.key, birds["Antarctica"])
        page.locator("input[type=file]").set_input_files(broken)

        expect(page.get_by_role("alert")).to_contain_text("Parquet")
        page.locator("input[type=file]").set_input_files(PENGUINS)
        seen(page, "penguins")

    def test_an_option_that_does_not_fit_is_named_and_nothing_typed_is_lost(self, page, server, birds):
        open_with(page, server.key, birds["Train a model"])
        page.get_by_role("radio", name="CTGAN").check()
        page.get_by_text("All options").click()
        page.get_by_label("Pac", exact=True).fill("7")
        page.get_by_role("button", name="Start training").click()

        expect(page.get_by_role("alert")).to_contain_text("pac (7) must evenly divide batch_size (500)")
        page.reload()
        expect(page.get_by_role("radio", name="CTGAN")).to_be_checked()
        expect(page.locator("input[name=pac]")).to_have_value("7")

    def test_a_link_to_what_is_gone_leads_back_to_the_projects(self, page, server, birds):
        open_with(page, server.key, birds["birds"][:-4] + "0000")

        seen(page, "That did not work")
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_role("link", name="To the projects").click()
        seen(page, "Projects")


def test_a_hostile_table_is_text_and_nothing_else(page, server, client: SynthGen, tmp_path):
    file = tmp_path / "hostile.csv"
    with file.open("w") as sink:
        csv.writer(sink).writerows([[HOSTILE, "n"], *([f'{HOSTILE}, "{i % 3}"', i % 7] for i in range(60))])
    project = client.create_project(HOSTILE)["id"]
    dataset = client.upload_dataset(project, HOSTILE, file)
    model = client.create_model(project, dataset["dataset_version_id"], HOSTILE, "gaussian_copula")["id"]
    client.wait_for_model(model, timeout_s=120)

    open_with(page, server.key)
    for address in ("#/", f"#/projects/{project}", f"#/datasets/{dataset['dataset_id']}", f"#/models/{model}"):
        page.goto(f"/{address}")
        expect(page.get_by_text(HOSTILE).first).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("[aria-busy]")).to_have_count(0, timeout=SLOW_MS)

        assert page.evaluate("[window.hurt, document.images.length]") == [None, 1]  # the one is the brand's


def test_the_key_is_in_this_tab_alone(page, server, birds):
    open_with(page, server.key, birds["penguins"])
    seen(page, "penguins")

    command_of(page, "Correct a kind")
    assert server.key not in page.content() + page.url
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.get_by_role("button", name="Forget key").click()
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_viewer_looks_at_all_and_is_told_why_it_cannot_train(page, client: SynthGen, birds):
    open_with(page, client.create_key("v", "viewer")["key"], birds["Train a model"])
    page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("alert")).to_contain_text("This needs an editor key; this one is viewer.")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)], ids=["phone, dark", "desktop, light"])
def test_each_view_fits_its_screen_and_is_accessible(opened, server, birds, width, dark):
    with opened(width=width, dark=dark) as page:
        page.goto("/")
        expect(page.get_by_label("API key")).to_be_visible()
        assert findings(page) == []
        open_with(page, server.key)
        for title, address in birds.items():
            page.goto(f"/{address}")
            seen(page, title)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, title
            assert findings(page) == [], title
