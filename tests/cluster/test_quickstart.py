"""The quickstart of the README, all blocks of bash and Python in their order, on the server of these tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.markdown import marked_blocks
from tests.servers import UpServer, clean_environment, every

README = Path(__file__).parents[2] / "README.md"
# The server's own start and end, which it has had, or will have.
START, END = "synthgen up --detach\n", "synthgen down\n"
LEAVES = [
    "birds.csv",
    "heavy.csv",
    "birds.synthgen",
    "nightly.key",
    "gentoo.csv",
    "biscoe_and_dream.csv",
    "penguins.synthgen",
]


def quickstart(place: Path, server: UpServer) -> str:
    script = ["set -euo pipefail\n"]
    for i, (language, code) in enumerate(marked_blocks(README, "bash", "python")):
        code = code.replace("8888", str(server.port))
        if language == "python":
            (place / f"block_{i}.py").write_text(code)
            code = f"python block_{i}.py\n"
        script.append(code)
    whole = "".join(script)
    assert whole.count(START) == 1
    assert whole.endswith(END)
    return whole.replace(START, "").removesuffix(END)


@pytest.fixture
def _no_name_is_taken(client, dataset) -> None:
    """As on a server of one's own: what tests before this one left is gone."""
    for project in every(client.list_projects):
        if project["id"] != dataset["project_id"]:
            client.delete_project(project["id"], force=True)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_no_name_is_taken")
def test_every_block_of_it_runs(server, place):
    (place / ".venv").symlink_to(Path(sys.prefix))  # which it says to activate
    (place / "data").symlink_to(server.data_dir)

    command = ["bash", "-c", quickstart(place, server)]
    done = subprocess.run(command, cwd=place, env=clean_environment(), capture_output=True, text=True, timeout=580)

    assert done.returncode == 0, done.stdout + done.stderr
    for name in LEAVES:
        assert (place / name).stat().st_size > 0
    rows = (place / "gentoo.csv").read_text().splitlines()[1:]
    assert len(rows) == 1000
    assert all("Gentoo" in row for row in rows)
