"""How a process begins that works on a job: what it says is about the job."""

import json
import logging
import os

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.runtime.logs import OURS
from synthgen_ray.runtime.working import working_on
from synthgen_ray.settings import LogFormat


async def test_its_lines_are_ours_and_about_the_job(given_training, tmp_path, capfd):
    job, artifacts = await given_training(), open_artifacts(None, tmp_path)

    with working_on(job, LogFormat.JSON, artifacts):
        logging.getLogger(f"{OURS}.jobs").info("it starts")

    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (line["message"], line["job_id"], line["model_id"]) == ("it starts", str(job.id), str(job.model_id))


async def test_what_a_killed_process_left_on_the_machine_goes_before_it_begins(given_training, tmp_path):
    job, artifacts = await given_training(), open_artifacts(None, tmp_path)
    artifacts.prepare()
    left = tmp_path / "artifacts" / "scratch" / "left"
    left.write_bytes(b"half a table")
    os.utime(left, (0, 0))

    with working_on(job, LogFormat.TEXT, artifacts):
        assert not left.exists()
