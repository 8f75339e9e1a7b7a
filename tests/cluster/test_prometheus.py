"""A real Prometheus reads a real server by the files of `cluster/`, and every query of theirs gives something."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import QUICK
from tests.markdown import blocks_of
from tests.prometheus import CLUSTER, CONFIG, Prometheus, a_prometheus, require_prometheus
from tests.servers import UpServer, clean_environment, wait_until

DASHBOARDS = sorted((CLUSTER / "grafana" / "dashboards").glob("*.json"))
SERIES = re.compile(r"\b(?:ray_\w+|up)(?:\{[^}]*\})?")
RUNBOOK = blocks_of(CONFIG / "README.md", "sh")
(RAYS_ADDRESS,) = [code for code in blocks_of(CLUSTER / "README.md", "sh") if "ray_current_cluster" in code]
ALERTS = [rule for group in yaml.safe_load((CONFIG / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    panels = [panel for file in DASHBOARDS for panel in json.loads(file.read_text())["panels"]]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture(scope="module")
def prometheus(server: UpServer, tmp_path_factory) -> Iterator[Prometheus]:
    require_prometheus()
    with a_prometheus(
        tmp_path_factory.mktemp("prom"), server.data_dir / "ray/prom_metrics_service_discovery.json"
    ) as it:
        yield it


def test_the_rules_fire_when_they_should_and_not_before():
    require_prometheus()
    configs = ("prometheus.yml", "compose.yml", "kubernetes.yml")
    checks = [["check", "config", "--lint=none", *configs], ["test", "rules", "alerts_test.yml"]]

    for check in checks:
        done = subprocess.run(["promtool", *check], cwd=CONFIG, capture_output=True, text=True, timeout=60)

        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_place_in_the_runbook_and_a_test():
    runbook, tested = (CONFIG / "README.md").read_text(), (CONFIG / "alerts_test.yml").read_text()
    places = {re.sub(r"\W", "", title).lower() for title in re.findall(r"^## (.+)$", runbook, re.MULTILINE)}

    for rule in ALERTS:
        file, _, place = rule["annotations"]["runbook"].partition("#")
        assert (file, place) == ("cluster/prometheus/README.md", rule["alert"].lower())
        assert place in places
        assert f"alertname: {rule['alert']}\n" in tested


def test_every_query_of_the_dashboards_gives_figures(prometheus, client, server, given_training, ready_model, tmp_path):
    client.sample(ready_model, 10)
    wait_until(lambda: prometheus.query("ray_synthgen_model_cache_hits_total"), "it reads what the sampler says", 60)
    client.wait_for_job(given_training("tvae", QUICK)["job_id"], timeout_s=120)
    client.wait_for_job(client.generate(ready_model, 10)["job_id"], timeout_s=120)
    for _ in range(3):
        client.sample(ready_model, 10)

    def empty() -> list[str]:
        return [one for one in queries() if not any(row["value"][1] != "NaN" for row in prometheus.query(one))]

    wait_until(lambda: not empty(), "no panel is empty", 60, longest_pause_s=2)  # a look is a query for each panel


def test_its_alerts_are_loaded_and_each_of_their_series_is_there(prometheus, server):
    wait_until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), "the rules are evaluated", 60)

    assert [rule["name"] for rule in prometheus.rules()] == [rule["alert"] for rule in ALERTS]
    named = {one for rule in ALERTS for one in SERIES.findall(rule["expr"])}
    wait_until(lambda: not [one for one in named if not prometheus.query(one)], "each is there by its labels", 60)
    # Pending, they would fire on a server that is well, only later than a test ends.
    absent = {rule["alert"] for rule in ALERTS if "absent(" in rule["expr"]}

    def well() -> bool:
        return {rule["name"] for rule in prometheus.rules() if rule["state"] == "inactive"} >= absent

    wait_until(well, "nothing is found absent", 60)
    fires = {rule["name"] for rule in prometheus.rules() if rule["state"] == "firing"}
    counted = {rule["alert"] for rule in ALERTS if "increase(" in rule["expr"]}  # of what other tests did
    assert not fires - counted


@pytest.mark.parametrize("commands", [*RUNBOOK, "ray status", "serve status"])
def test_the_commands_of_its_runbook_work(server, commands, tmp_path):
    (tmp_path / "data").symlink_to(server.data_dir)
    script = f"set -eu\n{RAYS_ADDRESS}\n{commands}".replace("LOGS", "data/ray/session_latest/logs")
    environment = {**clean_environment(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr  # Ray warns there that a list is short


def test_dashboards_are_what_grafana_takes():
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        panels = dashboard["panels"]

        assert dashboard["uid"] == Path(file).stem
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert all(target["datasource"]["uid"] == "prometheus" for panel in panels for target in panel["targets"])
        assert all(panel["title"] and panel["description"] for panel in panels)
