"""`report` and `reports`: a page on how good and how private a model's rows are."""

import json
import os
import re

import pytest

pytestmark = pytest.mark.usefixtures("working")
FEW = ("--rows", 60, "--seed", 1)


async def test_a_report_is_waited_for_written_and_its_verdict_said(synthgen, trained, tmp_path):
    file = tmp_path / "page.html"

    result = await synthgen("report", "copula", *FEW, "--target", "income", "--to", file)

    assert result.exit_code == 0, result.output
    assert re.fullmatch(rf"Wrote {re.escape(str(file))}\. Verdict: (good|warn|bad)\.\n", result.stdout)
    assert "report on copula: completed 100%" in result.stderr
    assert file.read_text().startswith("<!doctype html>")


async def test_the_page_of_a_generations_rows_is_opened_in_a_browser(synthgen, trained, tmp_path):
    generated = await synthgen("generate", "copula", "--rows", 60, "--to", tmp_path / "rows.csv", "--json")
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    words = ("--job", json.loads(generated.stdout)["id"], "--to", tmp_path / "page.html", "--open")

    result = await synthgen("report", "copula", *words, BROWSER=str(browser))

    assert result.exit_code == 0, result.output
    assert opened.read_text().strip() == (tmp_path / "page.html").as_uri()


async def test_without_a_browser_it_says_where_the_page_is(synthgen_process, environment, trained, tmp_path):
    environment["BROWSER"] = str(tmp_path / "no-browser")
    process = await synthgen_process("report", "copula", *FEW, "--to", tmp_path / "page.html", "--open")

    _, told = await process.communicate()

    assert process.returncode == 0, told
    assert f"open {tmp_path / 'page.html'} in one." in " ".join(told.decode().split())


async def test_a_report_is_what_its_file_is_called(synthgen, trained, tmp_path):
    as_json = await synthgen("report", "copula", *FEW, "--to", tmp_path / "report.json")
    as_word = await synthgen("report", "copula", *FEW, "--to", tmp_path / "report.docx", COLUMNS="200")

    assert as_json.exit_code == 0, as_json.output
    assert "fidelity" in json.loads((tmp_path / "report.json").read_text())
    assert as_word.exit_code == 2
    assert "end it in .html or .json" in as_word.stderr


async def test_a_queued_report_is_shown_listed_and_downloaded_as_what_the_file_is_called(synthgen, trained, tmp_path):
    made = json.loads((await synthgen("reports", "create", "copula", *FEW, "--json")).stdout)
    await synthgen("jobs", "watch", made["id"])

    shown = await synthgen("reports", "show", made["id"])
    listed = await synthgen("reports", "list", "--project", "Bank", "--model", "copula")
    for name in ("report.html", "report.json"):
        await synthgen("reports", "download", made["id"], "--to", tmp_path / name)

    assert re.search(r"^verdict +(good|warn|bad)$", shown.stdout, re.MULTILINE)
    assert made["id"] in listed.stdout
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert "fidelity" in json.loads((tmp_path / "report.json").read_text())


async def test_a_terminal_of_80_columns_has_room_for_the_verdict(synthgen, synthgen_process, environment, trained):
    made = json.loads((await synthgen("reports", "create", "copula", *FEW, "--json")).stdout)
    await synthgen("jobs", "watch", made["id"])
    terminal, theirs = os.openpty()
    environment |= {"COLUMNS": "80", "TERM": "dumb"}

    process = await synthgen_process("reports", "list", stdout=theirs)
    await process.communicate()
    shown = os.read(terminal, 65_536).decode()

    assert re.search(r"^id +status +verdict +created_at", shown)
    assert re.search(rf"{made['id']}  succeeded  (good|warn|bad) +{made['created_at']}", shown)
    os.close(terminal)
    os.close(theirs)


async def test_a_column_that_is_not_there_is_refused(synthgen, trained):
    result = await synthgen("report", "copula", "--target", "height")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "target" in result.stderr


async def test_a_training_that_is_waited_for_says_how_good_its_rows_are(synthgen, accounts):
    await synthgen("upload", accounts, "--project", "Bank")

    result = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--wait")

    assert re.search(r"is ready: column shapes [01]\.\d{3}, pair trends [01]\.\d{3}\.\n$", result.stdout)
