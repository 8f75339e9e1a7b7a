"""The runbook, as it stands in cluster/README.md: what one machine can do is run, all else is parsed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthgen_ray.runtime.listening import free_port
from tests.markdown import blocks_of
from tests.servers import clean_environment

README = Path(__file__).parents[2] / "cluster" / "README.md"
TEMPORARY = "/tmp/synthgen-runbook"
# Of each server that it starts: the key is printed on terminals alone.
KEEP_KEYS = """
synthgen() { command synthgen "$@" && { [ "$1" != up ] || kept; }; }
kept() { cat */admin_key >> keys; awk 1 */ray_token >> tokens; }
"""


@pytest.mark.parametrize("code", blocks_of(README, "sh"))
def test_what_needs_other_machines_is_bash(code):
    subprocess.run(["bash", "-n", "-c", code], check=True)


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_what_one_machine_can_do_works_in_its_order(place):
    script = "\n".join(["set -euo pipefail", KEEP_KEYS, *blocks_of(README, "bash")]).replace(TEMPORARY, str(place))
    environment = {
        **clean_environment(),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "SYNTHGEN_PORT": str(free_port()),
        "SYNTHGEN_DASHBOARD_PORT": str(free_port()),
    }

    done = subprocess.run(["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True)

    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert {finding["level"] for finding in json.loads((place / "doctor.json").read_text())} == {"ok"}
        keys = set((place / "keys").read_text().split())
        assert len(keys) == len(set((place / "tokens").read_text().split())) == 3  # at first, made anew, and restored
        assert not [key for key in keys if key in done.stdout + done.stderr]
        assert (place / "new.key").read_text().startswith("sg_")
    finally:
        for data_dir in (place / "data", place / "restored"):
            subprocess.run(["synthgen", "down", "--data-dir", str(data_dir)], env=environment, capture_output=True)
