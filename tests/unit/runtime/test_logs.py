"""Our lines carry what they are about, whoever writes them, and are one JSON object each."""

import asyncio
import json
import logging
from uuid import uuid4

import pytest

from synthgen_ray.domain.log_context import FIELDS, about
from synthgen_ray.runtime.logs import JsonLines, TextLines
from tests.log_lines import is_right, ours


def line(formatter: logging.Formatter, message: str = "it starts") -> str:
    return formatter.format(logging.LogRecord("synthgen_ray.jobs", logging.INFO, "x.py", 1, message, (), None))


def test_a_line_carries_its_request_job_and_model():
    job_id, model_id = uuid4(), uuid4()

    with about(request_id="r-1"), about(job_id=job_id, model_id=model_id):
        written = json.loads(line(JsonLines()))

    assert [written[name] for name in FIELDS] == ["r-1", str(job_id), str(model_id)]
    assert (written["level"], written["logger"], written["message"]) == ("INFO", "synthgen_ray.jobs", "it starts")


def test_a_line_that_is_about_none_says_so():
    written = json.loads(line(JsonLines()))

    assert [written[name] for name in FIELDS] == [None, None, None]


def test_a_message_of_many_lines_stays_one():
    assert "\n" not in line(JsonLines(), "TypeError\n  File x")


def test_text_names_what_it_is_about_and_nothing_else():
    with about(request_id="r-1"):
        assert line(TextLines()).endswith("it starts request_id=r-1")


def test_the_check_of_a_clusters_logs_tells_lines_of_ours_from_others_and_right_ones_from_wrong_ones():
    said = f"job {uuid4()} cannot be read: ValueError"
    with about(job_id=said.split()[1]):
        right, text = line(JsonLines(), said), line(TextLines(), said)
    wrong = [said, text, line(JsonLines(), said), right.replace(', "model_id": null', "")]

    assert ours([right, *wrong, "Its job is done.", '{"job": 1}']) == [right, *wrong]
    assert [is_right(one) for one in (right, *wrong)] == [True, False, False, False, False]


async def test_tasks_and_threads_know_it_and_others_do_not():
    async def write() -> str:
        return await asyncio.to_thread(line, JsonLines())

    with about(request_id="r-1"):
        inside = asyncio.create_task(write())
    outside = asyncio.create_task(write())

    assert json.loads(await inside)["request_id"] == "r-1"
    assert json.loads(await outside)["request_id"] is None


def test_after_an_error_lines_are_no_longer_about_it():
    with pytest.raises(ValueError, match="no"), about(request_id="r-1"):
        raise ValueError("no")

    assert json.loads(line(JsonLines()))["request_id"] is None
