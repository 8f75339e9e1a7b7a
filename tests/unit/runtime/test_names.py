import re
from dataclasses import replace
from pathlib import PurePath

import pytest
import yaml

from synthgen_ray.runtime.names import GENERATE, LEAD, REPORT, TRAIN, run_name, train_run_name
from tests.prometheus import CONFIG


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/", "a\\b", "é 🦜", "x" * 255, "-rf", "%s{}"])
async def test_a_models_name_never_leads_out_of_a_folder(given_training, name):
    job = replace(await given_training(), model_name=name)

    for called, end in ((run_name(job), f"-{str(job.id)[:8]}-0"), (train_run_name(job), f"-{job.model_id}-0")):
        path = PurePath(called)
        assert len(path.parts) == 1
        assert path.name.endswith(end)
        assert len(path.name) <= 40 + len(end)


async def test_a_harmless_name_stays_readable(given_training):
    job = await given_training("Card payments")

    assert run_name(job) == f"Card-payments-{str(job.id)[:8]}-0"
    assert train_run_name(job) == f"Card-payments-{job.model_id}-0"


@pytest.mark.parametrize("work", [TRAIN, LEAD, GENERATE, REPORT])
@pytest.mark.parametrize("file", ["prometheus.yml", "compose.yml", "kubernetes.yml"])
async def test_prometheus_keeps_no_title_with_a_models_name(given_training, file, work):
    (scrape,) = yaml.safe_load((CONFIG / file).read_text())["scrape_configs"]
    (drops,) = (rule["regex"] for rule in scrape["metric_relabel_configs"] if rule["action"] == "drop")

    assert re.fullmatch(drops, f"ray::{work} {run_name(await given_training())}")
