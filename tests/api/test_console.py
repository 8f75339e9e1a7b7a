"""The console's files: which there are, what they may do, and that nothing else comes out."""

import re

from synthgen_ray.api.console import FILES
from tests.api.bank import PROBLEM

SCRIPTS = sorted(path for path in FILES if path.endswith(".js"))
MOST_BYTES = 200_000
ELSEWHERE = (
    "/console",
    "/console/",
    "/console/index.html",
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

    async def test_one_that_is_there_already_is_not_sent_again(self, client):
        first = await client.get("/")

        again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_what_the_page_loads_is_kept_for_ever_and_the_page_is_not(self, client):
        page = await client.get("/")
        others = [path for path in FILES if path != "/"]

        assert page.headers["cache-control"] == "no-cache"
        for path in others:
            assert "immutable" in (await client.get(path)).headers["cache-control"]

    async def test_nothing_else_has_an_address(self, client):
        for path in ELSEWHERE:
            answer = await client.get(path)

            assert answer.status_code == 404, path
            assert set(answer.json()) == PROBLEM

    async def test_they_are_few_bytes(self):
        assert sum(len(file.content) for file in FILES.values()) < MOST_BYTES


class TestPolicy:
    async def test_the_page_runs_and_loads_nothing_but_its_own_files(self, client):
        policy = (await client.get("/")).headers["content-security-policy"]

        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy

    async def test_the_page_holds_no_script_no_style_and_no_address_elsewhere(self):
        page = FILES["/"].content.decode()

        assert re.findall(r"<script[^>]*>[^<]", page) == []
        assert re.findall(r"<style|style=|\son\w+=|https?:", page) == []

    async def test_all_that_it_refers_to_is_there(self):
        referred = set(re.findall(r'(?:src|href)="(/[^"#]*)"', FILES["/"].content.decode()))
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
