"""The console's files: which there are, what they may do, and that nothing else comes out."""

import re

import pytest

from synthgen_ray.api.console import FILES
from tests.api.bank import PROBLEM

PAGES = ("/", "/console/report")
SCRIPTS = sorted(path for path in FILES if path.endswith(".js"))
MOST_BYTES = 200_000
ELSEWHERE = (
    "/console",
    "/console/",
    "/console/index.html",
    "/console/report.html",
    "/console/report/",
    "/console/js",
    "/console/../api/auth.py",
    "/console/%2e%2e/settings.py",
    "/console/js/%2e%2e/%2e%2e/__init__.py",
    "/console//js/main.js",
)
# What turns text into markup or code, and where a key must never be kept.
FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage")


class TestFiles:
    async def test_each_needs_no_key_and_says_what_it_is(self, client):
        del client.headers["Authorization"]

        for path, file in FILES.items():
            answer = await client.get(path)

            assert answer.status_code == 200
            assert answer.content == file.content
            assert answer.headers["content-type"] == file.media_type

    async def test_each_is_compressed_for_whom_asks_so(self, client):
        for path, file in FILES.items():
            plain = await client.get(path, headers={"Accept-Encoding": "identity"})
            zipped = await client.get(path, headers={"Accept-Encoding": "gzip"})

            assert plain.content == zipped.content == file.content  # the client has unpacked it
            assert "content-encoding" not in plain.headers
            if len(file.content) >= 500:
                assert zipped.headers["content-encoding"] == "gzip"
                assert zipped.num_bytes_downloaded < len(file.content)
                assert plain.headers["vary"] == zipped.headers["vary"] == "Accept-Encoding"

    async def test_one_that_is_there_already_is_not_sent_again(self, client):
        first = await client.get("/")

        again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_what_a_page_loads_is_kept_for_ever_and_the_page_is_not(self, client):
        for path in FILES:
            kept = (await client.get(path)).headers["cache-control"]

            assert (kept == "no-cache") if path in PAGES else ("immutable" in kept), path

    async def test_nothing_else_has_an_address(self, client):
        for path in ELSEWHERE:
            answer = await client.get(path)

            assert answer.status_code == 404, path
            assert set(answer.json()) == PROBLEM

    async def test_they_are_few_bytes(self):
        assert sum(len(file.content) for file in FILES.values()) < MOST_BYTES


class TestPolicy:
    async def test_the_console_runs_and_loads_nothing_but_its_own_files(self, client):
        for path in FILES:
            if path == "/console/report":
                continue
            policy = (await client.get(path)).headers["content-security-policy"]

            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert "frame-src 'none'" in policy
            assert "require-trusted-types-for 'script'" in policy

    async def test_the_page_of_a_report_may_also_show_one_with_its_style_and_pictures(self, client):
        answer = await client.get("/console/report")
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))

        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "frame-src": "blob:",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
            "require-trusted-types-for": "'script'",
            "trusted-types": "'none'",
        }

    async def test_no_script_runs_in_the_frame_of_a_report(self):
        frames = [FILES[path].content.decode() for path in SCRIPTS if '"iframe"' in FILES[path].content.decode()]

        assert len(frames) == 1
        assert 'sandbox: "allow-same-origin allow-modals"' in frames[0]

    @pytest.mark.parametrize("path", PAGES)
    async def test_a_page_holds_no_script_no_style_and_no_address_elsewhere(self, path):
        page = FILES[path].content.decode()

        assert re.findall(r"<script[^>]*>[^<]", page) == []
        assert re.findall(r"<style|style=|\son\w+=|https?:", page) == []

    async def test_all_that_they_refer_to_is_there(self):
        pages = "".join(FILES[path].content.decode() for path in PAGES)
        referred = set(re.findall(r'(?:src|href)="(/[^"#]*)"', pages))
        for path in SCRIPTS:
            folder = path.rpartition("/")[0]
            for imported in re.findall(r'from "(\.[^"]+)"', FILES[path].content.decode()):
                referred.add(_resolved(folder, imported))

        assert referred <= {*FILES, "/docs"}

    async def test_no_script_makes_markup_or_code_of_text(self):
        for path in SCRIPTS:
            script = FILES[path].content.decode()

            assert [word for word in FORBIDDEN if word in script] == [], path


def _resolved(folder: str, imported: str) -> str:
    steps = folder.split("/")
    for step in imported.split("/"):
        if step == "..":
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)
