"""The README's quickstart, as it stands there: every block of bash and Python, in order."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import clean_environment, free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEAVES = [
    "birds.csv",
    "heavy.csv",
    "birds.synthgen",
    "nightly.key",
    "gentoo.csv",
    "biscoe_and_dream.csv",
    "penguins.synthgen",
]


@pytest.fixture
def place(place: Path) -> Path:
    """It has the `.venv` that the README says to activate."""
    (place / ".venv").symlink_to(Path(sys.prefix))
    return place


@pytest.mark.timeout(600)
def test_every_block_of_the_quickstart_runs(place):
    port = str(free_port())
    script = ["set -euo pipefail"]
    for i, (language, code) in enumerate(BLOCK.findall(README)):
        code = code.replace("8888", port)
        if language == "python":
            (place / f"block_{i}.py").write_text(code)
            code = f"python block_{i}.py\n"
        script.append(code)
    script[-1] = "trap - EXIT\n" + script[-1]
    script.insert(1, "trap '.venv/bin/synthgen down || true' EXIT")
    environment = {**clean_environment(), "SYNTHGEN_PORT": port, "SYNTHGEN_DASHBOARD_PORT": str(free_port())}

    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=place, env=environment, capture_output=True, text=True, timeout=580
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for name in LEAVES:
        assert (place / name).stat().st_size > 0
    rows = (place / "gentoo.csv").read_text().splitlines()[1:]
    assert len(rows) == 1000
    assert all("Gentoo" in row for row in rows)


def test_the_readme_has_the_table_that_the_demo_prints():
    for words in ("gaussian_copula", "column shapes", "pair trends"):
        assert words in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", README))))
def test_links_lead_somewhere(link):
    file, _, heading = link.partition("#")
    page = ROOT / file if file else ROOT / "README.md"

    assert page.exists()
    assert not heading or f"# {heading.replace('-', ' ')}\n" in page.read_text().lower()
