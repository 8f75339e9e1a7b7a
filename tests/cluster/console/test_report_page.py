"""The report as a page of its own."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import findings, open_with
from tests.servers import UpServer

HOSTILE_REPORT = """<!doctype html><h1>Hello</h1>
<script>parent.hurt = 1</script><script src="/console/js/main.js"></script><img src="x" onerror="parent.hurt = 1">
<iframe srcdoc="<script>top.hurt = 1</script>"></iframe><iframe src="/api/projects"></iframe>
<form action="/api/projects" method="post"><button>Send</button></form>
<a href="/" target="_top">Top</a> <a href="javascript:parent.hurt = 1">Run</a>"""


def report_page(page: Page, server: UpServer, birds: dict[str, str]) -> None:
    """The report in the page around it, in a tab that has the key."""
    open_with(page, server.key)
    page.goto(f"/console/report#{birds['Real against synthetic'].rpartition('/')[2]}")
    page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()


class TestReportPage:
    @pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)], ids=["phone, dark", "desktop, light"])
    def test_it_is_one_click_away_in_its_own_style(self, opened, server, birds, width, dark):
        with opened(width=width, dark=dark) as page:
            open_with(page, server.key, birds["Real against synthetic"])
            with page.context.expect_page() as new:
                page.get_by_role("link", name="Open the whole report").click()
            tab, report = new.value, new.value.frame_locator("iframe")

            expect(report.get_by_role("heading", level=1)).to_be_visible()
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

        expect(page.get_by_role("link", name="Open the whole report")).to_be_visible()
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
        expect(report.get_by_role("heading", name="Hello")).to_be_visible()
        report.get_by_role("button", name="Send").click()
        report.get_by_role("link", name="Top").click()
        report.get_by_role("link", name="Run").click()
        page.wait_for_timeout(500)

        assert page.evaluate("window.hurt") is None
        assert "/console/report#" in page.url
        assert asked == []
        context.close()
