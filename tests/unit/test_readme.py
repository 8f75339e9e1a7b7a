"""What the README points to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_it_has_the_table_that_the_demo_prints():
    for words in ("gaussian_copula", "column shapes", "pair trends"):
        assert words in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", README))))
def test_links_lead_somewhere(link):
    file, _, heading = link.partition("#")
    page = ROOT / file if file else ROOT / "README.md"

    assert page.exists()
    assert not heading or f"# {heading.replace('-', ' ')}\n" in page.read_text().lower()
