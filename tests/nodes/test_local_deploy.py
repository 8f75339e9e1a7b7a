"""`serve deploy` of configs/serve/local.yaml on a Ray of one machine, as its first lines have it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.environment import PROXY
from synthgen_ray.runtime.listening import free_port
from tests.api.conftest import a_table
from tests.folders import a_folder
from tests.ray_nodes import ray_nodes
from tests.servers import wait_until

CONFIG = Path(__file__).parents[2] / "configs" / "serve" / "local.yaml"
SERVE = Path(sys.executable).parent / "serve"


@pytest.mark.nightly
def test_it_trains_and_draws_with_the_key_that_it_has_made(tmp_path):
    config, port = yaml.safe_load(CONFIG.read_text()), free_port()
    table = tmp_path / "accounts.csv"
    table.write_bytes(a_table(300))
    with a_folder() as data_dir, ray_nodes(head_cpus=2, **PROXY) as nodes:
        config["http_options"]["port"] = port
        config["applications"][0]["args"] |= {"data_dir": str(data_dir), "port": port}  # nothing else is changed
        (tmp_path / "serve.yaml").write_text(yaml.safe_dump(config))
        to = f"--address=http://127.0.0.1:{nodes.dashboard_port}"
        subprocess.run([SERVE, "deploy", to, tmp_path / "serve.yaml"], env=nodes.environment, timeout=180, check=True)
        key = data_dir / "admin_key"
        wait_until(key.exists, "it has a key", 180)
        with SynthGen(f"http://127.0.0.1:{port}", key.read_text().strip()) as client:
            wait_until(client.is_ready, "it is ready", 180)
            project = client.create_project("Bank")["id"]
            version = client.upload_dataset(project, "accounts", table)["dataset_version_id"]
            model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})["id"]
            client.wait_for_model(model, timeout_s=120)

            assert len(client.sample(model, 10)) == 10
        assert key.stat().st_mode & 0o777 == 0o600
