"""Errors, hostile tables, keys, screens of all sizes, and those who do not see them."""

import csv

import pytest
from playwright.sync_api import expect

from synthgen_ray.client import SynthGen
from tests.cluster.console.steps import PENGUINS, command_of, seen
from tests.console.browser import findings, open_with

HOSTILE = '<img src=x onerror="window.hurt=1">'


class TestErrors:
    def test_a_wrong_key_is_answered_by_a_sentence(self, page):
        page.goto("/")
        page.get_by_label("API key").fill("no-such-key")
        page.get_by_role("button", name="Open").click()

        expect(page.get_by_role("alert")).to_have_text("The API key is not known here, or is no longer valid.")

    def test_what_can_be_no_key_is_not_sent(self, page):
        page.goto("/")
        page.get_by_label("API key").fill("sg_5mY…")
        page.get_by_role("button", name="Open").click()

        assert page.get_by_label("API key").evaluate("field => field.validity.patternMismatch")
        expect(page.get_by_role("alert")).to_have_count(0)

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

    def test_a_type_that_was_chosen_is_not_lost_either(self, page, server, birds):
        open_with(page, server.key, birds["Train a model"])
        page.get_by_role("radio", name="TVAE").check()
        page.reload()

        expect(page.get_by_role("radio", name="TVAE")).to_be_checked()

    def test_a_link_to_what_is_gone_leads_back_to_the_projects(self, page, server, birds):
        open_with(page, server.key, birds["birds"][:-4] + "0000")

        seen(page, "That did not work")
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_role("link", name="To the projects").click()
        seen(page, "Projects")


def test_a_hostile_table_is_text_and_nothing_else(page, server, client: SynthGen, tmp_path):
    file = tmp_path / "hostile.csv"
    with file.open("w") as sink:
        csv.writer(sink).writerows([[HOSTILE, "2020"], *([f'{HOSTILE}, "{i % 3}"', i % 7] for i in range(60))])
    project = client.create_project(HOSTILE)["id"]
    dataset = client.upload_dataset(project, HOSTILE, file)
    model = client.create_model(project, dataset["dataset_version_id"], HOSTILE, "gaussian_copula")["id"]
    client.wait_for_model(model, timeout_s=120)

    open_with(page, server.key)
    for address in ("#/", f"#/projects/{project}", f"#/datasets/{dataset['dataset_id']}", f"#/models/{model}"):
        page.goto(f"/{address}")
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)

        assert page.evaluate("[window.hurt, document.images.length]") == [None, 1]  # the one is the brand's
    rows = page.get_by_role("region", name="Synthetic rows")
    assert rows.get_by_role("columnheader").all_inner_texts() == [HOSTILE, "2020"]


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
